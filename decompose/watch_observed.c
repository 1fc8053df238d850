/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch where EXPR can be looked at without disturbing the program: the trace of a segment, which is needed in any
 * case, has looked on its way.
 *
 * What it saw is a hint.  It was seen in a process in which the search's own code was at work, and by other means than the
 * debugger's own evaluation.  So both sides of the change are evaluated as everywhere, in processes that come from a mark at
 * the first; and where that does not hold, the search goes on as if nothing had been seen. */
#include "decompose/watch.h"

#include "decompose/watch_priv.h"

bool watch_observed_constant(const struct watch *w, int segment)
{
	const struct watch_segment *s = &w->segments[segment];

	return s->observed && !s->changed;
}

/* Is V seen at all later stops? */
static bool constant_since(const struct watch *w, int segment)
{
	for (int i = segment; i < w->n; i++)
		if (!watch_observed_constant(w, i))
			return false;
	return true;
}

/* The last position that differs: the one before the birth does. */
static bool last_different(const struct watch_segment *s, uint64_t *k, bool *unborn)
{
	*unborn = !s->changed;
	*k = s->changed ? s->change : s->birth - 1;
	return s->observed && (s->changed || !s->alive) && *k < s->last && (s->alive || *unborn || *k >= s->birth);
}

/* The trail's mark at k, and the value there.  *differs: from V. */
static int value_at(struct watch *w, int segment, uint64_t k, bool unborn, struct machine_mark **mark,
		    struct machine_value *value, bool *differs)
{
	struct machine_stop stop;

	*value = (struct machine_value){ .kind = MACHINE_UNBORN };
	*differs = true;
	if (trail_mark_at(w->segments[segment].trail, segment, k, mark, &stop, w->err) < 0)
		return -1;
	w->result->snapshots++;
	if (unborn)
		return 0;
	if (watch_eval(w, k, w->segments[segment].last, value) < 0)
		return -1;
	*differs = watch_differs(value, &w->now);
	return 0;
}

int watch_found_observed(struct watch *w, int segment)
{
	struct watch_segment *s = &w->segments[segment];
	struct machine_value before;
	struct machine_mark *mark;
	bool unborn, held = false;
	uint64_t k;

	if (!last_different(s, &k, &unborn))
		return 0;
	if (watch_retrace(w, segment) < 0)
		return -1;
	int rc = value_at(w, segment, k, unborn, &mark, &before, &held);
	bool latest = w->result->latest;
	w->result->latest = latest || constant_since(w, segment + 1);
	if (rc == 0 && held)
		rc = watch_found(w, segment, mark, k, k, &before, &held);
	watch_value_free(&before);
	if (rc == 0 && held)
		w->result->target.marked = true;
	else
		w->result->latest = latest;
	return rc < 0 ? -1 : held;
}
