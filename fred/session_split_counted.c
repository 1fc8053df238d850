/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run that was counted while it was made.  The agent knows at its end when a frame and its callers had their last stop; and each point of
 * the trail knows, as soon as it is restored, how many ticks lie before it.  So the piece in which that stop is is found without running
 * anything again. */
#include <stdlib.h>

#include "base/log.h"
#include "fred/session_points.h"
#include "fred/session_split.h"

/* 1, or 0: nobody has counted; or -1. */
static int ask_last(struct session *s, struct node *end, uint32_t depth, uint64_t *last, struct err *err)
{
	struct adapter_event reply;

	if (travel_to(s, end, err) || s->adapter->last_stop(s->agent, depth, err) || request_reply(s, &reply, -1, err))
		return -1;
	bool known = reply.n_fields > 0;

	*last = known ? strtoull(reply.fields[0], NULL, 10) : 0;
	adapter_event_free(&reply);
	return known;
}

int split_counted(struct session *s, struct departure *d, struct node *end, struct err *err)
{
	uint32_t lasting = machine_lasting(d->fm), depth = d->chain < lasting ? d->chain : lasting;
	struct node *edge = end, *node;
	uint64_t last;
	int nodes = 0, r;

	if (!s->adapter->last_stop || depth == 0 || end->whole || !end->snapshot)
		return 0;
	r = ask_last(s, end, depth, &last, err);
	if (r <= 0)
		return r;
	while ((r = points_put_in(s, edge, POINTS_MIDDLE, &node, err)) > 0) {
		nodes++;
		if (node->ticks < last)
			continue;
		edge->still = depth;
		edge = node;
	}
	log_info(LOG_SESSION, "the last stop at depth %u is at tick %llu, behind %d points", depth, (unsigned long long)last, nodes);
	return r < 0 ? -1 : nodes;
}
