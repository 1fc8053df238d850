/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/clock_control.h"

#include <limits.h>
#include <stddef.h>

#include "channel/agent/namespace.h"
#include "pdb-adapter/agent/clock_last.h"
#include "pdb-adapter/agent/clock_pdb.h"
#include "pdb-adapter/agent/clock_run.h"
#include "pdb-adapter/agent/clock_tape.h"
#include "pdb-adapter/agent/clock_watch.h"
#include "pdb-adapter/agent/frame.h"

static object *settrace;        /* the interpreter's own function; or what the program had put in its place */
static object *our_settrace;
static object *kept;            /* the global trace function while the clock is halted; NULL: none */

static object *settrace_followed(object *self, object *function);
static struct method_def settrace_method = {"settrace", settrace_followed, METH_O, NULL};

static void set(object **at, object *value)
{
	object *old = *at;

	if (value == names.nothing)
		value = NULL;
	if (value != NULL)
		Py_IncRef(value);
	*at = value;
	if (old != NULL)
		Py_DecRef(old);
}

static object *settrace_with(object *function)
{
	if (settrace == NULL)
		set(&settrace, PySys_GetObject("settrace"));
	return PyObject_CallFunctionObjArgs(settrace, function, NULL);
}

void control_settrace(object *function)
{
	object *done = settrace_with(function);

	if (done != NULL)
		Py_DecRef(done);
	else
		PyErr_Clear();
}

object *control_gettrace(void)
{
	object *function = PyObject_CallObject(PySys_GetObject("gettrace"), NULL);

	if (function == NULL)
		PyErr_Clear();
	if (function != names.nothing)
		return function;
	Py_DecRef(function);
	return NULL;
}

/* The program's sys.settrace() while a run is counted, and where it keeps it beyond that. */
static object *settrace_followed(object *self, object *function)
{
	bool follows = run.running && pthread_equal(run.thread, pthread_self());
	/* Asked before, as it may run Python: nobody must see that. */
	bool is_pdbs = follows && function != names.nothing && pdb_owns(function);
	object *done = settrace_with(function);

	if (done != NULL && follows)
		run_tracer_set(function, is_pdbs);
	return done;
}

void control_mark_frames(object *frame, bool on)
{
	for (; frame != NULL && names.unwanted != NULL; frame = frame_back(frame)) {
		object *function = frame_trace(frame);

		if (on && function == NULL)
			frame_set_trace(frame, names.unwanted);
		else if (!on && function == names.unwanted)
			frame_set_trace(frame, NULL);
		set(&function, NULL);
	}
}

/* Where pdb has turned tracing off, a program that has asked sys.gettrace() turns it on again by None. */
static enum tracer none_means(void)
{
	if (run.calling)
		return pdb_quitting() ? TRACER_NONE : TRACER_PDB_OFF;
	return run.pdb_is_off && run.tracer != TRACER_PDB_OFF ? TRACER_PDB_OFF : TRACER_NONE;
}

static void give_settrace_back(void)
{
	if (PySys_GetObject("settrace") == our_settrace)
		PySys_SetObject("settrace", settrace);
}

/* Whoever is being called by us meanwhile shall not go on as if it were still the same run. */
static void uncount(object *function, bool known)
{
	run.running = run.live = false;
	run.prompts++;
	last_end(run.count, known, run.counted);
	give_settrace_back();
	control_settrace(function != NULL ? function : names.nothing);
	pdb_drop();
	control_mark_frames(PyEval_GetFrame(), false);
}

void control_uncount(bool known)
{
	object *function = control_gettrace();

	uncount(function, known);
	set(&function, NULL);
}

void run_tracer_set(object *function, bool is_pdbs)
{
	enum tracer before = run.tracer;

	if (function == names.nothing)
		function = NULL;
	if (run.live && !is_pdbs) {
		uncount(function, false);
		return;
	}
	if (function != NULL)
		run.tracer = is_pdbs ? TRACER_PDB : TRACER_OTHER;
	else
		run.tracer = none_means();
	if (run.calling || is_pdbs)
		run.pdb_is_off = run.tracer == TRACER_PDB_OFF;
	run.unmarked = run.tracer == TRACER_PDB_OFF && names.unwanted != NULL;
	if (run.tracer == TRACER_OTHER || run.tracer == TRACER_NONE) {
		if (run.gap_from >= run.gap_to)
			run.gap_from = run.calling ? run.depth : frame_depth(PyEval_GetFrame());
		run.gap_to = INT_MAX;
	} else if (before == TRACER_OTHER || before == TRACER_NONE) {
		run.gap_to = frame_depth(PyEval_GetFrame());
	}
	run_install(function);
}

/* The n-th argument, NULL for None; borrowed. */
static object *argument(object *args, int n)
{
	object *value = PyTuple_GetItem(args, n);

