/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch by halves; watch_scan.c has the search that looks at every stop. */
#include "decompose/watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decompose/watch_priv.h"

void watch_value_free(struct machine_value *value)
{
	free(value->text);
	value->text = NULL;
}

bool watch_differs(const struct machine_value *a, const struct machine_value *b)
{
	if (a->kind != b->kind)
		return true;
	/* Why it is undefined may differ (an address in the message, say) and yet nothing has changed. */
	return a->kind == MACHINE_VALUE && strcmp(a->text ? a->text : "", b->text ? b->text : "") != 0;
}

int watch_eval(struct watch *w, uint64_t done, uint64_t all, struct machine_value *value)
{
	struct machine *m = w->m;

	if (m->progress)
		m->progress(m->self, "searching", done, all, w->result->evaluations);
	w->result->evaluations++;
	*value = (struct machine_value){ .kind = MACHINE_UNDEFINED };
	if (m->eval(m->self, w->expr, w->depth, value, w->err) == 0)
		return 0;
	watch_value_free(value);
	return -1;
}

int watch_mark(struct watch *w, struct machine_mark **mark)
{
	*mark = NULL;
	w->result->snapshots++;
	return w->m->mark(w->m->self, mark, w->err);
}

int watch_go(struct watch *w, struct machine_mark *mark, struct machine_stop *stop)
{
	memset(stop, 0, sizeof *stop);
	if (w->m->go(w->m->self, mark, stop, w->err) < 0)
		return -1;
	return stop->diverged ? walk_diverged(w->err, "after a return to statement %" PRIu64, stop->tick) : 0;
}

void watch_drop(struct watch *w, struct machine_mark **mark)
{
	if (*mark)
		w->m->drop(w->m->self, *mark);
	*mark = NULL;
}

int watch_run(struct watch *w, int segment, uint64_t position, struct machine_stop *stop)
{
	const struct watch_segment *s = &w->segments[segment];

	return walk_run(w->m, position > s->end ? WALK_TO_END : position, stop, w->err);
}

int watch_mark_at(struct watch *w, int segment, uint64_t position, struct machine_mark **mark)
{
	struct machine_stop stop;

	*mark = NULL;
	if (walk_enter(w->m, segment, &stop, w->err) < 0)
		return -1;
	if (position > 0 && watch_run(w, segment, position, &stop) < 0)
		return -1;
	return watch_mark(w, mark);
}

static int trace_segment(struct watch *w, int i, struct watch_segment *s)
{
	struct machine *m = w->m;
	struct stack stack = { 0 };
	struct machine_stop end;

	*s = (struct watch_segment){ .alive = true };
	if (!m->moves(m->self, i))
		return 0;
	if (m->progress)
		m->progress(m->self, "running again", 0, 0, w->result->evaluations);
	if (walk_trace(m, i, WALK_TO_END, &stack, 0, false, &end, w->err) < 0) {
		stack_free(&stack);
		return -1;
	}
	s->end = end.tick;
	s->last = end.inside ? end.tick + 1 : end.tick;
	s->alive = stack.survivors >= w->depth;
	/* A frame deeper than any stop: entered by the statement that the end lies inside. */
	s->birth = stack.depth >= w->depth ? stack.at[w->depth - 1].birth : end.tick + 1;
	stack_free(&stack);
	if (!s->alive && s->birth > s->last)
		return walk_diverged(w->err, "the selected function was not called at the end of a command");
	return 0;
}

bool watch_alive(const struct watch *w, int i)
{
	if (i == w->n)
		return true;
	return i >= w->traced_from && w->segments[i].alive;
}

int watch_trace_to(struct watch *w, int i)
{
	while (w->traced_from > i && watch_alive(w, w->traced_from)) {
		if (trace_segment(w, w->traced_from - 1, &w->segments[w->traced_from - 1]) < 0)
			return -1;
		w->traced_from--;
	}
	return 0;
}

int watch_at_boundary(struct watch *w, int i, struct machine_value *value)
{
	struct machine_stop stop;

	if (watch_trace_to(w, i) < 0)
		return -1;
	if (!watch_alive(w, i)) {
		*value = (struct machine_value){ .kind = MACHINE_UNBORN };
		return 0;
	}
	if (walk_enter(w->m, i, &stop, w->err) < 0)
		return -1;
	return watch_eval(w, 0, 0, value);
}

