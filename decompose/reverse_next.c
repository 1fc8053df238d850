/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-next and reverse-finish: the last stop in an activation of now's chain.
 *
 * The chain is the activations on the stack at now, depths 1 to `limit`.  Of two of them that are alive, all stops of the
 * inner one are later than all of the outer one: so the last stop is the innermost activation's that has any, and counts
 * go on outwards.  Where a segment has none (left), the search goes on in the one before, with the part of the chain
 * that was alive already where it ended. */
#include "decompose/reverse.h"

#include <string.h>

#include "decompose/trail.h"
#include "decompose/walk.h"

struct chain {
	uint32_t limit;
	uint64_t left;          /* moves still to make */
	bool finish;            /* each move goes to a caller of where it begins */
};

/* Makes the moves that this segment has stops for.  True: the last of them is at *tick. */
static bool take_stops(const struct stack *stack, struct chain *chain, uint64_t *tick, uint32_t *depth)
{
	for (uint32_t d = chain->limit < stack->depth ? chain->limit : stack->depth; d > 0; d--) {
		size_t stops = stack_stops(stack, d);

		if (stops == 0)
			continue;
		if (chain->finish)
			chain->limit = d - 1;
		if (chain->left <= stops) {
			*tick = stack_stop(stack, d, chain->left - 1);
			*depth = d;
			return true;
		}
		chain->left -= stops;
	}
	return false;
}

/* A plain `next` has one stop for the chain, its start; and none for reverse-finish, which wants a caller's. */
static bool take_next(struct machine *m, int segment, struct chain *chain, struct reverse_target *target)
{
	uint32_t depth;

	if (!m->is_next || !m->is_next(m->self, segment, &depth) || (!chain->finish && chain->limit < depth) ||
	    (chain->finish && chain->limit >= depth))
		return false;
	if (chain->finish)
		return true;
	chain->limit = depth;
	if (chain->left-- > 1)
		return true;
	target->depth = depth;
	reverse_found(target, segment, 0, NULL);
	return true;
}

static uint32_t calm(struct machine *m, int segment)
{
	return m->calm ? m->calm(m->self, segment) : 0;
}

/* A frame so deep and its callers have no stop there. */
static uint32_t still(struct machine *m, int segment)
{
	uint32_t depth = m->still ? m->still(m->self, segment) : 0;

	return calm(m, segment) > depth ? calm(m, segment) : depth;
}

/* All activations on the stack at now, or fewer.  It is asked for where something comes of it: a trace would tell it, too. */
static int limit_at_now(struct machine *m, struct chain *chain, struct err *err)
{
	struct machine_stop now;

	if (m->now(m->self, &now, err) < 0)
		return -1;
	if (!now.inside)
		chain->limit = now.depth;
	return 0;
}

static int search(struct machine *m, struct chain chain, struct reverse_target *target, struct err *err)
{
	/* Of each activation reverse-finish wants one stop: the next move goes to a caller. */
	struct trail_wish wish = { .stops = chain.finish ? 1 : chain.left < SIZE_MAX ? chain.left : SIZE_MAX };

	memset(target, 0, sizeof *target);
	if (chain.left == 0)
		return 0;
	for (int i = m->segments(m->self) - 1; i >= 0 && chain.limit > 0; i--) {
		struct trail *trail;
		struct machine_stop end;
		uint64_t tick;

		if (!m->moves(m->self, i))
			continue;
		if (chain.limit == UINT32_MAX && still(m, i) > 0 && limit_at_now(m, &chain, err) < 0)
			return -1;
		if (still(m, i) >= chain.limit)
			continue;
		if (take_next(m, i, &chain, target)) {
			if (target->moved)
				return 0;
			continue;
		}
		trail = trail_lay(m, i, &wish, &end, err);
		if (!trail)
			return -1;
		if (end.inside && trail->stack.is_stop)
			stack_record(&trail->stack);
		/* In the rest of a caller's statement the callee's activation is over, though no stop says so. */
		if (end.depth < chain.limit)
			chain.limit = end.depth;
		if (take_stops(&trail->stack, &chain, &tick, &target->depth)) {
			reverse_found(target, i, tick, trail);
			return 0;
		}
		if (trail->stack.survivors < chain.limit)
			chain.limit = trail->stack.survivors;
		trail_free(trail);
	}
	return walk_to_start(m, target, err);
}

int reverse_next(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	return search(m, (struct chain){ .limit = UINT32_MAX, .left = n }, target, err);
}

int reverse_finish(struct machine *m, uint32_t selected_depth, uint64_t n, struct reverse_target *target,
		   struct err *err)
{
	uint32_t callers = selected_depth ? selected_depth - 1 : 0;

	return search(m, (struct chain){ .limit = callers, .left = n, .finish = true }, target, err);
}

/* The tick before which an activation began that is alive at the segment's end; STACK_BEFORE: before the segment. */
static uint64_t birth(const struct trail *trail, const struct machine_stop *end, uint32_t depth, struct reverse_entry *entry)
{
	bool there = depth <= trail->stack.depth;

	entry->unsure = there && end->inside && !entry->older;
	return there && !entry->unsure ? trail->stack.at[depth - 1].birth : end->tick + 1;
}

int reverse_entry(struct machine *m, uint32_t depth, struct reverse_entry *entry, struct err *err)
{
	struct trail_wish wish = { 0 };

	memset(&entry->before, 0, sizeof entry->before);
	entry->unsure = false;
	for (int i = entry->below - 1; i >= 0; i--, entry->older = false) {
		struct trail *trail;
		struct machine_stop end;
		uint32_t at;
		uint64_t born;

		/* What is called from a calm frame all the while is not born there either. */
		if (!m->moves(m->self, i) || (calm(m, i) && depth <= calm(m, i) + 1) || (m->is_next && m->is_next(m->self, i, &at) && depth <= at))
			continue;
		trail = trail_lay(m, i, &wish, &end, err);
		if (!trail)
			return -1;
		born = birth(trail, &end, depth, entry);
		if (born != STACK_BEFORE) {
			entry->below = i + 1;
			entry->at_end = born > end.tick || (born == end.tick && !end.inside);
			reverse_found(&entry->before, i, born - 1, trail);
			return 0;
		}
		trail_free(trail);
	}
	return 0;
}
