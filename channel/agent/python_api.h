/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of CPython's interface that the agent calls.
 *
 * One build serves CPython 3.8 to 3.14: every function of the interpreter is found by dlsym(), no header of Python is
 * read, and only functions that all these versions export are called.  Objects are opaque. */
#ifndef CHANNEL_AGENT_PYTHON_API_H
#define CHANNEL_AGENT_PYTHON_API_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct object object;
typedef object *(*c_function)(object *self, object *args);
struct method_def {             /* PyMethodDef */
	const char *name;
	c_function call;
	int flags;
	const char *doc;
};
enum { METH_VARARGS = 1, METH_NOARGS = 4, METH_O = 8, FILE_INPUT = 257 };

#define PYTHON(X) \
	X(int, Py_IsInitialized, (void)) \
	X(int, PyGILState_Ensure, (void)) \
	X(void, PyGILState_Release, (int)) \
	X(int, PyGILState_Check, (void)) \
	X(int, PySys_AddAuditHook, (int (*)(const char *, object *, void *), void *)) \
	X(object *, PySys_GetObject, (const char *)) \
	X(int, PySys_SetObject, (const char *, object *)) \
	X(object *, PyDict_New, (void)) \
	X(int, PyDict_SetItemString, (object *, const char *, object *)) \
	X(object *, PyDict_GetItemString, (object *, const char *)) \
	X(int, PyDict_SetItem, (object *, object *, object *)) \
	X(object *, PyDict_GetItem, (object *, object *)) \
	X(object *, PyEval_GetBuiltins, (void)) \
	X(object *, PyEval_GetGlobals, (void)) \
	X(void, PyEval_SetTrace, (int (*)(object *, object *, int, object *), object *)) \
	X(object *, PyEval_EvalCode, (object *, object *, object *)) \
	X(object *, PyEval_GetFrame, (void)) \
	X(void *, PyEval_SaveThread, (void)) \
	X(void, PyEval_RestoreThread, (void *)) \
	X(object *, Py_CompileString, (const char *, const char *, int)) \
	X(object *, Py_BuildValue, (const char *, ...)) \
	X(void, Py_IncRef, (object *)) \
	X(void, Py_DecRef, (object *)) \
	X(object *, PyUnicode_FromString, (const char *)) \
	X(object *, PyUnicode_InternFromString, (const char *)) \
	X(int, PyUnicode_CompareWithASCIIString, (object *, const char *)) \
	X(object *, PyObject_GetAttrString, (object *, const char *)) \
	X(object *, PyObject_GetAttr, (object *, object *)) \
	X(int, PyObject_SetAttr, (object *, object *, object *)) \
	X(int, PyObject_IsTrue, (object *)) \
	X(object *, PyObject_Type, (object *)) \
	X(object *, PyObject_GetItem, (object *, object *)) \
	X(int, PyObject_SetItem, (object *, object *, object *)) \
	X(object *, PyObject_CallObject, (object *, object *)) \
	X(object *, PyObject_CallFunctionObjArgs, (object *, ...)) \
	X(int, PyObject_IsInstance, (object *, object *)) \
	X(object *, PyCFunction_NewEx, (struct method_def *, object *, object *)) \
	X(long, PyLong_AsLong, (object *)) \
	X(long long, PyLong_AsLongLong, (object *)) \
	X(object *, PyLong_FromLong, (long)) \
	X(object *, PyLong_FromLongLong, (long long)) \
	X(object *, PyLong_FromVoidPtr, (void *)) \
	X(object *, PyBool_FromLong, (long)) \
	X(object *, PyMethod_Self, (object *)) \
	X(object *, PyMethod_Function, (object *)) \
	X(int, PySequence_Contains, (object *, object *)) \
	X(int, PyFrame_GetLineNumber, (object *)) \
	X(int, PyTraceBack_Here, (object *)) \
	X(int, PyBytes_AsStringAndSize, (object *, char **, ssize_t *)) \
	X(object *, PyBytes_FromStringAndSize, (const char *, ssize_t)) \
	X(object *, PyTuple_GetItem, (object *, ssize_t)) \
	X(ssize_t, PyTuple_Size, (object *)) \
	X(object *, PyList_GetItem, (object *, ssize_t)) \
	X(ssize_t, PyList_Size, (object *)) \
	X(object *, PyList_New, (ssize_t)) \
	X(int, PyList_Append, (object *, object *)) \
	X(int, PyErr_CheckSignals, (void)) \
	X(object *, PyErr_Occurred, (void)) \
	X(void, PyErr_Clear, (void)) \
	X(void, PyErr_Fetch, (object **, object **, object **)) \
	X(void, PyErr_Restore, (object *, object *, object *)) \
	X(void, PyErr_Print, (void)) \
	X(void, PyErr_SetString, (object *, const char *))

/* Pointers of the functions' own names; hidden in the library, so that the interpreter's stay what they are. */
#define DECLARE(result, name, args) extern result (*name) args;
PYTHON(DECLARE)
#undef DECLARE

/* False: this Python lacks one of them. */
bool python_find(void);

/* New references. */
object *none(void);
object *boolean(bool value);

/* Is an attribute of o the object `what`? */
bool has(object *o, const char *attr, object *what);

#endif
