/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/frame.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Each came with the version named, or went. */
static object *(*get_back)(object *);           /* 3.9 */
static object *(*get_code)(object *);           /* 3.9 */
static int (*get_instruction)(object *);        /* 3.11 */
static int (*fast_to_locals)(object *);
static void (*locals_to_fast)(object *, int);

/* In 3.11 and 3.12 a frame's variables are shown again only if somebody has read f_locals since they were taken.  No function
 * tells; the frame's f_fast_as_locals does, which is the byte that becomes 1 when they are shown. */
static size_t shown_at;                         /* its offset; 0: there is no such thing */

static object *no_object, *name_back, *name_code, *name_globals, *name_locals, *name_instruction, *name_trace;

static void find_shown(object *frame)
{
	enum { FROM = 0x18, TO = 0x48 };        /* behind the header, and before the variables */
	char before[TO];
	const char *now = (const char *)frame;

	memcpy(before, now, TO);
	if (fast_to_locals(frame) < 0)
		PyErr_Clear();
	for (size_t i = FROM; i < TO; i++)
		if (before[i] == 0 && now[i] == 1)
			shown_at = i;
	locals_to_fast(frame, 0);
}

bool frame_api(void)
{
	if (name_trace != NULL)
		return true;
	get_back = (object *(*)(object *))(uintptr_t)dlsym(RTLD_DEFAULT, "PyFrame_GetBack");
	get_code = (object *(*)(object *))(uintptr_t)dlsym(RTLD_DEFAULT, "PyFrame_GetCode");
	get_instruction = (int (*)(object *))(uintptr_t)dlsym(RTLD_DEFAULT, "PyFrame_GetLasti");
	fast_to_locals = (int (*)(object *))(uintptr_t)dlsym(RTLD_DEFAULT, "PyFrame_FastToLocalsWithError");
	locals_to_fast = (void (*)(object *, int))(uintptr_t)dlsym(RTLD_DEFAULT, "PyFrame_LocalsToFast");
	if (fast_to_locals != NULL && locals_to_fast != NULL && get_instruction != NULL)
		find_shown(PyEval_GetFrame());
	no_object = none();
	name_back = PyUnicode_InternFromString("f_back");
	name_code = PyUnicode_InternFromString("f_code");
	name_globals = PyUnicode_InternFromString("f_globals");
	name_locals = PyUnicode_InternFromString("f_locals");
	name_instruction = PyUnicode_InternFromString("f_lasti");
	name_trace = PyUnicode_InternFromString("f_trace");
	return no_object != NULL && name_back != NULL && name_code != NULL && name_globals != NULL && name_locals != NULL &&
		name_instruction != NULL && name_trace != NULL;
}

static object *attribute(object *frame, object *name)
{
	object *value = PyObject_GetAttr(frame, name);

	if (value == NULL)
		PyErr_Clear();
	if (value != no_object)
		return value;
	Py_DecRef(value);
	return NULL;
}

object *frame_code(object *frame)
{
	return get_code != NULL ? get_code(frame) : attribute(frame, name_code);
}

object *frame_globals(object *frame)
{
	return attribute(frame, name_globals);
}

object *frame_locals(object *frame)
{
	return attribute(frame, name_locals);
}

object *frame_back(object *frame)
{
	object *back = get_back != NULL ? get_back(frame) : attribute(frame, name_back);

	if (back != NULL)
		Py_DecRef(back);
	return back;
}

int frame_depth(object *frame)
{
	int depth = 0;

	for (; frame != NULL; frame = frame_back(frame))
		depth++;
	return depth;
}

int frame_line(object *frame)
{
	return PyFrame_GetLineNumber(frame);
}

int frame_instruction(object *frame)
{
	object *value;
	long at;

	if (get_instruction != NULL)
		return get_instruction(frame);
	value = attribute(frame, name_instruction);
	at = value != NULL ? PyLong_AsLong(value) : -1;
	if (value != NULL)
		Py_DecRef(value);
	return (int)at;
}

object *frame_trace(object *frame)
{
	return attribute(frame, name_trace);
}

void frame_set_trace(object *frame, object *function)
{
	object *type, *value, *trace;

	PyErr_Fetch(&type, &value, &trace);
	if (PyObject_SetAttr(frame, name_trace, function != NULL ? function : no_object) < 0)
		PyErr_Clear();
	PyErr_Restore(type, value, trace);
}

bool frame_show_locals(object *frame)
{
	bool needed = get_instruction == NULL || (shown_at != 0 && ((const char *)frame)[shown_at] != 0);

	return !needed || fast_to_locals == NULL || fast_to_locals(frame) == 0;
}

void frame_take_locals(object *frame)
{
	if (locals_to_fast != NULL)
		locals_to_fast(frame, 1);
}
