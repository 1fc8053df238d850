/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/clock_pdb.h"

#include <dlfcn.h>
#include <stdint.h>

#include "channel/agent/namespace.h"
#include "pdb-adapter/agent/clock_run.h"
#include "pdb-adapter/agent/frame.h"

enum { GENERATORS = 0x20 | 0x80 | 0x200 };      /* CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR */

struct pdb_names names;

static object *quitting, *waiting, *stopframe, *returnframe, *botframe, *breaks, *enterframe;    /* names of variables */
static object *filename, *firstline, *flags;                                                    /* and of a code's */
static object *yes, *no, *method_type, *stop_iteration, *skipped, *canonic;

static struct {
	object *pdb, *variables;        /* its __dict__ */
	object *function;               /* its class's trace_dispatch */
	object *canonical;              /* dict: file name as in a code object: as pdb.canonic() makes it */
	bool fast;                      /* no stop_here() or the like of its own */
	bool skipping;                  /* there are modules to skip */
	bool enters;                    /* it keeps enterframe, since 3.13 */
} work;

/* Of the frame asked about last; asked again line after line. */
static struct {
	object *frame;
	object *file;                   /* canonical; a reference of ours */
	int first;                      /* line of its code; -1: not asked for */
} here;

bool pdb_names_find(void)
{
	static const char *const words[] = {"call", "exception", "line", "return", "c_call", "c_exception", "c_return", "opcode"};
	struct { object **at; const char *word; } interned[] = {
		{ &quitting, "quitting" }, { &waiting, "_wait_for_mainpyfile" }, { &stopframe, "stopframe" },
		{ &returnframe, "returnframe" }, { &botframe, "botframe" }, { &breaks, "breaks" },
		{ &enterframe, "enterframe" }, { &filename, "co_filename" }, { &firstline, "co_firstlineno" },
		{ &flags, "co_flags" },
	};

	if (names.ours != NULL)
		return true;
	for (size_t i = 0; i < sizeof interned / sizeof *interned; i++)
		if ((*interned[i].at = PyUnicode_InternFromString(interned[i].word)) == NULL)
			return false;
	for (int i = 0; i < EVENT_KINDS; i++)
		if ((names.events[i] = PyUnicode_InternFromString(words[i])) == NULL)
			return false;
	names.nothing = none();
	yes = PyBool_FromLong(1);
	no = PyBool_FromLong(0);
	method_type = dlsym(RTLD_DEFAULT, "PyMethod_Type");
	stop_iteration = PyDict_GetItemString(PyEval_GetBuiltins(), "StopIteration");
	skipped = named("clock_skipped");
	canonic = named("clock_canonic");
	names.at_mark = named("clock_at_mark");
	names.breakpoint_here = named("clock_breakpoint_here");
	names.take_over = named("clock_take_over");
	names.unwanted = named("clock_unwanted");
	if (names.unwanted == names.nothing)
		names.unwanted = NULL;
	if (!frame_api())
		return false;
	names.ours = PyEval_GetGlobals();
	return true;
}

static void set(object **at, object *value)
{
	object *old = *at;

	if (value != NULL)
		Py_IncRef(value);
	*at = value;
	if (old != NULL)
		Py_DecRef(old);
}

void pdb_forget_frame(void)
{
	here.frame = NULL;
}

void pdb_drop(void)
{
	pdb_forget_frame();
	set(&work.pdb, NULL);
	set(&work.variables, NULL);
	set(&work.function, NULL);
	set(&work.canonical, NULL);
	set(&here.file, NULL);
}

bool pdb_take(object *pdb, bool fast, bool skipping, bool enters)
{
	object *variables = PyObject_GetAttrString(pdb, "__dict__"), *method = PyObject_GetAttrString(pdb, "trace_dispatch");
	object *function = method != NULL ? PyObject_GetAttrString(method, "__func__") : NULL, *canonical = PyDict_New();
	bool ok = variables != NULL && function != NULL && canonical != NULL;

	if (ok) {
		pdb_drop();
		set(&work.pdb, pdb);
		set(&work.variables, variables);
		set(&work.function, function);
		set(&work.canonical, canonical);
		work.fast = fast;
		work.skipping = skipping;
		work.enters = enters;
	}
	set(&variables, NULL);
	set(&method, NULL);
	set(&function, NULL);
	set(&canonical, NULL);
	return ok;
}

object *pdb_at_work(void)
{
	return work.pdb;
}

/* A variable of the Pdb at work; borrowed.  Its class has none of that name.  None at work: another thread has ended the run. */
static object *variable(object *name)
{
	return work.variables != NULL ? PyDict_GetItem(work.variables, name) : NULL;
}

static bool is_true(object *value)
{
	if (value == yes || value == no || value == NULL)
		return value == yes;
	return PyObject_IsTrue(value) == 1;
}

bool pdb_quitting(void)
{
	return work.pdb != NULL && is_true(variable(quitting));
}

bool pdb_owns(object *function)
{
	object *type = PyObject_Type(function), *answer;
	bool ours;

	Py_DecRef(type);
	if (type != method_type)
		return false;
	if (PyMethod_Self(function) == work.pdb && PyMethod_Function(function) == work.function)
		return true;
	answer = PyObject_CallFunctionObjArgs(names.take_over, function, NULL);
	ours = answer == yes;
	if (answer != NULL)
		Py_DecRef(answer);
	PyErr_Clear();
	return ours;
}

