/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch by halves; watch_scan.c and watch_first.c have the searches that look at every stop. */
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

static void tell_progress(struct watch *w)
{
	w->progress.evaluations = w->result->evaluations;
	if (w->m->progress)
		w->m->progress(w->m->self, &w->progress);
}

int watch_eval(struct watch *w, uint64_t done, uint64_t all, struct machine_value *value)
{
	struct machine *m = w->m;

	w->progress.done = done;
	w->progress.all = all;
	tell_progress(w);
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

int watch_go(struct watch *w, struct machine_mark *mark, uint64_t position, struct machine_stop *stop)
{
	return walk_go(w->m, mark, position, stop, w->err);
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
	struct machine *m = w->m;

	/* The user hears of a long run on its way. */
	while (position - stop->tick > trail_limits.piece && s->end - stop->tick > trail_limits.piece) {
		if (walk_run(m, stop->tick + trail_limits.piece, stop, w->err) < 0)
			return -1;
		tell_progress(w);
	}
	return walk_run(m, position > s->end ? WALK_TO_END : position, stop, w->err);
}

int watch_mark_at(struct watch *w, int segment, uint64_t position, struct machine_mark **mark)
{
	struct machine_stop stop;

	*mark = NULL;
	if (trail_go(w->m, w->segments[segment].trail, segment, position, NULL, &stop, w->err) < 0)
		return -1;
	if (position > stop.tick && watch_run(w, segment, position, &stop) < 0)
		return -1;
	return watch_mark(w, mark);
}

void watch_forget(struct watch *w, int segment)
{
	struct watch_segment *s = &w->segments[segment];

	if (!s->trail || s->trail->n == 0)
		return;
	trail_drop_marks(s->trail);
	s->trodden = true;
}

/* The trail of the shortest segment goes, when there are too many: it is the quickest to trace again. */
static void forget_shortest(struct watch *w, int from)
{
	size_t trails = 0;
	int shortest = -1;

	for (int i = from; i < w->n; i++) {
		const struct watch_segment *s = &w->segments[i];

		if (!s->trail || s->trail->n == 0)
			continue;
		trails++;
		if (shortest < 0 || s->end < w->segments[shortest].end)
			shortest = i;
	}
	if (trails > trail_limits.trails)
		watch_forget(w, shortest);
}

static int lay_trail(struct watch *w, int i, bool observe, struct machine_stop *end)
{
	struct trail_wish wish = { .evaluations = w->result->evaluations, .expr = observe ? w->expr : NULL, .depth = w->depth,
				   .leaps = true, .watched = w->depth };
	struct watch_segment *s = &w->segments[i];

	s->trail = trail_lay(w->m, i, &wish, end, w->err);
	if (!s->trail)
		return -1;
	w->result->snapshots += s->trail->laid;
	return 0;
}

int watch_retrace(struct watch *w, int i)
{
	struct watch_segment *s = &w->segments[i];
	struct machine_stop end;

	if (!s->trodden)
		return 0;
	s->trodden = false;
	trail_free(s->trail);
	return lay_trail(w, i, false, &end);
}

int watch_check(struct watch *w, uint64_t done, uint64_t all)
{
	struct machine_value value;
	int rc = 0;

	if (watch_eval(w, done, all, &value) < 0)
		return -1;
	if (watch_differs(&value, &w->now))
		rc = walk_diverged(w->err, "`%s' was %s, and is now %s at the same statement", w->expr,
				   w->now.text ? w->now.text : "undefined", value.text ? value.text : "undefined");
	watch_value_free(&value);
	return rc;
}

static int trace_segment(struct watch *w, int i, struct watch_segment *s)
{
	struct machine_stop end;
	const struct stack *stack;

	*s = (struct watch_segment){ .alive = true };
	if (!w->m->moves(w->m->self, i))
		return 0;
	if (lay_trail(w, i, w->observes, &end) < 0)
		return -1;
	stack = &s->trail->stack;
	s->end = end.tick;
	s->last = end.inside ? end.tick + 1 : end.tick;
	s->alive = stack->survivors >= w->depth;
	/* A frame deeper than any stop: entered by the statement that the end lies inside. */
	s->birth = stack->depth >= w->depth && !(end.inside && end.depth < w->depth) ? stack->at[w->depth - 1].birth : end.tick + 1;
	if (!s->alive && s->birth > s->last)
		return walk_diverged(w->err, "the selected function was not called at the end of a command");
	forget_shortest(w, i);
	watch_note_observed(w, s);
	/* This is now, reached by a run: what EXPR depends on is the same, or the search would find nothing true. */
	return i == w->n - 1 && (end.inside || end.depth >= w->depth) ? watch_check(w, 0, 0) : 0;
}

bool watch_alive(const struct watch *w, int i)
{
	if (i == w->n || w->anywhere)
		return true;
	return i >= w->traced_from && w->segments[i].alive;
}

int watch_trace_to(struct watch *w, int i)
{
	while (!w->anywhere && w->traced_from > i && watch_alive(w, w->traced_from)) {
		if (trace_segment(w, w->traced_from - 1, &w->segments[w->traced_from - 1]) < 0)
			return -1;
		w->traced_from--;
	}
	return 0;
}

int watch_undefined(const char *expr, const struct machine_value *now, struct err *err)
{
	return err_set(err, "`%s' has no value here (%s), so there is no statement that gave it one; "
		       "watch an expression that can be evaluated now", expr, now->text ? now->text : "it cannot be evaluated");
}

/* V, at now. */
static int value_now(struct watch *w)
{
	struct machine_stop stop;

	memset(&stop, 0, sizeof stop);
	if (w->m->now(w->m->self, &stop, w->err) < 0)
		return -1;
	if (w->depth < 1 || w->depth > stop.depth)
		return err_set(w->err, "no frame %u to watch `%s' in", w->depth, w->expr);
	if (watch_eval(w, 0, 0, &w->now) < 0)
		return -1;
	if (w->now.kind == MACHINE_UNDEFINED)
		return watch_undefined(w->expr, &w->now, w->err);
	return 0;
}

/* What is left of a segment: another value at lo, V at hi.  The mark at lo is the trail's or `own`. */
struct halves {
	int segment;
	uint64_t lo, hi;
	struct machine_mark *mark, *own;
	struct stack stack;             /* at lo, where the machine can leap */
	struct machine_value *before;   /* at lo */
};

/* Evaluate at `middle`, where the machine is.  1: it is the new lo, and 0: the new hi. */
static int halve(struct watch *w, struct halves *h, uint64_t middle)
{
	uint64_t last = w->segments[h->segment].last;
	struct machine_value value;

	if (watch_eval(w, last - (h->hi - h->lo), last, &value) < 0)
		return -1;
	if (watch_differs(&value, &w->now)) {
		watch_value_free(h->before);
		*h->before = value;
		h->lo = middle;
		return 1;
	}
	watch_value_free(&value);
	h->hi = middle;
	return 0;
}

/* The trail's marks first: evaluating there needs no run. */
static int halve_trail(struct watch *w, struct halves *h)
{
	const struct trail *trail = w->segments[h->segment].trail;
	size_t first = 0, past = trail->n;

	while (first < past && trail->marks[first].stack.tick <= h->lo)
		first++;
	while (first < past && trail->marks[past - 1].stack.tick >= h->hi)
		past--;
	while (first < past) {
		size_t i = first + (past - first) / 2;
		uint64_t tick = trail->marks[i].stack.tick;
		struct machine_stop stop;
		int differs;

		if (watch_go(w, trail->marks[i].mark, tick, &stop) < 0)
			return -1;
		differs = halve(w, h, tick);
		if (differs < 0)
			return -1;
		if (differs) {
			h->mark = trail->marks[i].mark;
			stack_copy(&h->stack, &trail->marks[i].stack);
			first = i + 1;
		} else {
			past = i;
		}
	}
	return 0;
}

/* Then by ticks, with a mark in the middle; no part of the stretch is run twice. */
static int halve_stretch(struct watch *w, struct halves *h)
{
	uint64_t middle = h->lo + (h->hi - h->lo) / 2;
	struct machine_mark *mark;
	struct machine_stop stop;
	int differs;

	if (watch_go_to(w, h->segment, h->mark, h->lo, middle, &stop) < 0 || watch_mark(w, &mark) < 0)
		return -1;
	differs = halve(w, h, middle);
	if (differs > 0) {
		if (w->m->leap)
			stack_leap(&h->stack, &stop, 0);
		watch_drop(w, &h->own);
		h->own = h->mark = mark;
		return 0;
	}
	/* Everything left lies before it: this mark is of no use. */
	watch_drop(w, &mark);
	return differs;
}

static int mark_lo(struct watch *w, struct halves *h)
{
	struct trail *trail = w->segments[h->segment].trail;
	struct machine_stop stop;

	if (trail_go(w->m, trail, h->segment, h->lo, &h->stack, &stop, w->err) < 0)
		return -1;
	if (h->lo > stop.tick && trail_go_on(w->m, trail, h->segment, h->lo, &h->stack, &stop, w->err) < 0)
		return -1;
	if (watch_mark(w, &h->own) < 0)
		return -1;
	h->mark = h->own;
	return 0;
}

/* Both sides were evaluated from the mark that the halving has ended at: the user gets the process of that one. */
static void give_mark(struct watch *w, struct halves *h)
{
	struct reverse_target *target = &w->result->target;

	if (h->own)
		trail_give_mark(target->trail, steal_pointer(&h->own), &h->stack);
	target->marked = true;
}

static int halve_to_end(struct watch *w, struct halves *h)
{
	int rc = 0;

	if (!h->mark)
		rc = mark_lo(w, h);
	while (rc == 0 && h->hi - h->lo > 1)
		rc = halve_stretch(w, h);
	if (rc == 0)
		rc = watch_found(w, h->segment, h->mark, h->lo, h->lo, h->before, NULL);
	if (rc == 0 && w->m->leap)
		give_mark(w, h);
	watch_drop(w, &h->own);
	stack_free(&h->stack);
	return rc;
}

static int search_segment(struct watch *w, int segment, struct machine_value *before)
{
	const struct watch_segment *s = &w->segments[segment];
	struct halves h = { .segment = segment, .lo = s->alive ? 0 : s->birth - 1, .hi = s->last, .before = before };
	int rc = watch_found_observed(w, segment);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (watch_retrace(w, segment) < 0 || halve_trail(w, &h) < 0) {
		stack_free(&h.stack);
		return -1;
	}
	return halve_to_end(w, &h);
}

/* The latest mark of the segment at which there is another value, if there is one. */
static int other_mark(struct watch *w, struct halves *h)
{
	const struct trail *trail = w->segments[h->segment].trail;

	for (size_t i = trail->n; i-- > 0 && !h->mark;) {
		uint64_t tick = trail->marks[i].stack.tick;
		struct machine_stop stop;
		int differs = 0;

		if (tick == 0 || tick >= h->hi)
			continue;
		if (watch_go(w, trail->marks[i].mark, tick, &stop) < 0 || (differs = halve(w, h, tick)) < 0)
			return -1;
		if (differs) {
			h->mark = trail->marks[i].mark;
			stack_copy(&h->stack, &trail->marks[i].stack);
		}
	}
	return 0;
}

/* Is there a mark for other_mark()? */
static bool has_marks(const struct watch *w, int segment)
{
	const struct watch_segment *s = &w->segments[segment];

	for (size_t i = 0; i < s->trail->n; i++)
		if (s->trail->marks[i].stack.tick > 0 && s->trail->marks[i].stack.tick < s->last)
			return true;
	return false;
}

/* V at the start of history too.  If it ever was another value, then in between: marks are where that is cheap to see, the
 * latest first, as long as it is not too much.  *lo: as of watch_boundaries(), where a boundary differs after all. */
static int search_marks(struct watch *w, int *lo, struct machine_value *before)
{
	unsigned most = w->result->evaluations + WATCH_AT_MARKS;
	int hi = w->n;

	for (int i = w->n - 1; i >= 0 && w->result->evaluations < most; i--) {
		struct halves h = { .segment = i, .hi = w->segments[i].last, .before = before };

		if (!w->m->moves(w->m->self, i) || watch_observed_constant(w, i))
			continue;
		int rc = watch_constant_since(w, i + 1) ? watch_found_observed(w, i) : 0;
		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (watch_retrace(w, i) < 0)
			return -1;
		if (!has_marks(w, i))
			continue;
		if (i + 1 < hi) {
			if (watch_at_boundary(w, i + 1, before) < 0)
				return -1;
			if (watch_differs(before, &w->now)) {
				*lo = i + 1;
				return watch_halve_boundaries(w, lo, hi, before);
			}
			watch_value_free(before);
			hi = i + 1;
		}
		if (other_mark(w, &h) < 0)
			return -1;
		if (h.mark)
			return halve_to_end(w, &h);
		watch_forget(w, i);
	}
	w->result->outcome = watch_constant_since(w, 0) ? WATCH_NEVER_CHANGED : WATCH_UNPROVEN;
	return 0;
}

static int search(struct watch *w)
{
	struct machine_value before = { 0 };
	int segment, rc;

	rc = watch_boundaries(w, &segment, &before);
	if (rc == 0 && segment < 0)
		rc = search_marks(w, &segment, &before);
	if (rc == 0 && segment >= 0 && w->segments[segment].last == 0)
		watch_found_command(w, segment, &before);
	else if (rc == 0 && segment >= 0)
		rc = search_segment(w, segment, &before);
	watch_value_free(&before);
	return rc;
}

int watch_search(struct machine *m, const char *expr, uint32_t selected_depth, const struct watch_options *options,
		 struct watch_result *result, struct err *err)
{
	enum watch_which which = options ? options->which : WATCH_ANY;
	struct watch w = { .m = m, .expr = expr, .depth = selected_depth, .result = result, .err = err,
			   .observes = which != WATCH_ANY || !m->leap, .anywhere = which == WATCH_FIRST && options->anywhere, .progress.doing = "searching" };
	int rc;

	memset(result, 0, sizeof *result);
	w.n = w.traced_from = m->segments(m->self);
	if (w.n == 0)
		return err_set(err, "there is no history to search yet");
	w.segments = xcalloc(w.n, sizeof *w.segments);
	rc = value_now(&w);
	if (rc == 0)
		rc = which == WATCH_ANY ? search(&w) : which == WATCH_LAST ? watch_scan(&w) : watch_first(&w);
	if (rc == 0)
		watch_count(&w);
	for (int i = 0; i < w.n; i++)
		trail_free(w.segments[i].trail);
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
