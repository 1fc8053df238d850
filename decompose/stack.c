/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decompose/stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct stack_run {
	struct stack_run *before;       /* NULL: this is the first */
	uint64_t count;
	unsigned refs;
	enum path_word word;
};

static struct stack_run *run_ref(struct stack_run *r)
{
	if (r)
		r->refs++;
	return r;
}

static void run_unref(struct stack_run *r)
{
	while (r && --r->refs == 0) {
		struct stack_run *before = r->before;

		free(r);
		r = before;
	}
}

/* The path r and `count` times word.  Consumes the caller's reference to r, returns one. */
static struct stack_run *run_append(struct stack_run *r, enum path_word word, uint64_t count)
{
	struct stack_run *longer;

	if (count == 0)
		return r;
	if (r && r->word == word && r->refs == 1) {
		r->count += count;
		return r;
	}
	longer = xmalloc(sizeof *longer);
	*longer = (struct stack_run){ .before = r, .count = count, .refs = 1, .word = word };
	if (r && r->word == word) {
		longer->before = run_ref(r->before);
		longer->count += r->count;
		run_unref(r);
	}
	return longer;
}

void stack_recent_add(struct stack_recent *recent, uint64_t tick, size_t keep)
{
	if (keep == 0)
		return;
	/* At twice as many, the older half goes: two copied words a tick at most. */
	if (recent->n >= keep && recent->n - keep >= keep) {
		memmove(recent->ticks, recent->ticks + recent->n - keep, keep * sizeof *recent->ticks);
		recent->n = keep;
	}
	if (recent->n == recent->room) {
		recent->room = recent->room ? 2 * recent->room : 4;
		recent->ticks = xrealloc(recent->ticks, recent->room * sizeof *recent->ticks);
	}
	recent->ticks[recent->n++] = tick;
}

/* A new activation at the next depth.  Its row of stops is reused from the one that was there before. */
static void push(struct stack *s, uint64_t birth)
{
	struct stack_activation *a;

	if (s->depth == s->room) {
		uint32_t room = s->room ? 2 * s->room : 16;

		s->at = xrealloc(s->at, room * sizeof *s->at);
		memset(s->at + s->room, 0, (room - s->room) * sizeof *s->at);
		s->room = room;
	}
	a = &s->at[s->depth++];
	a->birth = birth;
	a->recent.n = 0;
	a->on_path = false;
	a->first = NULL;
	a->nexts = 0;
}

static void pop_to(struct stack *s, uint32_t depth)
{
	while (s->depth > depth) {
		struct stack_activation *a = &s->at[--s->depth];

		run_unref(a->first);
		a->first = NULL;
		a->on_path = false;
	}
}

void stack_start(struct stack *s, const struct machine_stop *start, size_t keep, bool paths)
{
	pop_to(s, 0);
	s->keep = keep;
	s->paths = paths;
	do
		push(s, STACK_BEFORE);
	while (s->depth < start->depth);
	s->survivors = s->depth;
	s->tick = start->tick;
	s->is_stop = !start->inside;
	s->kind = start->inside ? MACHINE_LINE : start->kind;
	s->at[s->depth - 1].on_path = true;
}

void stack_record(struct stack *s)
{
	stack_recent_add(&s->at[s->depth - 1].recent, s->tick, s->keep);
}

/* The path to the next stop as reached from the present one, before the present activation goes away. */
static struct stack_run *path_from_here(const struct stack *s)
{
	const struct stack_activation *a = &s->at[s->depth - 1];
	struct stack_run *r = run_append(run_ref(a->first), PATH_NEXT, a->nexts);

	return run_append(r, PATH_STEP, 1);
}

/* The outermost activations that live on, when the next stop is of that kind and depth. */
static uint32_t ends_above(const struct stack *s, uint8_t kind, uint32_t depth)
{
	/* After its return stop an activation is over, also when the next stop is deeper: then the depth between is that
	 * of another frame, which no stop tells of. */
	if (s->kind == MACHINE_RETURN && depth > s->depth)
		return s->depth - 1;
	return kind == MACHINE_CALL ? depth - 1 : depth;
}

