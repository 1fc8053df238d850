/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/calls.h"

enum { SYSCALL = 0x050f };              /* the instruction, as x86 reads it */

static bool telling;
static bool first;                      /* no step has been made since tell_calls() */

__attribute__((visibility("default"))) void fred_tell_calls(int on);
void fred_tell_calls(int on)
{
	telling = first = on != 0;
}

object *py_tell_calls(object *self, object *args)
{
	fred_tell_calls((int)PyLong_AsLong(PyTuple_GetItem(args, 0)));
	return PyErr_Occurred() ? NULL : none();
}

bool call_is_told(ptrace_function *real, pid_t tid)
{
	struct __ptrace_syscall_info info = { 0 };
	bool began = first;

	first = false;
	if (!telling || real(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof info, &info) <= 0)
		return false;
	/* At another time it is a call that gdb does not catch: then a step ends it, and at the next instruction, as gdb thinks. */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		return began;
	return (real(PTRACE_PEEKTEXT, tid, (void *)info.instruction_pointer, NULL) & 0xffff) == SYSCALL;
}
