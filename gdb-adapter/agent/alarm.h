/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The trail's alarm (ckpt/alarm.c): a stop in the middle of a command that gdb's event loop never sees.
 *
 * gdb asks the kernel what has become of its program, with waitpid().  A stop of that alarm's is told to fredapp instead,
 * which takes a snapshot of gdb and the program, both standing still, and has it go on: gdb hears that nothing has happened.  In a session
 * that is restored from that snapshot fredapp may say the opposite: then it is a SIGTRAP like others. */
#ifndef GDB_ADAPTER_AGENT_ALARM_H
#define GDB_ADAPTER_AGENT_ALARM_H

#include "gdb-adapter/agent/ptrace.h"

/* gdb lets a thread run by that request, if it is one that does. */
void alarm_resumes(ptrace_function *real, enum __ptrace_request request, pid_t tid);

#endif