	return value != names.nothing ? value : NULL;
}

static long long number(object *args, int n)
{
	return PyLong_AsLongLong(PyTuple_GetItem(args, n));
}

static object *nothing_or_error(void)
{
	return PyErr_Occurred() ? NULL : none();
}

object *py_clock_zero(object *self, object *args)
{
	object *left;

	if (!pdb_names_find() || (left = PyDict_New()) == NULL)
		return NULL;
	set(&run.left, left);
	set(&left, NULL);
	tape_clear();
	run.count = run.previous = 0;
	run.depth = 0;
	run.last = run.place = NULL;
	run.counted = true;
	run.by_line = number(args, 0) != 0;
	if (!number(args, 1)) {
		run.gap_from = run.gap_to = 0;
		run.pdb_is_off = false;
	}
	return none();
}

object *py_clock_pdb(object *self, object *args)
{
	if (!pdb_take(PyTuple_GetItem(args, 0), number(args, 1) != 0, number(args, 2) != 0, number(args, 3) != 0))
		return NULL;
	return nothing_or_error();
}

object *py_clock_set(object *self, object *args)
{
	run.limit = (uint64_t)number(args, 0);
	run.told = number(args, 1) != 0;
	set(&run.breakpoints, argument(args, 2));
	watch_set(argument(args, 3));
	run.until_depth = (int)number(args, 4);
	run.until_line = (int)number(args, 5);
	set(&run.until_numbers, argument(args, 6));
	pdb_forget_frame();
	return nothing_or_error();
}

/* sys.settrace() is ours from now on.  False: an exception is set. */
static bool follow_settrace(void)
{
	if (our_settrace == NULL) {
		object *module = PyUnicode_FromString("sys");

		our_settrace = PyCFunction_NewEx(&settrace_method, named("sys"), module);
		set(&module, NULL);
	}
	if (our_settrace == NULL)
		return false;
	if (PySys_GetObject("settrace") != our_settrace) {
		set(&settrace, PySys_GetObject("settrace"));
		PySys_SetObject("settrace", our_settrace);
	}
	run.thread = pthread_self();
	run.running = run.calling = true;
	run.at_once = false;
	return true;
}

bool control_arm(object *function)
{
	if (!follow_settrace())
		return false;
	run_tracer_set(function, function != NULL && pdb_owns(function));
	control_mark_frames(PyEval_GetFrame(), true);
	return !PyErr_Occurred();
}

object *py_clock_arm(object *self, object *args)
{
	object *function = NULL;

	if (number(args, 0)) {
		if (!follow_settrace())
			return NULL;
		set(&function, kept);
		run_install(function);
		control_mark_frames(PyEval_GetFrame(), true);
	} else {
		function = control_gettrace();
		control_arm(function);
	}
	set(&function, NULL);
	set(&kept, NULL);
	return nothing_or_error();
}

object *py_clock_count(object *self, object *args)
{
	object *function = control_gettrace();

	/* Where pdb has set no trace function yet, at a breakpoint() say, it is none of its runs. */
	if (function != NULL && pdb_owns(function)) {
		last_begin();
		run.live = true;
		if (!control_arm(function))
			run.live = false;
	} else {
		pdb_drop();
	}
	set(&function, NULL);
	return nothing_or_error();
}

object *py_clock_uncount(object *self, object *args)
{
	bool live = run.live, ours = live && pthread_equal(run.thread, pthread_self());

	if (live)
		control_uncount(ours);
	return PyBool_FromLong(live);
}

object *py_clock_halt(object *self, object *args)
{
	object *function = control_gettrace();

	run.running = false;
	give_settrace_back();
	control_settrace(function != NULL ? function : names.nothing);
	set(&kept, function);
	set(&function, NULL);
	return nothing_or_error();
}

object *py_clock_drop(object *self, object *args)
{
	set(&kept, NULL);
	set(&run.breakpoints, NULL);
	watch_set(NULL);
	pdb_drop();
	control_mark_frames(argument(args, 0), false);
	return nothing_or_error();
}

object *py_clock_prompt(object *self, object *args)
{
	run.prompts++;
	return none();
}

object *py_clock_state(object *self, object *args)
{
	return Py_BuildValue("(iLiLL)", (int)run.running, (long long)run.count, (int)run.counted, (long long)tape_way(),
			     (long long)run.prompts);
}

object *py_clock_send(object *self, object *args)
{
	tape_send(run.count);
	return none();
}

object *py_clock_left(object *self, object *args)
{
	object *tick = run.left != NULL ? PyDict_GetItem(run.left, PyTuple_GetItem(args, 0)) : NULL;

	return tick != NULL ? Py_BuildValue("O", tick) : Py_BuildValue("L", (long long)run.count);
}
