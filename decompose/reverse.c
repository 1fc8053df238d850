/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-step, reverse-continue, and the way to a target.  reverse_next.c has those that follow activations. */
#include "decompose/reverse.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "decompose/trail.h"
#include "decompose/walk.h"

int reverse_step(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	struct trail_wish wish = { .leaps = true };

	memset(target, 0, sizeof *target);
	if (n == 0)
		return 0;
	for (int i = m->segments(m->self) - 1; i >= 0; i--) {
		struct trail *trail;
		struct machine_stop end;
		uint64_t first, past;   /* its stops are first .. past-1 */

		if (!m->moves(m->self, i))
			continue;
		trail = trail_lay(m, i, &wish, &end, err);
		if (!trail)
			return -1;
		first = trail->began_inside ? 1 : 0;
		past = end.inside ? end.tick + 1 : end.tick;
		if (past > first && n <= past - first) {
			reverse_found(target, i, past - n, trail);
			target->depth = trail_depth(trail, past - n);
			return 0;
		}
		if (past > first)
			n -= past - first;
		trail_free(trail);
	}
	return walk_to_start(m, target, err);
}

/* What is left to find, and what later segments say of earlier ones. */
struct hits {
	uint64_t left;
	int after;              /* the segment that led on from the end of the one looked at, -1: that is now */
	bool start_counts;      /* the start of `after` is a hit that is counted already */
	bool carried;           /* a watchpoint triggered in the rest of the statement in which `after` began */
	uint32_t alive;         /* so many of the outermost frames are alive up to now */
};

/* Takes the hits of a segment that are no stops of its own off their list.  A breakpoint at its end is one at the start of
 * the next segment that led on from there; or it is where we are now, and does not count.  What triggered before the first
 * stop of a segment that begins inside a statement happened in that statement, whose start is a stop of an earlier one. */
static bool take_ends(struct trail *trail, const struct machine_stop *end, struct hits *h)
{
	bool at_end = trail->n_hits && trail->hits[trail->n_hits - 1].tick == end->tick, found = false;

	if (at_end && !end->inside) {
		trail->n_hits--;
		found = h->after >= 0 && !h->start_counts && --h->left == 0;
	}
	if (h->carried && end->inside && !at_end) {
		array_grow(trail->hits, trail->n_hits);
		trail->hits[trail->n_hits++] = (struct trail_hit){ end->tick, 1 };
	}
	if (walk_effective(end))
		h->carried = h->start_counts = false;
	if (trail->n_hits && trail->hits[0].tick == 0) {
		h->start_counts |= !trail->began_inside;
		h->carried |= trail->began_inside;
		if (trail->began_inside)
			memmove(trail->hits, trail->hits + 1, --trail->n_hits * sizeof *trail->hits);
	}
	return found;
}

int reverse_continue(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	struct trail_wish wish = { .hits = n < SIZE_MAX ? n + 1 : n };  /* one may be at the end */
	struct hits h = { .left = n, .after = -1, .alive = UINT32_MAX };

	memset(target, 0, sizeof *target);
	if (n == 0)
		return 0;
	for (int i = m->segments(m->self) - 1; i >= 0; i--) {
		struct trail *trail;
		struct machine_stop end;

		if (!m->moves(m->self, i))
			continue;
		trail = trail_lay(m, i, &wish, &end, err);
		if (!trail)
			return -1;
		if (end.depth < h.alive)
			h.alive = end.depth;
		trail_keep_alive(trail, h.alive);
		if (take_ends(trail, &end, &h)) {
			trail_free(trail);
			reverse_found(target, h.after, 0, NULL);
			return 0;
		}
		if (h.left <= trail->n_hits) {
			struct trail_hit hit = trail->hits[trail->n_hits - h.left];

			reverse_found(target, i, hit.tick, trail);
			target->triggers = hit.depth > 0;
			return 0;
		}
		h.left -= trail->n_hits;
		if (trail->stack.survivors < h.alive)
			h.alive = trail->stack.survivors;
		trail_free(trail);
		if (walk_effective(&end))
			h.after = i;
	}
	return walk_to_start(m, target, err);
}

void reverse_found(struct reverse_target *target, int segment, uint64_t tick, struct trail *trail)
{
	target->segment = segment;
	target->tick = tick;
	target->moved = true;
	target->trail = trail;
}

/* From the last mark before the target, and not from one at it unless it is meant: the user sees where the run to it ends. */
static int go(struct machine *m, struct reverse_target *target, struct stack *stack, struct machine_stop *stop,
	      struct err *err)
{
	uint64_t from = target->tick > 0 && !target->marked ? target->tick - 1 : target->tick;

	if (trail_go(m, target->trail, target->segment, from, stack, stop, err) < 0)
		return -1;
	if (target->tick > from && trail_go_on(m, target->trail, target->segment, target->tick, stack, stop, err) < 0)
		return -1;
	if (target->depth && stop->depth != target->depth)
		return walk_diverged(err, "statement %" PRIu64 " of a command is at depth %u, not %u", target->tick,
				     stop->depth, target->depth);
	stack_path(stack, &target->steps);
	return 0;
}

int reverse_go(struct machine *m, struct reverse_target *target, struct machine_stop *stop, struct err *err)
{
	struct stack stack = { 0 };
	int rc;

	path_free(&target->steps);
	rc = go(m, target, &stack, stop, err);
	stack_free(&stack);
	return rc;
}

void reverse_target_free(struct reverse_target *target)
{
	path_free(&target->steps);
	trail_free(target->trail);
	target->trail = NULL;
}
