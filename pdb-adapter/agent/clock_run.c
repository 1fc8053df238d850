/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/clock_run.h"

#include <limits.h>

#include "pdb-adapter/agent/clock_control.h"
#include "pdb-adapter/agent/clock_last.h"
#include "pdb-adapter/agent/clock_pdb.h"
#include "pdb-adapter/agent/clock_tape.h"
#include "pdb-adapter/agent/clock_watch.h"
#include "pdb-adapter/agent/frame.h"

struct run run;

void run_install(object *function)
{
	PyEval_SetTrace(run_event, function);
}

/* As CPython calls a Python trace function.  NULL: it has failed. */
static object *call(object *function, object *frame, int what, object *arg)
{
	object *result;

	if (!frame_show_locals(frame))
		return NULL;
	result = PyObject_CallFunctionObjArgs(function, frame, names.events[what], arg != NULL ? arg : names.nothing, NULL);
	frame_take_locals(frame);
	if (result == NULL)
		PyTraceBack_Here(frame);
	return result;
}

/* A trace function has raised an exception: it goes to the program, and nothing is traced any more. */
static int fail(object *frame)
{
	run.calling = run.pdb_is_off = false;
	if (run.running)
		run_tracer_set(NULL, false);
	else
		PyEval_SetTrace(NULL, NULL);
	frame_set_trace(frame, NULL);
	return -1;
}

static void keep(object *frame, object *result)
{
	if (result != names.nothing)
		frame_set_trace(frame, result);
}

/* The event goes to a function that has nothing to do with us. */
static int hand_on(object *function, object *frame, int what, object *arg)
{
	object *result = call(function, frame, what, arg);

	if (result == NULL)
		return fail(frame);
	keep(frame, result);
	Py_DecRef(result);
	return 0;
}

/* The frame's trace function; NULL: none.  A new reference. */
static object *function_of(object *global, object *frame, int what)
{
	object *function;

	if (global == NULL)
		return NULL;
	if (what == EVENT_CALL) {
		Py_IncRef(global);
		return global;
	}
	function = frame_trace(frame);
	if (function == NULL || function != names.unwanted)
		return function;
	Py_DecRef(function);
	return NULL;
}

/* Another thread's run, or one that another thread has ended: CPython's own function takes our place. */
static int leave(object *global, object *frame, int what, object *arg)
{
	object *function = function_of(global, frame, what);
	int result;

	if (global != NULL)
		Py_IncRef(global);      /* 3.9 drops it before it takes it anew */
	control_settrace(global != NULL ? global : names.nothing);
	if (global != NULL)
		Py_DecRef(global);
	if (function == NULL)
		return 0;
	result = hand_on(function, frame, what, arg);
	Py_DecRef(function);
	return result;
}

/* Where are we?  The depth of the frame; run.last and run.depth are then those of the frame that runs after the event. */
static int follow(object *frame, int what)
{
	int depth;

	if (what == EVENT_CALL) {
		run.depth = frame_back(frame) == run.last && run.last != NULL ? run.depth + 1 : frame_depth(frame);
		pdb_forget_frame();
	} else if (frame != run.last) {
		run.depth = frame_depth(frame);
	}
	run.last = frame;
	depth = run.depth;
	if (what == EVENT_RETURN) {
		run.last = frame_back(frame);
		run.depth--;
		pdb_forget_frame();
		if (run.gap_from > run.depth)
			run.gap_from = run.depth;
		if (run.gap_to > run.depth && run.gap_to != INT_MAX)
			run.gap_to = run.depth;
	}
	return depth;
}

static bool in_gap(int depth)
{
	return depth > run.gap_from && depth <= run.gap_to;
}

/* Frames of the agent's are none of the program's: at a post-mortem prompt they may be traced. */
static bool is_ours(object *frame, int what)
{
	object *globals;

	if (frame == run.last && what != EVENT_CALL)
		return false;
	globals = frame_globals(frame);
	if (globals != NULL)
		Py_DecRef(globals);
	return globals == names.ours;
}

static bool note_left(object *frame)
{
	object *key = PyLong_FromVoidPtr(frame), *tick = PyLong_FromLongLong((long long)run.count);
	bool ok = key != NULL && tick != NULL && PyDict_SetItem(run.left, key, tick) == 0;

	if (key != NULL)
		Py_DecRef(key);
	if (tick != NULL)
		Py_DecRef(tick);
	return ok;
}

/* False: an exception is set. */
static bool count_tick(object *frame, int what, object *arg, int depth)
{
	static const uint32_t kinds[] = {KIND_CALL, KIND_EXCEPTION, KIND_LINE, KIND_RETURN};
	uint32_t value = (uint32_t)depth << 4 | kinds[what];

	run.count++;
	run.place = frame;
	run.place_line = -1;
	if (run.by_line)
		run.place_line = frame_line(frame);
	if (run.live) {
		last_tick((uint32_t)depth, run.count);
		return true;
	}
	if (what == EVENT_RETURN && (arg == NULL || arg == names.nothing) && !note_left(frame))
		return false;
	if (run.told && run.breakpoints != NULL) {
		int there = what != EVENT_LINE ? 0 : pdb_told_breakpoint(frame, (run.previous & 7) == KIND_CALL);

		if (there < 0)
			return false;
		run.previous = value;
		value |= (uint32_t)there;
	}
	if (run.told && !watch_tick(frame, what, depth, run.count))
		return false;
	tape_tick(run.count, value, frame_instruction(frame), run.told);
	return true;
}

