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

/* Nobody looked at a segment that has no stops. */
static bool left_alone(const struct watch *w, int segment)
{
	const struct machine *m = w->m;

	return !m->moves(m->self, segment) && m->leaves_alone && m->leaves_alone(m->self, segment);
}

bool watch_constant_since(const struct watch *w, int segment)
{
	for (int i = segment; i < w->n; i++)
		if (i < w->traced_from || !(watch_observed_constant(w, i) || left_alone(w, i)))
			return false;
	return true;
}

/* An end inside a statement is a position of its own, which no tick was told of: there EXPR is V. */
void watch_note_observed(const struct watch *w, struct watch_segment *s)
{
	s->seen = s->trail->seen;
	s->seen.value.text = NULL;
	s->observed = s->trail->observed && s->seen.whole;
	s->changed = s->observed && s->seen.changes > 0;
	s->change = s->seen.last;
	if (s->observed && s->last > s->end && watch_differs(&s->trail->seen.value, &w->now)) {
		s->changed = true;
		s->change = s->end;
	}
}

/* Only where each of them was looked at: from the start of history, or the birth, to now. */
void watch_count(struct watch *w)
{
	struct watch_result *r = w->result;
	bool valued = false, late = !watch_alive(w, w->traced_from);
	uint64_t changes = 0;
	int before = w->traced_from;

	while (!late && before > 0 && left_alone(w, before - 1))
		before--;
	if (w->misled || w->anywhere || (before > 0 && !late))
		return;
	for (int i = w->traced_from; i < w->n; i++) {
		const struct watch_segment *s = &w->segments[i];

		if (left_alone(w, i))
			continue;
		if (!s->observed || (s->last > s->end && i < w->n - 1))
			return;
		late |= !valued && s->seen.changes != s->seen.since;
		changes += valued ? s->seen.changes : s->seen.since;
		valued |= s->seen.valued;
		if (s->last > s->end && s->changed && s->change == s->end)
			valued ? changes++ : (late = true);
	}
	r->counted = r->outcome != WATCH_FOUND || changes > 0;
	r->changes = changes;
	r->late = r->counted ? late : r->late;
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
	w->result->latest = latest || watch_constant_since(w, segment + 1);
	if (rc == 0 && held)
		rc = watch_found(w, segment, mark, k, k, &before, &held);
	watch_value_free(&before);
	w->misled |= !held;
	if (rc == 0 && held)
		w->result->target.marked = true;
	else
		w->result->latest = latest;
	return rc < 0 ? -1 : held;
}
