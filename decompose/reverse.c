/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-step, reverse-continue, and the way to a target.  reverse_next.c has those that follow activations. */
#include "decompose/reverse.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "decompose/walk.h"

int reverse_step(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	memset(target, 0, sizeof *target);
	if (n == 0)
		return 0;
	for (int i = m->segments(m->self) - 1; i >= 0; i--) {
		struct machine_stop start, end;
		uint64_t first, past;   /* its stops are first .. past-1 */

		if (!m->moves(m->self, i))
			continue;
		if (walk_enter(m, i, &start, err) < 0 || walk_run(m, WALK_TO_END, &end, err) < 0)
			return -1;
		first = start.inside ? 1 : 0;
		past = end.inside ? end.tick + 1 : end.tick;
		if (past <= first)
			continue;
		if (n <= past - first) {
			target->segment = i;
			target->tick = past - n;
			target->moved = true;
			return 0;
		}
		n -= past - first;
	}
	return walk_to_start(m, target, err);
}

/* The breakpoints hit in one segment. */
struct hits {
	struct stack_recent recent;
	uint64_t tick;
	size_t keep;
};

static void note_hits(void *ctx, const struct machine_tick *ticks, size_t n)
{
	struct hits *hits = ctx;

	for (size_t i = 0; i < n; i++) {
		hits->tick++;
		if (ticks[i].breakpoint)
			stack_recent_add(&hits->recent, hits->tick, hits->keep);
	}
}

static int trace_hits(struct machine *m, int segment, struct hits *hits, struct machine_stop *end, struct err *err)
{
	hits->tick = 0;
	hits->recent.n = 0;
	if (walk_enter(m, segment, end, err) < 0)
		return -1;
	memset(end, 0, sizeof *end);
	if (m->trace(m->self, WALK_TO_END, true, note_hits, hits, end, err) < 0)
		return -1;
	if (end->diverged || hits->tick != end->tick)
		return walk_diverged(err, "a command ended elsewhere than the first time, after %" PRIu64 " statements",
				     end->tick);
	return 0;
}

/* The n-th hit back.  A hit at a segment's end is one at the start of `after`, the next segment that led on from there;
 * or it is where we are now, and does not count. */
static int continue_back(struct machine *m, uint64_t n, struct hits *hits, struct reverse_target *target, struct err *err)
{
	int after = -1;

	for (int i = m->segments(m->self) - 1; i >= 0; i--) {
		struct stack_recent *recent = &hits->recent;
		struct machine_stop end;

		if (!m->moves(m->self, i))
			continue;
		if (trace_hits(m, i, hits, &end, err) < 0)
			return -1;
		if (recent->n && recent->ticks[recent->n - 1] == end.tick && !end.inside) {
			recent->n--;
			if (after >= 0 && --n == 0) {
				target->segment = after;
				target->moved = true;
				return 0;
			}
		}
		if (n <= recent->n) {
			target->segment = i;
			target->tick = recent->ticks[recent->n - n];
			target->moved = true;
			return 0;
		}
		n -= recent->n;
		if (walk_effective(&end))
			after = i;
	}
	return walk_to_start(m, target, err);
}

int reverse_continue(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	struct hits hits = { .keep = n < SIZE_MAX ? n + 1 : n };        /* one may be now */
	int rc;

	memset(target, 0, sizeof *target);
	if (n == 0)
		return 0;
	rc = continue_back(m, n, &hits, target, err);
	free(hits.recent.ticks);
	return rc;
}

int reverse_go(struct machine *m, struct reverse_target *target, struct machine_stop *stop, struct err *err)
{
	struct stack stack = { 0 };

	path_free(&target->steps);
	if (walk_trace(m, target->segment, target->tick, &stack, 0, true, stop, err) < 0)
		goto fail;
	if (target->depth && stop->depth != target->depth) {
		walk_diverged(err, "statement %" PRIu64 " of a command is at depth %u, not %u", target->tick,
			      stop->depth, target->depth);
		goto fail;
	}
	stack_path(&stack, &target->steps);
	stack_free(&stack);
	return 0;
fail:
	stack_free(&stack);
	return -1;
}

void reverse_target_free(struct reverse_target *target)
{
	path_free(&target->steps);
}
