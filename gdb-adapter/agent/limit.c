/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/limit.h"

#include <signal.h>
#include <stdbool.h>

static long left;       /* 0: there is no limit */
static bool reached;

void limit_steps(enum __ptrace_request request, pid_t tid)
{
	if (request != PTRACE_SINGLESTEP || left == 0 || --left > 0)
		return;
	reached = true;
	kill(tid, SIGSTOP);
}

static bool set_limit(long most)
{
	bool was = reached;

	left = most;
	reached = false;
	return was;
}

/* For the tests' harness, as in stride.c. */
__attribute__((visibility("default"))) int fred_limit_steps(long most);
int fred_limit_steps(long most)
{
	return set_limit(most);
}

object *py_limit_steps(object *self, object *args)
{
	bool was = set_limit(PyLong_AsLong(PyTuple_GetItem(args, 0)));

	return PyErr_Occurred() ? NULL : boolean(was);
}