/* The limit, or where the run may be over: clock.py decides. */
static int at_mark(object *frame, int what, object *arg)
{
	object *arg_or_none = arg != NULL ? arg : names.nothing, *result = NULL;
	bool user_has_gone_on;

	run.calling = true;
	if (frame_show_locals(frame))
		result = PyObject_CallFunctionObjArgs(names.at_mark, pdb_at_work(), frame, names.events[what], arg_or_none, NULL);
	frame_take_locals(frame);
	if (result == NULL) {
		PyTraceBack_Here(frame);
		return fail(frame);
	}
	/* A tuple: the user has, from the halt, and pdb wants its content as f_trace. */
	user_has_gone_on = result != names.nothing;
	if (user_has_gone_on)
		keep(frame, PyTuple_GetItem(result, 0));
	else
		run.calling = false;
	Py_DecRef(result);
	return 0;
}

static int halt_at_once(object *frame)
{
	run.at_once = false;
	return at_mark(frame, EVENT_LINE, NULL);
}

static bool is_number(object *value, object *wanted)
{
	object *types[2] = {PyObject_Type(value), PyObject_Type(wanted)};
	bool same = types[0] == types[1] && PyLong_AsLongLong(value) == PyLong_AsLongLong(wanted);

	PyErr_Clear();                  /* too large a number */
	Py_DecRef(types[0]);
	Py_DecRef(types[1]);
	return same;
}

static bool has_numbers(object *frame)
{
	object *locals = run.until_numbers != NULL ? frame_locals(frame) : NULL;
	bool has = true;

	for (ssize_t i = 0; locals != NULL && has && i < PyTuple_Size(run.until_numbers); i++) {
		object *pair = PyTuple_GetItem(run.until_numbers, i), *value = PyObject_GetItem(locals, PyTuple_GetItem(pair, 0));

		if (value == NULL)
			PyErr_Clear();
		has = value != NULL && is_number(value, PyTuple_GetItem(pair, 1));
		if (value != NULL)
			Py_DecRef(value);
	}
	if (locals != NULL)
		Py_DecRef(locals);
	return has;
}

static bool is_mark(object *frame, int depth)
{
	return run.count >= run.limit || (depth == run.until_depth && frame_line(frame) == run.until_line && has_numbers(frame));
}

/* pdb's trace function for the frame, if it has anything to do.  *over: pdb has stopped, the run is over. */
static int ask_pdb(object *function, object *frame, int what, object *arg, const struct verdict *verdict, bool *over)
{
	unsigned prompts = run.prompts;
	object *result;

	if (!verdict->ask) {
		if (!frame_show_locals(frame))
			return fail(frame);
		frame_take_locals(frame);
		pdb_pass(frame);
		if (verdict->traced)
			frame_set_trace(frame, function);
		return 0;
	}
	run.calling = true;
	result = call(function, frame, what, arg);
	*over = run.prompts != prompts;
	if (result == NULL)
		return fail(frame);
	if (!*over)
		run.calling = false;
	keep(frame, result);
	Py_DecRef(result);
	return 0;
}

/* As control_mark_frames(), for a frame that is new. */
static void see_to_line(object *frame)
{
	object *function = names.unwanted != NULL ? frame_trace(frame) : NULL;

	if (function != NULL)
		Py_DecRef(function);
	else if (names.unwanted != NULL)
		frame_set_trace(frame, names.unwanted);
}

static int pdb_event(object *function, object *frame, int what, object *arg, int depth)
{
	struct verdict verdict = {.tick = false};
	unsigned prompts = run.prompts;
	bool over = false, ok;

	if (function != NULL)
		ok = pdb_judge(frame, what, arg, &verdict);
	else
		ok = pdb_judge_unseen(frame, what, arg, &verdict.tick);
	run.counted = verdict.tick;
	if (!ok || (verdict.tick && !count_tick(frame, what, arg, depth))) {
		PyTraceBack_Here(frame);
		return fail(frame);
	}
	if (run.prompts != prompts)     /* Python has run: another thread has come to a prompt */
		return function != NULL ? hand_on(function, frame, what, arg) : 0;
	if (function != NULL && ask_pdb(function, frame, what, arg, &verdict, &over) < 0)
		return -1;
	if (over)
		return 0;
	see_to_line(frame);
	return verdict.tick && is_mark(frame, depth) ? at_mark(frame, what, arg) : 0;
}

int run_event(object *global, object *frame, int what, object *arg)
{
	object *function;
	int depth, result = 0;

	if (!run.running || !pthread_equal(run.thread, pthread_self()))
		return leave(global, frame, what, arg);
	run.calling = false;
	if (is_ours(frame, what))
		return run.at_once && what == EVENT_CALL ? halt_at_once(frame_back(frame)) : 0;
	if (run.unmarked) {
		run.unmarked = false;
		control_mark_frames(frame, true);
	}
	depth = follow(frame, what);
	if (run.tracer == TRACER_NONE)
		return 0;
	function = function_of(global, frame, what);
	if (function == NULL ? !in_gap(depth) : pdb_owns(function))
		result = pdb_event(function, frame, what, arg, depth);
	else if (function != NULL)
		result = hand_on(function, frame, what, arg);
	if (function != NULL)
		Py_DecRef(function);
	return result;
}
