/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/clock_last.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTHS = 64 };           /* at first; and more as they are needed */

static struct {
	uint64_t *at;           /* [depth], and deeper ones are not so late */
	uint32_t room;
	uint64_t ticks, before; /* the tick before the last one at that one's depth */
	bool at_tick;
	bool failed;            /* no memory */
	bool known;             /* it has ended, and all of it is there */
} last;

void last_begin(void)
{
	if (last.at != NULL)
		memset(last.at, 0, last.room * sizeof *last.at);
	last.ticks = last.before = 0;
	last.failed = last.known = false;
}

/* The memory is the program's process's, and is there while it lives. */
static bool make_room(uint32_t depth)
{
	uint32_t room = last.room > 0 ? last.room : DEPTHS;
	uint64_t *at;

	while (room <= depth)
		room *= 2;
	at = realloc(last.at, room * sizeof *at);
	if (at == NULL)
		return false;
	memset(at + last.room, 0, (room - last.room) * sizeof *at);
	last.at = at;
	last.room = room;
	return true;
}

void last_tick(uint32_t depth, uint64_t tick)
{
	if (depth >= last.room && (last.failed || !make_room(depth)))
		last.failed = true;
	if (last.failed)
		return;
	last.before = last.at[depth];
	last.at[depth] = tick;
}

void last_end(uint64_t ticks, bool known, bool at_tick)
{
	last.ticks = ticks;
	last.at_tick = at_tick;
	last.known = known && !last.failed;
}

object *py_clock_uncounted(object *self, object *args)
{
	last_begin();
	return none();
}

object *py_clock_ticks(object *self, object *args)
{
	return PyLong_FromLongLong((long long)last.ticks);
}

object *py_clock_last(object *self, object *args)
{
	long depth = PyLong_AsLong(PyTuple_GetItem(args, 0));
	uint64_t tick = 0;

	for (long i = 0; i <= depth && i < (long)last.room; i++) {
		uint64_t at = last.at_tick && last.at[i] == last.ticks ? last.before : last.at[i];

		tick = at > tick ? at : tick;
	}
	return Py_BuildValue("(iLL)", (int)last.known, (long long)tick, (long long)last.ticks);
}