/* V, at now. */
static int value_now(struct watch *w)
{
	struct machine_stop stop;

	memset(&stop, 0, sizeof stop);
	if (w->m->now) {
		if (w->m->now(w->m->self, &stop, w->err) < 0)
			return -1;
	} else if (walk_enter(w->m, w->n - 1, &stop, w->err) < 0 || walk_run(w->m, WALK_TO_END, &stop, w->err) < 0) {
		return -1;
	}
	if (w->depth < 1 || w->depth > stop.depth)
		return err_set(w->err, "no frame %u to watch `%s' in", w->depth, w->expr);
	if (watch_eval(w, 0, 0, &w->now) < 0)
		return -1;
	if (w->now.kind == MACHINE_UNDEFINED)
		return err_set(w->err, "`%s' has no value here (%s), so there is no statement that gave it one; "
			       "watch an expression that can be evaluated now", w->expr,
			       w->now.text ? w->now.text : "it cannot be evaluated");
	return 0;
}

/* The boundaries *lo, *hi = *lo + 1: another value at *lo (in *before), V at *hi.  Without any: *lo is -1. */
static int search_boundaries(struct watch *w, int *lo, struct machine_value *before)
{
	int hi = w->n, stride = 1;

	for (;;) {
		*lo = hi > stride ? hi - stride : 0;
		if (watch_at_boundary(w, *lo, before) < 0)
			return -1;
		if (watch_differs(before, &w->now))
			break;
		watch_value_free(before);
		if (*lo == 0) {
			*lo = -1;
			return 0;
		}
		hi = *lo;
		stride *= 2;
	}
	while (hi - *lo > 1) {
		int mid = *lo + (hi - *lo) / 2;
		struct machine_value value;

		if (watch_at_boundary(w, mid, &value) < 0)
			return -1;
		if (watch_differs(&value, &w->now)) {
			watch_value_free(before);
			*before = value;
			*lo = mid;
		} else {
			watch_value_free(&value);
			hi = mid;
		}
	}
	return 0;
}

/* Halve lo..hi once.  *mark is at position *lo. */
static int halve(struct watch *w, const struct watch_segment *s, int segment, struct machine_mark **mark, uint64_t *lo,
		 uint64_t *hi, struct machine_value *before)
{
	uint64_t mid = *lo + (*hi - *lo) / 2;
	struct machine_mark *middle;
	struct machine_value value;
	struct machine_stop stop;

	if (watch_go(w, *mark, &stop) < 0 || watch_run(w, segment, mid, &stop) < 0 || watch_mark(w, &middle) < 0)
		return -1;
	if (watch_eval(w, s->last - (*hi - *lo), s->last, &value) < 0) {
		watch_drop(w, &middle);
		return -1;
	}
	if (watch_differs(&value, &w->now)) {
		watch_value_free(before);
		*before = value;
		watch_drop(w, mark);
		*mark = middle;
		*lo = mid;
	} else {
		/* Everything left lies before it: this mark is of no use. */
		watch_value_free(&value);
		watch_drop(w, &middle);
		*hi = mid;
	}
	return 0;
}

static int search_segment(struct watch *w, int segment, struct machine_value *before)
{
	const struct watch_segment *s = &w->segments[segment];
	uint64_t lo = s->alive ? 0 : s->birth - 1, hi = s->last;
	struct machine_mark *mark;
	int rc = 0;

	if (watch_mark_at(w, segment, lo, &mark) < 0)
		return -1;
	while (rc == 0 && hi - lo > 1)
		rc = halve(w, s, segment, &mark, &lo, &hi, before);
	if (rc == 0)
		rc = watch_found(w, segment, mark, lo, lo, before);
	watch_drop(w, &mark);
	return rc;
}

static int search(struct watch *w)
{
	struct machine_value before = { 0 };
	int segment, rc;

	rc = search_boundaries(w, &segment, &before);
	if (rc == 0 && segment < 0)
		w->result->outcome = WATCH_UNPROVEN;
	else if (rc == 0 && w->segments[segment].last == 0)
		watch_found_command(w, segment, &before);
	else if (rc == 0)
		rc = search_segment(w, segment, &before);
	watch_value_free(&before);
	return rc;
}

int watch_search(struct machine *m, const char *expr, uint32_t selected_depth, const struct watch_options *options,
		 struct watch_result *result, struct err *err)
{
	struct watch w = { .m = m, .expr = expr, .depth = selected_depth, .result = result, .err = err };
	int rc;

	memset(result, 0, sizeof *result);
	w.n = w.traced_from = m->segments(m->self);
	if (w.n == 0)
		return err_set(err, "there is no history to search yet");
	w.segments = xcalloc(w.n, sizeof *w.segments);
	rc = value_now(&w);
	if (rc == 0)
		rc = options && options->last ? watch_scan(&w) : search(&w);
	free(w.segments);
	result->after = w.now;
	if (rc < 0)
		watch_result_free(result);
	return rc;
}

void watch_result_free(struct watch_result *result)
{
	reverse_target_free(&result->target);
	watch_value_free(&result->before);
	watch_value_free(&result->after);
}
