/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-finish as gdb means it: back to where the function was called, which is an instruction in the middle of the
 * caller's statement.  The statement clock tells the last stop before the function's first one; of the instructions between
 * these two, the last in a caller is the call. */
#include <stdlib.h>

#include "base/log.h"
#include "fred/message.h"
#include "fred/session_reverse.h"

/* Three seconds.  A library may run for long before it calls back; and gdb's `stepi` passes over the handler of a signal, so
 * that its entry is never seen. */
#define FAR 10000

/* Are there instructions of a caller's on the way?  Then to the last of them. */
static int go_to_call(struct session *s, struct departure *d, uint32_t depth, struct reverse_entry *entry, bool *found,
		      struct err *err)
{
	struct reverse_target call = {0};
	struct machine_stop stop;
	struct instructions in;
	char *until = NULL;
	struct node *base;

	int r = reverse_go(d->m, &entry->before, &stop, err);
	if (r == 0)
		r = instructions_until(s, d, &entry->before, entry->at_end ? UINT64_MAX : entry->before.tick + 1, entry->before.segment,
				       &until, err);
	if (r || !(base = arrival_node(s, d, &entry->before, err))) {
		free(until);
		return -1;
	}
	r = instructions_open(s, base, until, &in, err);
	if (r == 0) {
		machine_limit(in.fm, FAR);
		r = reverse_finish(in.m, depth, 1, &call, err);
		*found = r == 0 && !call.no_more;
		if (r && !s->cancelled && s->state == SESSION_PROMPT) {
			log_info(LOG_SESSION, "no call: %s", err->what);
			r = 0;
		}
	}
	if (*found)
		r = instructions_go(s, &in, &call, err);
	reverse_target_free(&call);
	instructions_close(&in);
	free(until);
	return r;
}

int reverse_to_call(struct session *s, struct departure *d, uint64_t n, bool *found, struct err *err)
{
	struct reverse_entry entry = {.below = d->m->segments(d->m->self)};
	int r;

	*found = false;
	if (n >= d->selected)
		return 0;
	do {
		uint32_t depth = d->selected - (uint32_t)(n - 1);

		r = reverse_entry(d->m, depth, &entry, err);
		if (r == 0 && entry.before.moved)
			r = go_to_call(s, d, depth, &entry, found, err);
		reverse_target_free(&entry.before);
		if (!*found)
			travel_due(s, d->from);
		entry.older = true;
	} while (r == 0 && !*found && entry.unsure);
	if (r == 0 && !*found && entry.before.moved)
		say("how the call came about cannot be followed by instructions: this is the start of its statement");
	return r;
}
