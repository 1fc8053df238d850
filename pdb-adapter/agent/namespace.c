/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/namespace.h"

#include "pdb-adapter/agent/channel.h"
#include "pdb-adapter/agent/prompt.h"

static const char source[] = {
#include "pdb-adapter/agent/source.h"
	0
};

static object *agent;                   /* the namespace; NULL until it runs */

static struct method_def functions[] = {
	{ "channel_open", py_open, METH_NOARGS, NULL },
	{ "send", py_send, METH_VARARGS, NULL },
	{ "send_ticks", py_send_ticks, METH_O, NULL },
	{ "receive", py_receive, METH_NOARGS, NULL },
	{ "flush_c", py_flush, METH_NOARGS, NULL },
	{ "digest", py_digest, METH_O, NULL },
	{ "input", py_input, METH_VARARGS, NULL },
};

object *named(const char *name)
{
	return PyDict_GetItemString(agent, name);
}

bool namespace_start(void)
{
	object *code, *name, *result;

	agent = PyDict_New();
	name = PyUnicode_FromString("__fred__");
	if (agent == NULL || name == NULL)
		return false;
	PyDict_SetItemString(agent, "__builtins__", PyEval_GetBuiltins());
	PyDict_SetItemString(agent, "__name__", name);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		object *f = PyCFunction_NewEx(&functions[i], NULL, NULL);

		if (f == NULL || PyDict_SetItemString(agent, functions[i].name, f) < 0)
			return false;
		Py_DecRef(f);
	}
	code = Py_CompileString(source, "<fred>", FILE_INPUT);
	if (code == NULL)
		return false;
	result = PyEval_EvalCode(code, agent, agent);
	Py_DecRef(code);
	if (result == NULL)
		return false;
	Py_DecRef(result);
	result = PyObject_CallObject(named("start"), NULL);
	if (result == NULL)
		return false;
	Py_DecRef(result);
	return true;
}
