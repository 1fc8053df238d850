/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/agent/python_api.h"

#include <dlfcn.h>
#include <stdint.h>

#define DEFINE(result, name, args) result (*name) args;
PYTHON(DEFINE)

bool python_find(void)
{
#define FIND(result, name, args) \
	if ((name = (result (*) args)(uintptr_t)dlsym(RTLD_DEFAULT, #name)) == NULL) \
		return false;
	PYTHON(FIND)
	return true;
}

object *none(void)
{
	return Py_BuildValue("");
}

object *boolean(bool value)
{
	return Py_BuildValue("i", value ? 1 : 0);
}

bool has(object *o, const char *attr, object *what)
{
	object *v = PyObject_GetAttrString(o, attr);

	if (v == NULL)
		PyErr_Clear();
	else
		Py_DecRef(v);
	return v != NULL && v == what;
}
