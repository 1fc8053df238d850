/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Has a command that is run again gone the same way?  A tick is a number, and means something only as long as the program
 * does the same from the command's start on: one that finds a directory changed, or a file cached, takes some statements
 * more or less, ends at the same line, and every number after that is another statement's.  So the clock tells digests of
 * its way; those of the first trace of a segment are kept, and each later run is compared where it halts.
 *
 * The same way may lead to other values, a time say, and the first run of all told nothing of its way.  So what the program
 * has at the end of the command is compared too: its witness, where it has been run again, with that of the first run. */
#include <stdlib.h>
#include <string.h>

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

uint64_t ways_add_ticks(struct ways *w, uint64_t at, const struct adapter_event *event)
{
	for (size_t i = 0; i < event->n_ticks; i++) {
		if (event->ticks[i].kind > MACHINE_EXCEPTION)
			continue;               /* it only tells of the next one */
		while (w->n_each <= at) {       /* leaps tell of no tick */
			array_grow(w->each, w->n_each);
			w->each[w->n_each++] = 0;
		}
		w->each[at] = w->each[at] ? w->each[at] : event->tick_ways[i];
		at++;
	}
	return at;
}

/* The long digest of pdb's clock, of the ticks up to the last sixteenth; and the byte, so that those behind it are in one too.
 * gdb's byte is of the place alone. */
bool ways_differ(const struct ways *w, uint64_t tick, uint64_t way)
{
	uint64_t i = tick / ADAPTER_WAY_TICKS;
	uint32_t whole = (uint32_t)(way >> 8);
	uint8_t byte = (uint8_t)way;

	if ((!whole || i == 0 || i > w->n || w->at[i - 1] == whole) &&
	    (!byte || tick == 0 || tick > w->n_each || !w->each[tick - 1] || w->each[tick - 1] == byte))
		return false;
	log_info(LOG_SESSION, "another way to tick %llu", (unsigned long long)tick);
	return true;
}

void ways_free(struct ways *w)
{
	free(w->at);
	free(w->each);
	*w = (struct ways){0};
}

int end_reached(struct session *s, const struct node *end, bool *diverged, struct err *err)
{
	cleanup_free char *elsewhere = NULL;

	if (request_elsewhere(s, end, &elsewhere, err))
		return -1;
	*diverged = elsewhere != NULL;
	if (elsewhere)
		log_info(LOG_SESSION, "`%s` %s", end->command ? end->command : "", elsewhere);
	return 0;
}

int end_seen(struct session *s, const struct node *end, struct witness *now, bool *diverged, struct err *err)
{
	witness_free(now);
	if (request_witness(s, end->witness.other_run, now, err))
		return -1;
	/* Where threads race, other locals are another end; of two runs other calls are. */
	*diverged |= (s->several || end->witness.other_run) && end->witness.place && now->place && strcmp(now->place, end->witness.place) != 0;
	return 0;
}

/* Neither is one that nobody has asked for, or that could not be told. */
static bool both_known(const struct witness *a, const struct witness *b)
{
	return a->place && *a->place && b->place && *b->place;
}

int end_compare(struct session *s, struct node *end, const struct witness *now, bool *changed, struct err *err)
{
	if (now->place && *now->place && !end->witness.place && end->snapshot &&
	    (travel_to(s, end, err) || request_witness_of_node(s, end, err)))
		return -1;
	*changed = both_known(now, &end->witness) &&
		   (strcmp(now->place, end->witness.place) != 0 || strcmp(now->data, end->witness.data) != 0);
	return 0;
}
