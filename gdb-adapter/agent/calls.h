/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel tells nobody of a system call over which a program is led by PTRACE_SINGLESTEP (ptrace(2)), so `catch syscall`
 * stops gdb at one only while the program runs on.  The statement clock leads a program that ran on by steps: where it did,
 * a step over a system call is PTRACE_SYSCALL, and gdb catches what it caught then.  (But for the return from a call whose
 * entry was caught and let pass, by an ignore count or a condition: gdb goes on from there as from one that it does not catch.) */
#ifndef GDB_ADAPTER_AGENT_CALLS_H
#define GDB_ADAPTER_AGENT_CALLS_H

#include <stdbool.h>
#include "channel/agent/python_api.h"
#include "gdb-adapter/agent/ptrace.h"

/* gdb is about to step the thread: shall it be told of the system call that the step makes? */
bool call_is_told(ptrace_function *real, pid_t tid);

/* tell_calls(on): from now on it shall, that is 1, or shall not.  Before each command that steps: one that begins at
 * the entry of a call, to which a former one has led, is told of its end, too. */
object *py_tell_calls(object *self, object *args);

#endif
