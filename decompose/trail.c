/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decompose/trail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decompose/walk.h"

struct trail_limits trail_limits = { .interval = 8192, .most = 16, .piece = 65536, .trails = 3 };

static void drop_mark(struct trail *t, struct trail_mark *mark)
{
	t->m->drop(t->m->self, mark->mark);
	stack_free(&mark->stack);
}

void trail_drop_marks(struct trail *t)
{
	while (t->n > 0)
		drop_mark(t, &t->marks[--t->n]);
}

void trail_free(struct trail *t)
{
	if (!t)
		return;
	trail_drop_marks(t);
	stack_free(&t->stack);
	free(t->seen.value.text);
	free(t->hits);
	free(t->steps);
	free(t->marks);
	free(t);
}

static void sparser(struct trail *t)
{
	size_t kept = 0;

	t->interval *= 2;
	for (size_t i = 0; i < t->n; i++) {
		if (t->marks[i].stack.tick % t->interval == 0)
			t->marks[kept++] = t->marks[i];
		else
			drop_mark(t, &t->marks[i]);
	}
	t->n = kept;
}

/* Those before the last mark but one: the last one may be dropped yet. */
static void forget_steps(struct trail *t)
{
	uint64_t before = t->n > 1 ? t->marks[t->n - 2].stack.tick : 0;

	if (t->n_steps == 0 || before <= t->before_steps)
		return;
	t->n_steps -= before - t->before_steps;
	memmove(t->steps, t->steps + (before - t->before_steps), t->n_steps * sizeof *t->steps);
	t->before_steps = before;
}

static void keep_step(struct trail *t, const struct machine_tick *tick)
{
	if (!t->m->leap)
		return;
	array_grow(t->steps, t->n_steps);
	t->steps[t->n_steps++] = (struct trail_step){ tick->depth, tick->kind, t->rough };
	t->rough = false;
}

static int mark_here(struct trail *t, struct err *err)
{
	struct trail_mark *mark;

	array_grow(t->marks, t->n);
	mark = &t->marks[t->n];
	memset(mark, 0, sizeof *mark);
	if (t->m->mark(t->m->self, &mark->mark, err) < 0)
		return -1;
	stack_copy(&mark->stack, &t->stack);
	t->n++;
	t->laid++;
	forget_steps(t);
	return 0;
}

/* Where the trace has got to, when that is a place for a mark. */
static int lay_mark(struct trail *t, struct err *err)
{
	if (t->stack.tick % t->interval == 0 && t->n == trail_limits.most)
		sparser(t);
	return t->stack.tick % t->interval == 0 ? mark_here(t, err) : 0;
}

/* At twice as many as are wanted the older half goes; not where some may yet turn out to be those of a frame that is
 * gone. */
static void add_hit(struct trail *t, uint32_t depth)
{
	struct trail_hit *last = t->n_hits ? &t->hits[t->n_hits - 1] : NULL;

	t->scoped |= depth > 1;
	if (last && last->tick == t->stack.tick) {
		last->depth = depth < last->depth ? depth : last->depth;
		return;
	}
	if (!t->scoped && t->n_hits >= t->keep_hits && t->n_hits - t->keep_hits >= t->keep_hits) {
		memmove(t->hits, t->hits + t->n_hits - t->keep_hits, t->keep_hits * sizeof *t->hits);
		t->n_hits = t->keep_hits;
	}
	array_grow(t->hits, t->n_hits);
	t->hits[t->n_hits++] = (struct trail_hit){ t->stack.tick, depth };
}

static void passed(void *ctx, const struct machine_tick *ticks, size_t n)
{
	struct trail *t = ctx;

	for (size_t i = 0; i < n; i++) {
		if (ticks[i].kind == MACHINE_TRIGGER) {
			add_hit(t, ticks[i].depth);
			continue;
		}
		if (ticks[i].kind == MACHINE_ROUGH) {
			t->rough = true;
			continue;
		}
		keep_step(t, &ticks[i]);
		stack_arrive(&t->stack, &ticks[i]);
		if (ticks[i].breakpoint)
			add_hit(t, 0);
	}
}

void trail_keep_alive(struct trail *t, uint32_t alive)
{
	const struct stack *s = &t->stack;
	size_t kept = 0;

	if (s->depth < alive)
		alive = s->depth;
	for (size_t i = 0; i < t->n_hits; i++) {
		struct trail_hit hit = t->hits[i];
		bool lives = hit.depth <= 1 || (hit.depth <= alive && (s->at[hit.depth - 1].birth == STACK_BEFORE ||
								       s->at[hit.depth - 1].birth <= hit.tick));
		if (lives)
			t->hits[kept++] = hit;
	}
	t->n_hits = kept;
}

/* The next mark, or as far as progress() can wait. */
static uint64_t next_halt(const struct trail *t)
{
	uint64_t tick = t->stack.tick, to_mark = t->interval - tick % t->interval;

	return tick + (to_mark < trail_limits.piece ? to_mark : trail_limits.piece);
}

