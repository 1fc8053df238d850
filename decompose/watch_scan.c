/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch --last, and what the two searches say of the place found.
 *
 * The scan looks at every position from now backwards.  An evaluation may disturb the program, so each position is come
 * to by go() and a run.  To keep those runs short the segment is scanned stretch by stretch between the marks of its trail,
 * the last one first.  A long stretch is cut into PARTS with a mark at each cut, the last part is scanned (cut again while
 * it is long), then the one before.  The marks are PARTS a level at most, and the runs are the stretch once a level: for N
 * positions, log16(N) levels. */
#include "decompose/watch.h"

#include <string.h>

#include "base/mem.h"
#include "decompose/watch_priv.h"

#define PARTS 16
#define SHORT 48                /* a run of this many ticks is cheaper than a mark */

/* After a return stop the activation is over: what happens up to the next stop is done by its caller's statement, unless
 * now lies inside the return itself.  An exception that passes through leaves its frame when the next stop is higher. */
static bool done_by_caller(const struct machine_stop *at, const struct machine_stop *next)
{
	if (at->kind == MACHINE_RETURN)
		return !next->inside || next->depth < at->depth;
	return at->kind == MACHINE_EXCEPTION && next->depth < at->depth;
}

/* Where returns are no stops: frame after frame returns from `at`, the last stop of the innermost, up to that of `next`.
 * As long as the value is as before, the rest of the caller's statement is the one to blame.  0: that at `at` is.
 * *sure: it was possible to look everywhere. */
static int find_guilty(struct watch *w, const struct machine_stop *at, const struct machine_stop *next,
		       const struct machine_value *before, uint32_t *guilty, bool *sure)
{
	for (uint32_t depth = at->depth; depth > next->depth && depth > w->depth; depth--) {
		struct machine_value then = { .text = NULL };
		struct machine_mark *mark;
		struct machine_stop stop;
		bool differs;

		if (w->m->leave(w->m->self, depth, sure, w->err) < 0)
			return -1;
		if (!*sure)
			return 0;
		if (watch_mark(w, &mark) < 0)
			return -1;
		int r = watch_eval(w, 1, 1, &then) < 0 || w->m->go(w->m->self, mark, &stop, w->err) < 0 ? -1 : 0;
		watch_drop(w, &mark);
		differs = watch_differs(&then, before);
		watch_value_free(&then);
		if (r < 0 || differs)
			return r;
		*guilty = depth - 1;
	}
	return 0;
}

static bool is_last_position(const struct watch *w, int segment, uint64_t position)
{
	return segment == w->n - 1 && position == w->segments[segment].last;
}

static void fill(struct watch *w, int segment, uint64_t k, struct machine_value *before)
{
	struct watch_result *r = w->result;

	r->outcome = WATCH_FOUND;
	reverse_found(&r->target, segment, k, steal_pointer(&w->segments[segment].trail));
	watch_value_free(&r->before);
	r->before = *before;
	before->text = NULL;
}

/* Is EXPR V here? */
static int holds(struct watch *w, bool *held)
{
	struct machine_value value;

	if (!held)
		return watch_check(w, 1, 1);
	if (watch_eval(w, 1, 1, &value) < 0)
		return -1;
	*held = !watch_differs(&value, &w->now);
	watch_value_free(&value);
	return 0;
}

int watch_found(struct watch *w, int segment, struct machine_mark *mark, uint64_t marked, uint64_t k,
		struct machine_value *before, bool *held)
{
	struct machine_stop at, next;

	if (watch_go_to(w, segment, mark, marked, k, &at) < 0)
		return -1;
	next = at;
	if (watch_run(w, segment, k + 1, &next) < 0 || holds(w, held) < 0)
		return -1;
	if (held && !*held)
		return 0;
	fill(w, segment, k, before);
	w->result->target.depth = at.depth;
	w->result->inside = k == 0 && at.inside;
	w->result->in_caller = !w->result->inside && done_by_caller(&at, &next);
	w->result->latest = w->result->latest || is_last_position(w, segment, k + 1);
	if (!w->m->leave || w->result->inside || next.depth >= at.depth || w->depth >= at.depth)
		return 0;
	if (watch_go_to(w, segment, mark, marked, k, &at) < 0)
		return -1;
	bool sure = true;
	int r = find_guilty(w, &at, &next, &w->result->before, &w->result->guilty_depth, &sure);
	w->result->in_caller = w->result->guilty_depth > 0;
	w->result->unsure = !sure;
	return r;
}

void watch_found_command(struct watch *w, int segment, struct machine_value *before)
{
	fill(w, segment, 0, before);
	w->result->by_command = true;
	w->result->latest = w->result->latest || segment == w->n - 1;
}

/* Is the value another at some position in [lo, hi)?  The last such: *k.  The mark is at lo. */
struct scan {
	int segment;
	bool found;
	uint64_t k;
	struct machine_value before;
};

