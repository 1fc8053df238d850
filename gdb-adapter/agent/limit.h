/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A `step` of gdb's that does not come to an end: the line is a loop, and gdb goes through it instruction by instruction. */
#ifndef GDB_ADAPTER_AGENT_LIMIT_H
#define GDB_ADAPTER_AGENT_LIMIT_H

#include "channel/agent/python_api.h"
#include "gdb-adapter/agent/ptrace.h"

/* gdb is about to make a request. */
void limit_steps(enum __ptrace_request request, pid_t tid);

/* limit_steps(n): after so many instructions from now on the program is stopped, by a SIGSTOP, so where it stands then is of no use; 0:
 * no longer.  True: it has been. */
object *py_limit_steps(object *self, object *args);

#endif
