/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of a run that is counted: the last tick at each depth.  So it is known, without running it again, since when nothing has happened in a
 * frame and its callers.
 *
 * The user's own runs are counted, too, while pdb traces them anyway.  Nothing is told of them, and counting ends as soon as anything else
 * than pdb's trace function is at work.  Cost: none; for each event that pdb would only pass by its function in Python is spared. */
#ifndef PDB_ADAPTER_AGENT_CLOCK_LAST_H
#define PDB_ADAPTER_AGENT_CLOCK_LAST_H

#include <stdbool.h>
#include <stdint.h>

#include "channel/agent/python_api.h"

/* A run of the user's begins. */
void last_begin(void);
/* A tick of it. */
void last_tick(uint32_t depth, uint64_t tick);
/* It is at its end, or is halted, after so many ticks; `known`: they are all that there were; at_tick: it stands at the last. */
void last_end(uint64_t ticks, bool known, bool at_tick);

/* Call from Python as those of clock_control.h.
 * clock_uncounted(): what comes now is not counted.
 * clock_ticks() -> the ticks of the user's last run; 0: not known.
 * clock_last(depth) -> whether they are known, the last tick of that depth or less before the present one, all ticks. */
object *py_clock_uncounted(object *self, object *args);
object *py_clock_ticks(object *self, object *args);
object *py_clock_last(object *self, object *args);

#endif
