/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch --first: every position is looked at, from the start of history or the birth of the activation on, up to the
 * first at which EXPR is no longer what it was when it first had a value.
 *
 * An evaluation may disturb the program, so each position is come to by go() and a run.  To keep those runs short there is a
 * mark every ROW ticks: a row is traced first, for the stack at its end and for the next mark, and then looked at.  Nothing
 * behind the change is run here.  Where a trace has observed a segment, what it saw says which positions are worth a look. */
#include "decompose/watch.h"

#include <string.h>

#include "base/mem.h"
#include "decompose/watch_priv.h"

enum { ROW = 48 };              /* a run of so many ticks is cheaper than a mark */

struct ahead {
	struct watch *w;
	bool based;             /* EXPR has had a value, and was that at all positions since: */
	struct machine_value base;
	bool found;
};

/* The value at the next position, which is taken over.  Another than the base is the change: w->now. */
static void meet(struct ahead *a, struct machine_value *value)
{
	if (a->based && watch_differs(value, &a->base)) {
		a->found = true;
		watch_value_free(&a->w->now);
		a->w->now = *value;
	} else if (!a->based && value->kind == MACHINE_VALUE) {
		a->based = true;
		a->base = *value;
	} else {
		watch_value_free(value);
	}
}

static struct machine_value value_now(const struct watch *w)
{
	return (struct machine_value){ .kind = w->now.kind, .text = w->now.text ? xstrdup(w->now.text) : NULL };
}

/* At a boundary that is come to by no run. */
static int meet_boundary(struct ahead *a, int i)
{
	struct machine_value value;

	if (i == a->w->n)
		value = value_now(a->w);
	else if (watch_at_boundary(a->w, i, &value) < 0)
		return -1;
	meet(a, &value);
	return 0;
}

/* Positions of a segment, from a mark on. */
struct row {
	int segment;
	struct machine_mark *mark;
	struct stack stack;             /* at the mark: its tick is the first position */
};

static void row_free(struct watch *w, struct row *row)
{
	watch_drop(w, &row->mark);
	stack_free(&row->stack);
}

static int look(struct watch *w, const struct row *row, uint64_t k, struct machine_value *value)
{
	const struct watch_segment *s = &w->segments[row->segment];
	uint64_t all = s->last == WATCH_NOT_KNOWN ? 0 : s->last;
	struct machine_stop stop;

	if (watch_go_to(w, row->segment, row->mark, row->stack.tick, k, &stop) < 0)
		return -1;
	if (row->segment != w->n - 1 || k != s->last)
		return watch_eval(w, k, all, value);
	/* This is now, reached by a run. */
	if (watch_check(w, k, all) < 0)
		return -1;
	*value = value_now(w);
	return 0;
}

/* The change comes behind position k, where it has the value `before`, which is taken over. */
static int found(struct watch *w, struct row *row, uint64_t k, struct machine_value *before)
{
	struct reverse_target *target = &w->result->target;

	if (!w->segments[row->segment].trail)
		w->segments[row->segment].trail = trail_empty(w->m);
	if (watch_found(w, row->segment, row->mark, row->stack.tick, k, before, NULL) < 0)
		return -1;
	target->marked = k == row->stack.tick;
	trail_give_mark(target->trail, steal_pointer(&row->mark), &row->stack);
	return 0;
}

/* Behind the mark, up to `last`. */
static int meet_row(struct ahead *a, struct row *row, uint64_t last)
{
	for (uint64_t k = row->stack.tick + 1; k <= last; k++) {
		struct machine_value value;

		if (look(a->w, row, k, &value) < 0)
			return -1;
		meet(a, &value);
		if (a->found)
			return found(a->w, row, k - 1, &a->base);
	}
	return 0;
}

/* What comes behind the row; at the segment's end it has no mark.  *last: the row's last position. */
static int next_row(struct watch *w, const struct row *row, struct row *next, uint64_t *last)
{
	struct watch_segment *s = &w->segments[row->segment];
	struct machine_stop stop;

	*next = (struct row){ .segment = row->segment };
	if (watch_go(w, row->mark, row->stack.tick, &stop) < 0)
		return -1;
	stack_copy(&next->stack, &row->stack);
	if (walk_trace_on(w->m, row->stack.tick + ROW, &next->stack, &stop, w->err) < 0)
		return -1;
	*last = stop.tick;
	if (!stop.end)
		return watch_mark(w, &next->mark);
	s->end = stop.tick;
	s->last = *last = stop.inside ? stop.tick + 1 : stop.tick;
	return 0;
}

static int meet_rows(struct ahead *a, struct row *row)
{
	while (!a->found) {
		struct row next;
		uint64_t last;
		int rc = next_row(a->w, row, &next, &last);

		if (rc == 0)
			rc = meet_row(a, row, last);
		row_free(a->w, row);
		*row = next;
		if (rc < 0 || !next.mark)
			return rc;
	}
	return 0;
}

/* Behind position `from` of a segment, which is a tick. */
static int meet_segment(struct ahead *a, int segment, uint64_t from, bool from_too)
{
	struct watch_segment *s = &a->w->segments[segment];
	struct row row = { .segment = segment };
	struct machine_stop stop;
	int rc;

	rc = trail_go(a->w->m, s->trail, segment, from, &row.stack, &stop, a->w->err);
	if (rc == 0 && from > stop.tick)
		rc = trail_go_on(a->w->m, s->trail, segment, from, &row.stack, &stop, a->w->err);
	if (rc == 0)
		rc = watch_mark(a->w, &row.mark);
	if (rc == 0 && from_too) {
		struct machine_value value;

		rc = look(a->w, &row, from, &value);
		if (rc == 0)
			meet(a, &value);
	}
	if (rc == 0)
		rc = meet_rows(a, &row);
	row_free(a->w, &row);
	return rc;
}