/* The canonical name of the frame's file; NULL: an exception is set. */
static object *file_of(object *frame)
{
	object *code, *name, *file;

	if (here.frame == frame)
		return here.file;
	code = frame_code(frame);
	name = code != NULL ? PyObject_GetAttr(code, filename) : NULL;
	file = name != NULL && work.canonical != NULL ? PyDict_GetItem(work.canonical, name) : NULL;
	set(&here.file, file);
	if (name != NULL && file == NULL && work.canonical != NULL) {
		here.file = PyObject_CallFunctionObjArgs(canonic, work.pdb, name, NULL);
		if (here.file != NULL && work.canonical != NULL && PyDict_SetItem(work.canonical, name, here.file) < 0)
			set(&here.file, NULL);
	}
	set(&name, NULL);
	set(&code, NULL);
	here.frame = here.file != NULL ? frame : NULL;
	here.first = -1;
	return here.file;
}

static int code_number(object *frame, object *attribute)
{
	object *code = frame_code(frame), *value = code != NULL ? PyObject_GetAttr(code, attribute) : NULL;
	long number = value != NULL ? PyLong_AsLong(value) : 0;

	set(&value, NULL);
	set(&code, NULL);
	return (int)number;
}

/* Is the frame's line among those, or the first of its function?  lines: list, set or dict.  -1: an exception is set. */
static int among(object *lines, object *frame)
{
	int numbers[2] = {frame_line(frame), 0}, found = 0;

	if (here.first < 0)
		here.first = code_number(frame, firstline);
	numbers[1] = here.first;
	for (int i = 0; i < 2 && found == 0; i++) {
		object *line = PyLong_FromLong(numbers[i]);

		found = line != NULL ? PySequence_Contains(lines, line) : -1;
		set(&line, NULL);
	}
	return found;
}

/* The lines of the frame's file in a dict, borrowed; NULL: none, or an exception is set. */
static object *lines_in(object *files, object *frame)
{
	object *file = files != NULL ? file_of(frame) : NULL;

	return file != NULL ? PyDict_GetItem(files, file) : NULL;
}

/* bdb does not stop at the StopIteration that ends a `yield from`. */
static bool internal(object *frame, object *arg)
{
	return arg != NULL && PyTuple_Size(arg) == 3 && PyTuple_GetItem(arg, 0) == stop_iteration
		&& PyTuple_GetItem(arg, 2) == names.nothing && code_number(frame, flags) & GENERATORS;
}

static bool new_line(object *frame)
{
	return !run.by_line || run.place != frame || run.place_line != frame_line(frame);
}

/* Takes the tick back in modules that are skipped. */
static bool skip(object *frame, bool *tick)
{
	object *answer;

	if (!*tick || !work.skipping || work.pdb == NULL)
		return true;
	answer = PyObject_CallFunctionObjArgs(skipped, work.pdb, frame, NULL);
	if (answer == NULL)
		return false;
	*tick = !is_true(answer);
	Py_DecRef(answer);
	return true;
}

bool pdb_judge(object *frame, int what, object *arg, struct verdict *verdict)
{
	object *stop, *lines;
	bool elsewhere;

	*verdict = (struct verdict){.ask = true};
	if (is_true(variable(quitting)) || is_true(variable(waiting)))
		return true;
	stop = variable(stopframe);
	elsewhere = work.fast && stop != NULL && stop != names.nothing && stop != frame;
	if (what == EVENT_LINE) {
		verdict->tick = new_line(frame);
		if (elsewhere) {
			lines = lines_in(variable(breaks), frame);
			verdict->ask = lines != NULL && among(lines, frame) != 0;
		}
	} else if (what == EVENT_CALL) {
		verdict->tick = variable(botframe) != names.nothing;
		if (elsewhere && verdict->tick) {
			/* Traced if its file has breakpoints; user_call() would do nothing. */
			verdict->ask = false;
			verdict->traced = lines_in(variable(breaks), frame) != NULL;
		}
	} else if (what == EVENT_RETURN) {
		verdict->tick = true;
		verdict->ask = !elsewhere || variable(returnframe) == frame;
	} else if (what == EVENT_EXCEPTION) {
		verdict->tick = !internal(frame, arg);
	}
	return !PyErr_Occurred() && skip(frame, &verdict->tick);
}

bool pdb_judge_unseen(object *frame, int what, object *arg, bool *tick)
{
	*tick = !is_true(variable(quitting)) && (what == EVENT_CALL || what == EVENT_RETURN
		|| (what == EVENT_LINE && new_line(frame)) || (what == EVENT_EXCEPTION && !internal(frame, arg)));
	return skip(frame, tick);
}

void pdb_pass(object *frame)
{
	if (work.enters && work.pdb != NULL && PyObject_SetAttr(work.pdb, enterframe, frame) < 0)
		PyErr_Clear();
}

int pdb_told_breakpoint(object *frame, bool after_call)
{
	object *lines = lines_in(run.breakpoints, frame), *answer;
	int here_or_not;

	if (lines == NULL || (here_or_not = among(lines, frame)) <= 0)
		return PyErr_Occurred() ? -1 : 0;
	answer = PyObject_CallFunctionObjArgs(names.breakpoint_here, work.pdb, frame, after_call ? yes : no, NULL);
	if (answer == NULL)
		return -1;
	here_or_not = is_true(answer) ? 8 : 0;
	Py_DecRef(answer);
	return here_or_not;
}
