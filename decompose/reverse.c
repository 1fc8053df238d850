/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-step, reverse-continue, and the way to a target.  reverse_next.c has those that follow activations. */
#include "decompose/reverse.h"

#include <inttypes.h>
#include <string.h>

#include "decompose/trail.h"
#include "decompose/walk.h"

int reverse_step(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	struct trail_wish wish = { 0 };

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
			return 0;
		}
		if (past > first)
			n -= past - first;
		trail_free(trail);
	}
	return walk_to_start(m, target, err);
}

/* The n-th hit back.  A hit at a segment's end is one at the start of `after`, the next segment that led on from there;
 * or it is where we are now, and does not count. */
int reverse_continue(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	struct trail_wish wish = { .hits = n < SIZE_MAX ? n + 1 : n };  /* one may be at the end */
	int after = -1;

	memset(target, 0, sizeof *target);
	if (n == 0)
		return 0;
	for (int i = m->segments(m->self) - 1; i >= 0; i--) {
		struct trail *trail;
		struct stack_recent *hits;
		struct machine_stop end;

		if (!m->moves(m->self, i))
			continue;
		trail = trail_lay(m, i, &wish, &end, err);
		if (!trail)
			return -1;
		hits = &trail->hits;
		if (hits->n && hits->ticks[hits->n - 1] == end.tick && !end.inside) {
			hits->n--;
			if (after >= 0 && --n == 0) {
				trail_free(trail);
				reverse_found(target, after, 0, NULL);
				return 0;
			}
		}
		if (n <= hits->n) {
			reverse_found(target, i, hits->ticks[hits->n - n], trail);
			return 0;
		}
		n -= hits->n;
		trail_free(trail);
		if (walk_effective(&end))
			after = i;
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
	if (target->tick > from && walk_trace(m, target->tick, stack, stop, err) < 0)
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
