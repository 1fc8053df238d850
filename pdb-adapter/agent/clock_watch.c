/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/clock_watch.h"

#include <stddef.h>

#include "pdb-adapter/agent/clock_pdb.h"
#include "pdb-adapter/agent/clock_run.h"
#include "pdb-adapter/agent/frame.h"

enum {
	MOST_NAMES = 8,
	WALK = 20,              /* frames from a tick to the watched one, on the average */
};

/* How the function is called: (frame or None, reset, count). */
enum reset { GOES_ON, OTHER_ACTIVATION, TOO_FAR };

static struct {
	object *with, *function, *names, *types;        /* the tuple and what is in it */
	int level;              /* depth of the watched frame */
	int returned;           /* the depth that the last tick returned from, or 0 */
	bool away;              /* the function knows that no such frame is there */
	uint64_t walked;
	ssize_t n;              /* names; 0: it is looked at at every tick */
	bool known;             /* what follows is of the last tick */
	object *values[MOST_NAMES];     /* references of ours; NULL: the name means nothing */
	bool constant[MOST_NAMES];      /* an object of one of the types */
} watch;

static void forget(void)
{
	for (int i = 0; i < MOST_NAMES; i++) {
		if (watch.values[i] != NULL)
			Py_DecRef(watch.values[i]);
		watch.values[i] = NULL;
	}
	watch.known = false;
}

void watch_set(object *with)
{
	if (with == watch.with)
		return;
	forget();
	if (watch.with != NULL)
		Py_DecRef(watch.with);
	watch.with = with;
	if (with == NULL)
		return;
	Py_IncRef(with);
	watch.function = PyTuple_GetItem(with, 0);
	watch.level = (int)PyLong_AsLong(PyTuple_GetItem(with, 1));
	watch.returned = (int)PyLong_AsLong(PyTuple_GetItem(with, 2));
	watch.names = PyTuple_GetItem(with, 3);
	watch.types = PyTuple_GetItem(with, 4);
	watch.n = PyTuple_Size(watch.names) <= MOST_NAMES ? PyTuple_Size(watch.names) : 0;
	watch.walked = 0;
	watch.away = false;
}

static bool is_constant(object *value)
{
	object *type;

	if (value == NULL)
		return true;
	type = PyObject_Type(value);
	Py_DecRef(type);        /* the object holds it */
	for (ssize_t i = 0; i < PyTuple_Size(watch.types); i++)
		if (PyTuple_GetItem(watch.types, i) == type)
			return true;
	return false;
}

/* What the name means in the frame; a new reference, NULL: nothing. */
static object *meaning(object *locals, object *frame, object *name)
{
	object *value = PyObject_GetItem(locals, name), *globals;

	if (value != NULL)
		return value;
	PyErr_Clear();
	globals = frame_globals(frame);
	value = globals != NULL ? PyObject_GetItem(globals, name) : NULL;
	if (globals != NULL)
		Py_DecRef(globals);
	PyErr_Clear();
	return value;
}

/* Do the names mean what they did at the last tick?  Keeps what they mean. */
static bool as_before(object *frame)
{
	object *locals = watch.n > 0 ? frame_locals(frame) : NULL;
	bool same = watch.known && locals != NULL;

	for (ssize_t i = 0; i < watch.n && locals != NULL; i++) {
		object *value = meaning(locals, frame, PyTuple_GetItem(watch.names, i)), *old = watch.values[i];

		if (value != old || !watch.known) {
			same = false;
			watch.values[i] = value;
			watch.constant[i] = is_constant(value);
			value = old;
		}
		same = same && watch.constant[i];
		if (value != NULL)
			Py_DecRef(value);
	}
	watch.known = locals != NULL;
	if (locals != NULL)
		Py_DecRef(locals);
	return same;
}

static bool look(object *frame, enum reset reset, uint64_t count)
{
	object *r = PyLong_FromLong(reset), *n = PyLong_FromLongLong((long long)count), *answer = NULL, *with = watch.with;

	Py_IncRef(with);        /* another thread may end the run meanwhile */
	if (r != NULL && n != NULL)
		answer = PyObject_CallFunctionObjArgs(watch.function, frame != NULL ? frame : names.nothing, r, n, NULL);
	if (r != NULL)
		Py_DecRef(r);
	if (n != NULL)
		Py_DecRef(n);
	if (answer == names.nothing) {          /* it has given up */
		watch_set(NULL);
		watch.n = 0;
	}
	if (answer != NULL)
		Py_DecRef(answer);
	Py_DecRef(with);
	return answer != NULL;
}

bool watch_tick(object *frame, int what, int depth, uint64_t count)
{
	/* As the stack of activations is rebuilt from a trace. */
	bool other = depth < watch.level || (depth == watch.level && what == EVENT_CALL) ||
		(watch.returned != 0 && watch.returned <= watch.level && depth > watch.returned);
	bool was_away = watch.away;

	if (watch.with == NULL)
		return true;
	watch.returned = what == EVENT_RETURN ? depth : 0;
	watch.away = depth < watch.level;
	if (watch.away) {
		forget();
		return was_away || look(NULL, OTHER_ACTIVATION, count);
	}
	watch.walked += (uint64_t)(depth - watch.level);
	if (watch.walked > WALK * (count + 10000))
		return look(NULL, TOO_FAR, count);
	for (int i = depth; i > watch.level && frame != NULL; i--)
		frame = frame_back(frame);
	if (frame == NULL)
		return true;
	if (other)
		forget();
	if (watch.known && as_before(frame))
		return true;
	if (!look(frame, other ? OTHER_ACTIVATION : GOES_ON, count))
		return false;
	/* Not before the function has seen that the frame's name spaces are plain dicts. */
	if (watch.with != NULL && !watch.known)
		as_before(frame);
	return true;
}