/* The change that was observed, evaluated on both sides.  *held: it is there. */
static int prove(struct ahead *a, int segment, bool *held)
{
	struct watch *w = a->w;
	struct watch_segment *s = &w->segments[segment];
	struct machine_value before = { .text = NULL }, after = { .text = NULL };
	struct row row = { .segment = segment };
	struct machine_mark *mark;
	struct machine_stop stop;
	int rc;

	*held = false;
	if (s->seen.first >= s->end || (!s->alive && s->seen.first < s->birth))
		return 0;
	if (watch_retrace(w, segment) < 0 || trail_mark_at(s->trail, segment, s->seen.first, &mark, &stop, w->err) < 0)
		return -1;
	w->result->snapshots++;
	row.mark = mark;
	row.stack.tick = s->seen.first;
	rc = look(w, &row, s->seen.first, &before);
	*held = rc == 0 && before.kind == MACHINE_VALUE && !(a->based && watch_differs(&before, &a->base));
	if (*held)
		rc = look(w, &row, s->seen.first + 1, &after);
	*held = *held && rc == 0 && watch_differs(&after, &before);
	if (*held) {
		watch_value_free(&w->now);
		w->now = after;
		after.text = NULL;
		a->found = true;
		rc = watch_found(w, segment, mark, s->seen.first, s->seen.first, &before, NULL);
		w->result->target.marked = true;
	}
	watch_value_free(&before);
	watch_value_free(&after);
	return rc;
}

/* Nothing is known of the segment yet.  It is traced up to a change, if that can be observed. */
static int look_ahead(struct watch *w, int segment)
{
	struct trail_wish wish = { .evaluations = w->result->evaluations, .expr = w->expr, .depth = w->depth, .until_change = true };
	struct watch_segment *s = &w->segments[segment];
	struct machine_stop end;

	*s = (struct watch_segment){ .alive = true, .end = WATCH_NOT_KNOWN, .last = WATCH_NOT_KNOWN };
	s->trail = trail_lay(w->m, segment, &wish, &end, w->err);
	if (!s->trail)
		return -1;
	w->result->snapshots += s->trail->laid;
	if (s->trail->observed && end.end) {
		s->end = end.tick;
		s->last = end.inside ? end.tick + 1 : end.tick;
	}
	watch_note_observed(w, s);
	return 0;
}

/* By what was observed.  1: that is all there is to be known of the segment; 0: each position must be looked at. */
static int skim(struct ahead *a, int segment)
{
	const struct watch_segment *s = &a->w->segments[segment];
	bool held = true, goes_on = s->last > s->end;

	if (!s->observed || (a->based && !s->seen.valued))
		return 0;
	if (s->seen.since > 0 && prove(a, segment, &held) < 0)
		return -1;
	if (!held) {
		a->w->misled = true;
		return 0;
	}
	/* Of what value it has been all the while nothing was told. */
	if (s->seen.valued && !a->based && !a->found) {
		if (goes_on)
			return 0;
		if (meet_boundary(a, segment + 1) < 0)
			return -1;
	}
	/* It is V now, and would have been so all the while. */
	if (!a->found && !goes_on && segment == a->w->n - 1 && watch_differs(&a->base, &a->w->now)) {
		a->w->misled = true;
		return 0;
	}
	/* An end inside a statement is no stop, and was not looked at. */
	if (!a->found && goes_on && meet_segment(a, segment, s->end, false) < 0)
		return -1;
	return 1;
}

/* Behind `from`, which is a position of the segment: a->found, or on to the next one. */
static int go_through(struct ahead *a, int segment, uint64_t from, bool from_too)
{
	struct watch *w = a->w;

	if (!w->m->moves(w->m->self, segment)) {
		if (meet_boundary(a, segment + 1) < 0)
			return -1;
		if (a->found)
			watch_found_command(w, segment, &a->base);
		return 0;
	}
	int rc = w->anywhere ? look_ahead(w, segment) : 0;
	if (rc == 0)
		rc = skim(a, segment);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (from > 0 && from > w->segments[segment].end)        /* born in the statement that the end lies inside */
		return meet_boundary(a, segment + 1);
	return meet_segment(a, segment, from, from_too);
}

int watch_first(struct watch *w)
{
	struct ahead a = { .w = w };
	uint64_t from = 0;
	int i, rc = watch_trace_to(w, 0);

	w->result->outcome = WATCH_NEVER_CHANGED;
	w->progress.doing = "the first change";
	w->progress.towards = MACHINE_FORWARDS;
	if (rc < 0)
		return -1;
	i = w->anywhere ? 0 : w->traced_from;
	if (!watch_alive(w, i))
		from = w->segments[i].birth;
	else
		rc = meet_boundary(&a, i);
	w->result->late = !a.based;
	for (bool born = from > 0; rc == 0 && !a.found && i < w->n; i++, from = 0, born = false) {
		rc = go_through(&a, i, from, born);
		watch_forget(w, i);
	}
	watch_value_free(&a.base);
	return rc;
}