static void tell_progress(struct trail *t, const struct trail_wish *wish)
{
	if (t->m->progress)
		t->m->progress(t->m->self, &(struct machine_progress){ .doing = "running again", .done = t->stack.tick,
								       .evaluations = wish->evaluations });
}

/* The segment's end may come first. */
static int trace_piece(struct trail *t, struct machine_stop *stop, struct err *err)
{
	uint64_t limit = next_halt(t);

	memset(stop, 0, sizeof *stop);
	if (t->m->trace(t->m->self, limit, t->keep_hits > 0, passed, t, stop, err) < 0)
		return -1;
	if (walk_check_reached(stop->end ? WALK_TO_END : limit, stop, err) < 0)
		return -1;
	if (t->stack.tick != stop->tick)
		return walk_diverged(err, "%" PRIu64 " statements were told of %" PRIu64, t->stack.tick, stop->tick);
	return 0;
}

static int start_observing(struct trail *t, const struct trail_wish *wish, struct err *err)
{
	int rc = wish->expr && t->m->observe ? t->m->observe(t->m->self, wish->expr, wish->depth, err) : 0;

	t->observed = rc > 0;
	return rc < 0 ? -1 : 0;
}

static int see(struct trail *t, struct err *err)
{
	free(steal_pointer(&t->seen.value.text));
	return t->m->observed(t->m->self, &t->seen, err);
}

static int lay_by_steps(struct trail *t, const struct trail_wish *wish, struct machine_stop *end, struct err *err)
{
	for (;;) {
		tell_progress(t, wish);
		if (trace_piece(t, end, err) < 0)
			return -1;
		if (t->observed && (end->end || wish->until_change) && see(t, err) < 0)
			return -1;
		if (end->end || (wish->until_change && t->seen.whole && t->seen.since > 0))
			return 0;
		if (lay_mark(t, err) < 0)
			return -1;
	}
}

static void has_leapt(struct trail *t, const struct machine_stop *stop, uint32_t watched)
{
	stack_leap(&t->stack, stop, watched);
	t->leapt = true;
	t->n_steps = 0;
	t->before_steps = stop->tick;
	t->rough = false;
}

/* Back to the tick that the trail has got to. */
static int come_back(struct trail *t, int segment, struct machine_stop *stop, struct err *err)
{
	if (trail_go(t->m, t, segment, t->stack.tick, NULL, stop, err) < 0)
		return -1;
	return stop->tick < t->stack.tick ? walk_run(t->m, t->stack.tick, stop, err) : 0;
}

/* A leap was cut behind the tick `good`.  On from there, or a tick before, from where one step leads to a target there; and the
 * way to what cut it will be gone more than once. */
static int come_near(struct trail *t, int segment, uint64_t good, uint32_t watched, struct machine_stop *stop, struct err *err)
{
	if (come_back(t, segment, stop, err) < 0)
		return -1;
	if (good <= t->stack.tick + 1)
		return 0;
	if (t->m->leap(t->m->self, good - 1, watched, stop, err) < 0)
		return -1;
	if (stop->cut)
		return come_back(t, segment, stop, err);
	has_leapt(t, stop, watched);
	if (t->n == trail_limits.most)
		sparser(t);
	return mark_here(t, err);
}

/* As many pieces as are traced after a leap that was cut: where it happens often they do not pay. */
struct patience { uint64_t pieces, left; };

static int lay_by_leaps(struct trail *t, int segment, const struct trail_wish *wish, struct machine_stop *end, struct err *err)
{
	struct patience patience = { 0 };

	for (;;) {
		tell_progress(t, wish);
		if (patience.left > 0) {
			patience.left--;
			if (trace_piece(t, end, err) < 0)
				return -1;
			if (end->end)
				return 0;
		} else {
			uint64_t limit = next_halt(t);

			memset(end, 0, sizeof *end);
			if (t->m->leap(t->m->self, limit, wish->watched, end, err) < 0)
				return -1;
			if (end->cut) {
				patience.left = patience.pieces = 2 * patience.pieces + 1;
				if (come_near(t, segment, end->tick, wish->watched, end, err) < 0)
					return -1;
				continue;
			}
			if (walk_check_reached(limit, end, err) < 0)
				return -1;
			has_leapt(t, end, wish->watched);
		}
		if (lay_mark(t, err) < 0)
			return -1;
	}
}

static int lay(struct trail *t, int segment, const struct trail_wish *wish, struct machine_stop *end, struct err *err)
{
	if (walk_enter(t->m, segment, end, err) < 0)
		return -1;
	t->began_inside = end->inside;
	stack_start(&t->stack, end, wish->stops, true);
	if (start_observing(t, wish, err) < 0)
		return -1;
	if (wish->until_change && !t->observed)
		return 0;
	if (wish->leaps && t->m->leap && !t->observed)
		return lay_by_leaps(t, segment, wish, end, err);
	return lay_by_steps(t, wish, end, err);
}

