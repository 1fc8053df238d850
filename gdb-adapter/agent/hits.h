/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints that are only counted (hits.py), at a fifth of what each costs gdb: of a stop at one of them gdb's waitpid() does
 * not tell.  The instruction is stepped, and the program goes on.
 *
 * gdb has inserted them, and is told of all other stops, and of the hit that is waited for.  Only for a program of one thread, and places
 * where gdb has no other breakpoint. */
#ifndef GDB_ADAPTER_AGENT_HITS_H
#define GDB_ADAPTER_AGENT_HITS_H

#include <stdbool.h>
#include "channel/agent/python_api.h"
#include "gdb-adapter/agent/ptrace.h"

/* waitpid() has told of that stop of the thread, which gdb had let run by `request`.  The status of a later one that gdb shall
 * hear of, or the same. */
int hits_pass(ptrace_function *real, enum __ptrace_request request, pid_t tid, int status);

/* hits_arm(pid, number, [pc, byte, pc, byte, ...]): from now on that process's hits there, where the bytes are those of the program, are
 * counted from 0, but gdb hears of the hit of that number, 0: of none.  pid 0: no more. */
object *py_hits_arm(object *self, object *args);
/* hits_count(n): that many more, which gdb has heard of.  How many now? */
object *py_hits_count(object *self, object *args);

#endif