void stack_arrive(struct stack *s, const struct machine_tick *tick)
{
	uint32_t depth = tick->depth ? tick->depth : 1;
	uint32_t unbroken = ends_above(s, tick->kind, depth);
	struct stack_activation *a;
	struct stack_run *first = NULL;
	bool known, steps;

	if (s->is_stop)
		stack_record(s);
	s->is_stop = true;
	s->tick++;
	known = unbroken == depth && depth <= s->depth && s->at[depth - 1].on_path;
	/* A debugger's `next` passes over the return stop of a generator; `step` stops there as at any other. */
	steps = !known || (tick->kind == MACHINE_RETURN && s->depth == depth);
	if (s->paths && steps)
		first = path_from_here(s);
	pop_to(s, unbroken);
	if (unbroken < s->survivors)
		s->survivors = unbroken;
	while (s->depth < depth)
		push(s, s->tick);
	s->kind = tick->kind;
	a = &s->at[depth - 1];
	if (!steps) {
		a->nexts++;
		return;
	}
	a->on_path = true;
	run_unref(a->first);
	a->first = first;
	a->nexts = 0;
}

void stack_leap(struct stack *s, const struct machine_stop *stop, uint32_t watched)
{
	const struct stack_activation *from = &s->at[s->depth - 1];
	uint32_t depth = stop->depth ? stop->depth : 1, kept = watched < depth ? watched : depth;
	struct stack_run *first = NULL;

	if (s->paths) {
		first = run_append(run_ref(from->first), PATH_NEXT, from->nexts);
		first = run_append(first, PATH_STEP, stop->tick - s->tick);
	}
	pop_to(s, kept);
	if (s->depth < s->survivors)
		s->survivors = s->depth;
	for (uint32_t i = 0; i < s->depth; i++) {
		run_unref(s->at[i].first);
		s->at[i].first = NULL;
		s->at[i].on_path = false;
	}
	while (s->depth < depth)
		push(s, stop->tick);
	s->tick = stop->tick;
	s->kind = stop->kind;
	s->is_stop = true;
	s->at[depth - 1].on_path = true;
	s->at[depth - 1].first = first;
	s->at[depth - 1].nexts = 0;
}

void stack_copy(struct stack *to, const struct stack *from)
{
	stack_free(to);
	*to = *from;
	to->keep = 0;
	to->room = from->depth;
	to->at = xmalloc(to->room * sizeof *to->at);
	for (uint32_t i = 0; i < to->depth; i++) {
		to->at[i] = from->at[i];
		to->at[i].recent = (struct stack_recent){ 0 };
		run_ref(to->at[i].first);
	}
}

void stack_free(struct stack *s)
{
	pop_to(s, 0);
	for (uint32_t i = 0; i < s->room; i++)
		free(s->at[i].recent.ticks);
	free(s->at);
	memset(s, 0, sizeof *s);
}

size_t stack_stops(const struct stack *s, uint32_t depth)
{
	if (depth == 0 || depth > s->depth)
		return 0;
	return s->at[depth - 1].recent.n < s->keep ? s->at[depth - 1].recent.n : s->keep;
}

uint64_t stack_stop(const struct stack *s, uint32_t depth, size_t back)
{
	const struct stack_recent *recent = &s->at[depth - 1].recent;

	return recent->ticks[recent->n - 1 - back];
}

void stack_path(const struct stack *s, struct path *to)
{
	const struct stack_activation *a = &s->at[s->depth - 1];
	struct stack_run *last = run_append(run_ref(a->first), PATH_NEXT, a->nexts);
	size_t n = 0;

	for (struct stack_run *r = last; r; r = r->before)
		n++;
	to->n = n;
	to->runs = n ? xmalloc(n * sizeof *to->runs) : NULL;
	for (struct stack_run *r = last; r; r = r->before)
		to->runs[--n] = (struct path_run){ .word = r->word, .count = r->count };
	run_unref(last);
}
