/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An expression is looked at at each tick of a trace (observe.py does it), but where it must have the value that it had: the
 * names in it mean the same objects as at the tick before, of types whose objects never change. */
#ifndef PDB_ADAPTER_AGENT_CLOCK_WATCH_H
#define PDB_ADAPTER_AGENT_CLOCK_WATCH_H

#include <stdint.h>
#include <stdbool.h>

#include "channel/agent/python_api.h"

/* (function, level, returned, names, types) of observe.py, or NULL: no more.  The same tuple again goes on. */
void watch_set(object *with);
/* A tick.  False: an exception is set. */
bool watch_tick(object *frame, int what, int depth, uint64_t count);

#endif
