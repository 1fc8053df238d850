/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/agent/namespace.h"

#include "channel/agent/python_channel.h"

static object *agent;                   /* the namespace; NULL until it runs */

static struct method_def functions[] = {
	{ "channel_open", py_open, METH_NOARGS, NULL },
	{ "send", py_send, METH_VARARGS, NULL },
	{ "send_ticks", py_send_ticks, METH_O, NULL },
	{ "receive", py_receive, METH_NOARGS, NULL },
	{ "flush_c", py_flush, METH_NOARGS, NULL },
	{ "digest", py_digest, METH_O, NULL },
	{ NULL, NULL, 0, NULL },
};

object *named(const char *name)
{
	return PyDict_GetItemString(agent, name);
}

static bool add(struct method_def *methods)
{
	for (; methods->name != NULL; methods++) {
		object *f = PyCFunction_NewEx(methods, NULL, NULL);

		if (f == NULL || PyDict_SetItemString(agent, methods->name, f) < 0)
			return false;
		Py_DecRef(f);
	}
	return true;
}

bool namespace_start(const char *source, struct method_def *own)
{
	object *code, *name, *result;

	agent = PyDict_New();
	name = PyUnicode_FromString("__fred__");
	if (agent == NULL || name == NULL)
		return false;
	PyDict_SetItemString(agent, "__builtins__", PyEval_GetBuiltins());
	PyDict_SetItemString(agent, "__name__", name);
	if (!add(functions) || !add(own))
		return false;
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