struct trail *trail_empty(struct machine *m)
{
	struct trail *t = xcalloc(1, sizeof *t);

	t->m = m;
	return t;
}

struct trail *trail_lay(struct machine *m, int segment, const struct trail_wish *wish, struct machine_stop *end,
			struct err *err)
{
	struct trail *t = trail_empty(m);

	t->interval = m->mark_interval ? m->mark_interval : trail_limits.interval;
	t->keep_hits = wish->hits;
	if (lay(t, segment, wish, end, err) == 0)
		return t;
	trail_free(t);
	return NULL;
}

int trail_go(struct machine *m, const struct trail *t, int segment, uint64_t tick, struct stack *stack,
	     struct machine_stop *stop, struct err *err)
{
	size_t i = t ? t->n : 0;

	while (i > 0 && t->marks[i - 1].stack.tick > tick)
		i--;
	if (i == 0) {
		if (walk_enter(m, segment, stop, err) < 0)
			return -1;
		if (stack)
			stack_start(stack, stop, 0, true);
		return 0;
	}
	if (walk_go(m, t->marks[i - 1].mark, t->marks[i - 1].stack.tick, stop, err) < 0)
		return -1;
	if (stack)
		stack_copy(stack, &t->marks[i - 1].stack);
	return 0;
}

/* Has the way been traced? */
static bool is_known(const struct trail *t, uint64_t from, uint64_t to, bool *rough)
{
	*rough = false;
	if (from < t->before_steps || to > t->before_steps + t->n_steps)
		return false;
	for (uint64_t k = from - t->before_steps; k < to - t->before_steps; k++)
		*rough |= t->steps[k].rough;
	return true;
}

uint32_t trail_depth(const struct trail *t, uint64_t tick)
{
	bool known = tick > t->before_steps && tick <= t->before_steps + t->n_steps;

	return known ? t->steps[tick - t->before_steps - 1].depth : 0;
}

/* 1: there; 0: the leap was cut. */
static int leap_on(struct machine *m, const struct trail *t, uint64_t tick, bool known, struct stack *stack,
		   struct machine_stop *stop, struct err *err)
{
	memset(stop, 0, sizeof *stop);
	if (m->leap(m->self, tick, 0, stop, err) < 0)
		return -1;
	if (stop->cut)
		return 0;
	if (walk_check_reached(tick, stop, err) < 0)
		return -1;
	if (!known) {
		stack_leap(stack, stop, 0);
		return 1;
	}
	for (uint64_t k = stack->tick - t->before_steps; k < tick - t->before_steps; k++)
		stack_arrive(stack, &(struct machine_tick){ t->steps[k].depth, t->steps[k].kind, false });
	if (!stop->end && stop->depth != stack->depth)
		return walk_diverged(err, "statement %" PRIu64 " is at depth %u, not %u", tick, stop->depth, stack->depth);
	return 1;
}

int trail_go_on(struct machine *m, const struct trail *t, int segment, uint64_t tick, struct stack *stack,
		struct machine_stop *stop, struct err *err)
{
	bool rough = false, known = t && m->leap && is_known(t, stack->tick, tick, &rough);

	if ((known && !rough) || (t && !known && t->leapt)) {
		int rc = leap_on(m, t, tick, known, stack, stop, err);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (trail_go(m, t, segment, stack->tick, NULL, stop, err) < 0)
			return -1;
	}
	return walk_trace(m, tick, stack, stop, err);
}

/* The marks stay in the order of their ticks. */
static struct trail_mark *insert(struct trail *t, uint64_t tick)
{
	size_t i = t->n;

	array_grow(t->marks, t->n);
	for (; i > 0 && t->marks[i - 1].stack.tick > tick; i--)
		t->marks[i] = t->marks[i - 1];
	memset(&t->marks[i], 0, sizeof t->marks[i]);
	t->n++;
	return &t->marks[i];
}

int trail_mark_at(struct trail *t, int segment, uint64_t tick, struct machine_mark **mark, struct machine_stop *stop,
		  struct err *err)
{
	struct stack stack = { 0 };
	struct trail_mark *at;
	int rc = trail_go(t->m, t, segment, tick, &stack, stop, err);

	if (rc == 0 && stop->tick < tick)
		rc = trail_go_on(t->m, t, segment, tick, &stack, stop, err);
	if (rc == 0)
		rc = t->m->mark(t->m->self, mark, err);
	if (rc == 0) {
		at = insert(t, tick);
		at->mark = *mark;
		stack_copy(&at->stack, &stack);
		t->laid++;
	}
	stack_free(&stack);
	return rc;
}

void trail_give_mark(struct trail *t, struct machine_mark *mark, struct stack *stack)
{
	struct trail_mark *at = insert(t, stack->tick);

	at->mark = mark;
	at->stack = *stack;
	memset(stack, 0, sizeof *stack);
}
