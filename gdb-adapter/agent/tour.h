/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A loop within one line: `step` goes round it until the line is left, and gdb thinks at each instruction.  So the program is let run
 * to wherever it may leave the line, by breakpoints that gdb never hears of: a tour, as fast as the program itself.
 *
 * Its *span* are the instructions that may be executed more than once.  Where gdb has a breakpoint in it none is made: gdb takes it out to go on
 * from there, and the program would come by again meanwhile. */
#ifndef GDB_ADAPTER_AGENT_TOUR_H
#define GDB_ADAPTER_AGENT_TOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel/agent/python_api.h"
#include "gdb-adapter/agent/ptrace.h"

enum { TOUR_EXITS = 16 };
enum tour_end {
	TOUR_NONE,      /* nothing has been run */
	TOUR_OURS,      /* it is at one of the places */
	TOUR_GDBS,      /* something else has stopped the program, which gdb will wait for */
};

/* On to the first of those instructions, at none of which it is; n of them, at most TOUR_EXITS.  stepped: gdb takes it for the step that it
 * has asked for, and will wait for it; else it hears nothing of it. */
enum tour_end tour_run(ptrace_function *real, pid_t tid, const uint64_t *to, size_t n, bool stepped);
/* gdb is about to step from pc.  True: that has been done, and something has stopped the program, which gdb will wait for. */
bool tour_from(ptrace_function *real, pid_t tid, uint64_t pc);
uint64_t tour_pc(ptrace_function *real, pid_t tid);
void tours_forget(void);

/* stride_tour(first, last, [from, ...], [exit, ...]): a span; the instructions from which a tour may be made; those at which it ends.  False:
 * there is no room. */
object *py_stride_tour(object *self, object *args);
/* stride_guard([address, ...]): where gdb has breakpoints now. */
object *py_stride_guard(object *self, object *args);

#endif
