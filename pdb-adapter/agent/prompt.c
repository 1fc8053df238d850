/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/prompt.h"

#include <dlfcn.h>
#include <stdint.h>

#include "channel/agent/channel.h"
#include "channel/agent/namespace.h"
#include "pdb-adapter/agent/halt.h"

static bool runs(object *frame, const char *function)
{
	object *code = PyObject_GetAttrString(frame, "f_code"), *name = NULL;
	bool same = false;

	if (code != NULL && (name = PyObject_GetAttrString(code, "co_name")) != NULL)
		same = PyUnicode_CompareWithASCIIString(name, function) == 0;
	PyErr_Clear();
	if (name != NULL)
		Py_DecRef(name);
	if (code != NULL)
		Py_DecRef(code);
	return same;
}

/* The frame's caller, in place of the frame. */
static object *outer(object *frame)
{
	object *back = PyObject_GetAttrString(frame, "f_back"), *nothing = none();

	Py_DecRef(frame);
	Py_DecRef(nothing);
	PyErr_Clear();
	if (back == nothing) {
		Py_DecRef(back);
		return NULL;
	}
	return back;
}

static object *its_self(object *frame)
{
	object *locals = PyObject_GetAttrString(frame, "f_locals"), *key = PyUnicode_FromString("self"), *self = NULL;

	if (locals != NULL && key != NULL)
		self = PyObject_GetItem(locals, key);
	PyErr_Clear();
	if (locals != NULL)
		Py_DecRef(locals);
	if (key != NULL)
		Py_DecRef(key);
	return self;
}

/* Which Pdb asks?  NULL when it is somebody else: a Cmd or an InteractiveConsole of the program's own. */
static object *who_asks(void)
{
	object *frame = PyEval_GetFrame(), *self = NULL;
	object *in_pdb = named("pdb_globals"), *in_cmd = named("cmd_globals"), *in_code = named("code_globals");

	if (frame == NULL)
		return NULL;
	Py_IncRef(frame);
	if (has(frame, "f_globals", in_pdb) || (has(frame, "f_globals", in_cmd) && runs(frame, "cmdloop"))) {
		self = its_self(frame);
	} else if (has(frame, "f_globals", in_code)) {
		while (frame != NULL && has(frame, "f_globals", in_code))
			frame = outer(frame);
		if (frame != NULL && has(frame, "f_globals", in_pdb) && runs(frame, "do_interact"))
			self = its_self(frame);
	}
	if (frame != NULL)
		Py_DecRef(frame);
	if (self != NULL && PyObject_IsInstance(self, named("Pdb")) != 1) {
		Py_DecRef(self);
		self = NULL;
	}
	PyErr_Clear();
	return self;
}

static bool inside_trace_function(void)
{
	object *frame = PyEval_GetFrame(), *in_bdb = named("bdb_globals");
	bool found = false;

	if (frame != NULL)
		Py_IncRef(frame);
	while (frame != NULL && !(found = has(frame, "f_globals", in_bdb) && runs(frame, "trace_dispatch")))
		frame = outer(frame);
	if (frame != NULL)
		Py_DecRef(frame);
	return found;
}

static object *set_trace(object *function)
{
	object *args = Py_BuildValue("(O)", function), *result;

	result = args == NULL ? NULL : PyObject_CallObject(PySys_GetObject("settrace"), args);
	if (args != NULL)
		Py_DecRef(args);
	return result;
}

object *py_input(object *self, object *args)
{
	object *asks = channel_ours() ? who_asks() : NULL;
	object *call_args, *result, *tracer, *nothing;
	bool quiet;

	if (asks == NULL)
		return PyObject_CallObject(PyDict_GetItemString(PyEval_GetBuiltins(), "input"), args);

	/* A post-mortem prompt is not inside a trace function; the user must not step into us. */
	nothing = none();
	tracer = PyObject_CallObject(PySys_GetObject("gettrace"), NULL);
	quiet = tracer != NULL && tracer != nothing && !inside_trace_function();
	if (quiet) {
		result = set_trace(nothing);
		if (result != NULL)
			Py_DecRef(result);
	}
	halt_hold();
	call_args = Py_BuildValue("(OO)", asks, args);
	result = call_args == NULL ? NULL : PyObject_CallObject(named("prompted"), call_args);
	if (call_args != NULL)
		Py_DecRef(call_args);
	if (quiet && result != NULL) {
		object *done = set_trace(tracer);

		if (done != NULL)
			Py_DecRef(done);
	}
	if (tracer != NULL)
		Py_DecRef(tracer);
	Py_DecRef(nothing);
	Py_DecRef(asks);
	halt_now();
	return result;
}

/* Is the local variable `name` one of two objects of sys, or None where `absent`? */
static bool is_stream(object *locals, const char *name, const char *first, const char *second, bool absent)
{
	object *key = PyUnicode_FromString(name), *value = key != NULL ? PyObject_GetItem(locals, key) : NULL, *nothing = none();
	bool same = value != NULL && (value == PySys_GetObject(first) || value == PySys_GetObject(second)
				      || (absent && value == nothing));

	PyErr_Clear();
	if (key != NULL)
		Py_DecRef(key);
	if (value != NULL)
		Py_DecRef(value);
	Py_DecRef(nothing);
	return same;
}

/* The debugger of the command `debug` is made with stdin and stdout given, and so would read the terminal itself, by
 * readline().  Pdb.__init__() has passed them on already when it raises the event, and will look at `stdout` once more
 * to find that out: let it find none, if it is the standard output. */
void prompt_let_it_ask(void)
{
	object *frame = PyEval_GetFrame(), *locals, *key, *nothing;
	void (*locals_to_fast)(object *, int) = (void (*)(object *, int))(uintptr_t)dlsym(RTLD_DEFAULT, "PyFrame_LocalsToFast");

	if (frame == NULL || !has(frame, "f_globals", named("pdb_globals")) || !runs(frame, "__init__"))
		return;
	locals = PyObject_GetAttrString(frame, "f_locals");
	key = PyUnicode_FromString("stdout");
	nothing = none();
	if (locals != NULL && key != NULL && is_stream(locals, "stdout", "stdout", "__stdout__", false)
	    && is_stream(locals, "stdin", "stdin", "__stdin__", true)) {
		PyObject_SetItem(locals, key, nothing);
		if (locals_to_fast != NULL)     /* before 3.13, f_locals is a copy */
			locals_to_fast(frame, 0);
	}
	PyErr_Clear();
	if (locals != NULL)
		Py_DecRef(locals);
	if (key != NULL)
		Py_DecRef(key);
	Py_DecRef(nothing);
}
