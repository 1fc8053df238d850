/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Has a command that is run again gone the same way?  A tick is a number, and means something only as long as the program
 * does the same from the command's start on: one that finds a directory changed, or a file cached, takes some statements
 * more or less, ends at the same line, and every number after that is another statement's.  So the clock tells digests of
 * its way; those of the first trace of a segment are kept, and each later run is compared where it halts. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/session_priv.h"

void ways_add(struct ways *w, const struct adapter_event *event)
{
	size_t first = event->n_fields ? strtoul(event->fields[0], NULL, 10) : 0;

	/* A trace from a mark tells what the first one told. */
	for (size_t i = 1; i < event->n_fields; i++)
		if (first + i - 1 == w->n) {
			array_grow(w->at, w->n);
			w->at[w->n++] = (uint32_t)strtoul(event->fields[i], NULL, 10);
		}
}

bool ways_differ(const struct ways *w, uint64_t tick, uint32_t way)
{
	uint64_t i = tick / ADAPTER_WAY_TICKS;

	if (way == 0 || i == 0 || i > w->n || w->at[i - 1] == way)
		return false;
	log_info(LOG_SESSION, "another way to tick %llu", (unsigned long long)tick);
	return true;
}

void ways_free(struct ways *w)
{
	free(w->at);
	*w = (struct ways){0};
}