static int scan_short(struct watch *w, struct scan *scan, struct machine_mark *mark, uint64_t lo, uint64_t hi)
{
	for (uint64_t k = hi; k-- > lo && !scan->found; ) {
		uint64_t last = w->segments[scan->segment].last;
		struct machine_stop stop;

		if (watch_go_to(w, scan->segment, mark, lo, k, &stop) < 0)
			return -1;
		if (watch_eval(w, last - k, last, &scan->before) < 0)
			return -1;
		if (watch_differs(&scan->before, &w->now)) {
			scan->found = true;
			scan->k = k;
			return watch_found(w, scan->segment, mark, lo, k, &scan->before, NULL);
		}
		watch_value_free(&scan->before);
	}
	return 0;
}

static int scan_long(struct watch *w, struct scan *scan, struct machine_mark *mark, uint64_t lo, uint64_t hi)
{
	struct machine_mark *marks[PARTS] = { mark };
	uint64_t part = (hi - lo + PARTS - 1) / PARTS;
	struct machine_stop stop;
	int n = 1, rc;

	if (hi - lo <= SHORT)
		return scan_short(w, scan, mark, lo, hi);
	rc = watch_go(w, mark, lo, &stop);
	for (; rc == 0 && n < PARTS && lo + n * part < hi; n++) {
		rc = watch_run(w, scan->segment, lo + n * part, &stop);
		if (rc == 0)
			rc = watch_mark(w, &marks[n]);
		if (rc < 0)
			break;
	}
	while (n-- > 0) {
		if (rc == 0 && !scan->found)
			rc = scan_long(w, scan, marks[n], lo + n * part, hi);
		hi = lo + n * part;
		if (n > 0)
			watch_drop(w, &marks[n]);
	}
	return rc;
}

/* The activation was born here: the stop before is the answer, when it has had V ever since. */
static int scan_birth(struct watch *w, struct scan *scan)
{
	const struct watch_segment *s = &w->segments[scan->segment];
	struct machine_value unborn = { .kind = MACHINE_UNBORN };
	struct machine_mark *mark;
	int rc;

	if (watch_mark_at(w, scan->segment, s->birth - 1, &mark) < 0)
		return -1;
	rc = watch_found(w, scan->segment, mark, s->birth - 1, s->birth - 1, &unborn, NULL);
	scan->found = rc == 0;
	watch_drop(w, &mark);
	return rc;
}

/* Stretch by stretch between the marks of its trail. */
static int scan_trail(struct watch *w, struct scan *scan, uint64_t lo)
{
	const struct trail *trail = w->segments[scan->segment].trail;
	uint64_t hi = w->segments[scan->segment].last;
	struct machine_mark *mark;
	int rc;

	for (size_t i = trail->n; i-- > 0 && trail->marks[i].stack.tick >= lo; ) {
		uint64_t tick = trail->marks[i].stack.tick;

		if (tick >= hi)
			continue;
		rc = scan_long(w, scan, trail->marks[i].mark, tick, hi);
		if (rc < 0 || scan->found)
			return rc;
		hi = tick;
	}
	if (lo >= hi)
		return 0;
	if (watch_mark_at(w, scan->segment, lo, &mark) < 0)
		return -1;
	rc = scan_long(w, scan, mark, lo, hi);
	watch_drop(w, &mark);
	return rc;
}

static int scan_segment(struct watch *w, struct scan *scan)
{
	const struct watch_segment *s = &w->segments[scan->segment];
	int rc;

	if (s->last == 0) {
		if (watch_at_boundary(w, scan->segment, &scan->before) < 0)
			return -1;
		scan->found = watch_differs(&scan->before, &w->now);
		if (scan->found)
			watch_found_command(w, scan->segment, &scan->before);
		watch_value_free(&scan->before);
		return 0;
	}
	rc = watch_found_observed(w, scan->segment);
	scan->found = rc > 0;
	if (rc != 0 || (s->alive && watch_observed_constant(w, scan->segment)))
		return rc < 0 ? -1 : 0;
	rc = scan_trail(w, scan, s->alive ? 0 : s->birth);
	if (rc == 0 && !scan->found && !s->alive)
		rc = scan_birth(w, scan);
	return rc;
}

int watch_scan(struct watch *w)
{
	struct scan scan = { .segment = w->n - 1 };
	int rc = 0;

	w->result->outcome = WATCH_NEVER_CHANGED;
	w->result->latest = true;
	w->progress.doing = "the last change";
	w->progress.towards = MACHINE_BACKWARDS;
	for (; rc == 0 && !scan.found && scan.segment >= 0; scan.segment--) {
		rc = watch_trace_to(w, scan.segment);
		if (rc == 0)
			rc = scan_segment(w, &scan);
		watch_forget(w, scan.segment);
	}
	watch_value_free(&scan.before);
	return rc;
}
