/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdb steps a line instruction by instruction, and thinks 0.1 ms at each.  Where instructions follow each other without a
 * jump, a call or another line in between, it only goes on; so the program is let run over them, to the last one, by
 * a breakpoint that gdb never hears of.  That one gdb steps.  (gdb's remote protocol has the same as range stepping.)
 *
 * What happens on the way, a breakpoint of gdb's, a watchpoint, a signal, the end of the program, is left for gdb to
 * find, as if the step had led there.  Only for a program of one thread: another one could come to our breakpoint. */
#ifndef GDB_ADAPTER_AGENT_STRIDE_H
#define GDB_ADAPTER_AGENT_STRIDE_H

#include <stdbool.h>
#include "channel/agent/python_api.h"
#include "gdb-adapter/agent/ptrace.h"

/* gdb is about to make a request; with signal 0 if it is to step.  True: no step is needed, as something has stopped
 * the program, which gdb will wait for. */
bool stride(ptrace_function *real, enum __ptrace_request request, pid_t tid, long signal);

/* stride(pid): from now on steps of that process are strides; 0: none's. */
object *py_stride(object *self, object *args);
/* stride_learn([at, to, at, to, ...]): from the instruction `at` to `to` it goes straight on.  False: there is no room, and
 * all is forgotten.  An empty list forgets all, too. */
object *py_stride_learn(object *self, object *args);
/* stride_missed(): [at, ...], from where single steps were made since the last time that nothing had been learnt of. */
object *py_stride_missed(object *self, object *args);

#endif
