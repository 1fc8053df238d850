/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The latest change in a run that is too long for the clock, of what the processor can watch: from a point at which the value is
 * another, or where none is known from a point near its end, the run is made once more at full speed, and the debugger counts the changes;
 * where there is none, from an earlier point.  The last one is then gone to as in a program with threads (session_threads.c), and so is
 * proven.
 *
 * The present may lie in the middle of the run, where a reverse move has led.  Then the statements since the last place from where the
 * run can be made again are gone through first, and the changes that come behind that place are counted, and left out.
 *
 * Cost: from each of those points one run, from the last of them three, and half a millisecond a change. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_look.h"
#include "fred/session_points.h"
#include "fred/session_split.h"
#include "fred/session_threads.h"

/* The run behind `base` as one segment: *turn. */
static void open_from(struct session *s, struct departure *d, struct node *base, const struct node *end, struct turn *turn)
{
	turn->d = *d;
	turn->end = *end;
	turn->end.parent = base;
	char *given = end->given ? end->given : end->command;
	bool rest = base != timeline_run_start(end);
	turn->end.command = rest ? (char *)(uintptr_t)s->adapter->go_on_command : given;
	turn->end.given = rest ? given : NULL;
	turn->end.state = end->state ? xstrdup(end->state) : NULL;
	turn->d.m = machine_open_between(s, base, &turn->end, &turn->d.fm);
}

/* Or may: of a place beside the way to the end it is not known. */
static bool reads_input(const struct node *from, const struct node *to)
{
	if (!timeline_is_above(from, to))
		from = timeline_run_start(from);
	while (to != from && !to->typed.len && !to->eofs)
		to = to->parent;
	return to != from;
}

static void forget_value(struct watch_result *result)
{
	free(result->after.text);
	result->after = (struct machine_value){0};
}

/* Where the search stands: nothing has changed since then. */
struct past {
	struct node *end;               /* of the command; */
	struct node *at;                /* it, or a place on its way, ... */
	uint64_t behind;                /* ... with so many changes between the two */
	struct look look;
};

enum { FURTHER = 2 };

/* Is there a change behind `base`?  1: found; 0: there is none, or it cannot be told: *never.  FURTHER: but from an earlier one. */
static int look_from(struct session *s, struct departure *d, const char *expr, struct node *base, const struct past *past,
		     struct watch_result *result, struct culprit *culprit, struct turn *turn, bool *never, struct err *err)
{
	progress_line("watching %s in the last %.1f s; ^C stops", expr, (double)(past->end->ran_us - base->ran_us) / 1e6);
	open_from(s, d, base, past->end, turn);
	forget_value(result);
	int r = threads_hunt(s, &turn->d, expr, MOST_CHANGES, &past->look.now, past->behind, result, culprit, err);
	d->other_values |= turn->d.other_values;
	*never = r == 1 && result->outcome == WATCH_NEVER_CHANGED;
	if (r == 1 && !*never)
		return 1;
	/* The present value, should there be nothing else to tell. */
	struct watch_result left = {.evaluations = result->evaluations, .after = result->after};
	result->after = (struct machine_value){0};
	watch_result_free(result);
	*result = left;
	culprit_free(culprit);
	turn_end(s, d, turn);
	if (r < 0)
		return split_stopped(s, err) ? -1 : 0;
	return r == 2 ? FURTHER : 0;
}

/* A node before `base`, about twice as far from `end`: where it has been split, or a point; the start last of all, for from there on
 * another run may be another.  -1: err. */
static int further(struct session *s, struct node **base, const struct node *end, const struct node *start, struct err *err)
{
	uint64_t far = 2 * (end->ran_us - (*base)->ran_us);
	const struct node *was = *base;

	do {
		struct node *point = NULL;
		int found = points_put_in(s, *base, was == end ? POINTS_LAST : POINTS_MIDDLE, &point, err);
		if (found < 0)
			return -1;
		if (!found && (*base)->parent == start && *base != was)
			return 0;
		*base = found ? point : (*base)->parent;
	} while (*base != start && end->ran_us - (*base)->ran_us < far);
	return 0;
}

/* Between `lo`, where it is another, and `hi`: the places there are, and then the points, by halves. */
static int narrow(struct look *l, struct node **lo, struct node *hi, struct err *err)
{
	int same = 1, r = 1;

	while (same && hi->parent != *lo) {
		struct node *mid = hi->parent;

		same = look_at_node(l, mid, err);
		if (same < 0)
			return -1;
		*(same ? &hi : lo) = mid;
	}
	for (enum points_which which = POINTS_LAST; r > 0; which = POINTS_MIDDLE) {
		struct node *point;

		r = points_put_in(l->s, hi, which, &point, err);
		same = r > 0 ? look(l, err) : 0;
		if (same < 0)
			return -1;
		if (r > 0)
			*(same ? &hi : lo) = point;
	}
	return r;
}

/* Where the run began with another value than the present one: a late place at which it has another still, from where the run has to
 * be made but once.  Else, or where it cannot be told: NULL. */
static int find_other(struct look *l, struct node *start, struct node *at, struct node **other, struct err *err)
{
	int same = look_at_node(l, start, err);

	*other = same == 0 ? start : NULL;
	if (same == 0)
		same = narrow(l, other, at, err);
	if (same < 0)
		*other = NULL;
	return same < 0 && split_stopped(l->s, err) ? -1 : 0;
}

/* What it had there, for runs that are made again to be compared with. */
static int know_end(struct session *s, struct node *end, struct err *err)
{
	if (end->witness.place || (!end->snapshot && (s->astray || s->timeline->here != end)))
		return 0;
	return travel_to(s, end, err) || request_witness_of_node(s, end, err) ? -1 : 0;
}

/* From ever earlier points of the command, and at last from its start. */
static int look_in_run(struct session *s, struct departure *d, const char *expr, struct past *past, struct watch_result *result,
		       struct culprit *culprit, struct turn *turn, bool *never, struct err *err)
{
	struct node *base = past->at, *start = timeline_run_start(past->at);
	struct node *other;
	int r = 0;

	*never = true;
	if (know_end(s, past->end, err) || find_other(&past->look, start, past->at, &other, err))
		return -1;
	do {
		if (other)
			base = steal_pointer(&other);
		else if (further(s, &base, past->end, start, err))
			return -1;
		if (reads_input(base, past->end)) {
			*never = false;
			return 0;
		}
		r = look_from(s, d, expr, base, past, result, culprit, turn, never, err);
	} while ((r == FURTHER || (r == 0 && *never)) && base != start);
	return r == FURTHER ? 0 : r;
}

/* On the way here, or here: a place in a long run, or its end; NULL: there is none. */
static struct node *place_in_run(struct session *s, struct node *here, bool middle)
{
	while (here->parent && !here->whole && (here->class == COMMAND_DEBUGGER || (middle && here->partial)))
		here = here->parent;
	if (here->whole)
		return middle ? here : NULL;
	bool is_long = here->parent && (points_has(s, here) || here->parent->whole == here || split_at_once(here));
	return is_long && !here->partial && split_possible(s, here) ? here : NULL;
}

/* In the statements since then, which are few: *never. */
static int look_by_ticks(struct session *s, struct departure *d, const char *expr, struct node *at, const struct node *here,
			 struct watch_result *result, struct turn *turn, bool *never, struct err *err)
{
	struct watch_options options = {.which = WATCH_LAST, .anywhere = true};

	turn->d = *d;
	turn->end = *here;
	turn->end.state = here->state ? xstrdup(here->state) : NULL;
	turn->d.m = machine_open_between(s, at, &turn->end, &turn->d.fm);
	int r = watch_search(turn->d.m, expr, d->selected, &options, result, err);
	*never = r == 0 && result->outcome == WATCH_NEVER_CHANGED;
	result->counted = false;
	if (r == 0 && result->outcome == WATCH_FOUND)
		return 1;
	turn_end(s, d, turn);
	return r < 0 && split_stopped(s, err) ? -1 : 0;
}

/* *known: all that look_in_run() needs. */
static int take_present(struct session *s, struct departure *d, const char *expr, struct past *past, bool *known, struct err *err)
{
	struct turn turn = {0};

	past->end = timeline_whole(past->at);
	*known = past->end == past->at || !reads_input(past->at, past->end);
	if (!*known)
		return 0;
	*known = look_at_present(&past->look, err) == 0;
	if (!*known)
		return split_stopped(s, err) ? -1 : 0;
	if (past->look.now.kind == MACHINE_UNDEFINED)
		return watch_undefined(expr, &past->look.now, err);
	if (past->end == past->at)
		return 0;
	progress_line("counting what comes later, in %.1f s; ^C stops", (double)(past->end->ran_us - past->at->ran_us) / 1e6);
	open_from(s, d, past->at, past->end, &turn);
	int r = threads_count(s, &turn.d, expr, MOST_CHANGES, &past->behind, err);
	turn_end(s, d, &turn);
	*known = r > 0;
	return r < 0 && split_stopped(s, err) ? -1 : 0;
}

/* Up to the present, and from the start of the run that this is in (`middle`) or behind: *start.  NULL: it is in none. */
static int look_to_start(struct session *s, struct departure *d, const char *expr, bool middle, struct watch_result *result,
			 struct culprit *culprit, struct turn *turn, struct node **start, bool *never, struct err *err)
{
	struct node *here = machine_node(d->fm, d->m->segments(d->m->self));
	struct past past = {.at = place_in_run(s, here, middle), .look = {.s = s, .d = d, .expr = expr}};
	bool known;

	*never = past.at != NULL;
	*start = past.at ? timeline_run_start(past.at) : NULL;
	int r = past.at && past.at != here ? look_by_ticks(s, d, expr, past.at, here, result, turn, never, err) : 0;
	if (r || !*never)
		return r;
	r = take_present(s, d, expr, &past, &known, err);
	*never = r == 0 && known;
	if (*never)
		r = look_in_run(s, d, expr, &past, result, culprit, turn, never, err);
	result->evaluations += past.look.evaluations;
	look_end(&past.look);
	return r;
}

/* For the search that follows: places that were put in are known to it, and it begins at them, not at the start of the run. */
static void reopen(struct session *s, struct departure *d)
{
	struct node *first = machine_node(d->fm, 0), *last = machine_node(d->fm, d->m->segments(d->m->self));

	machine_close(d->fm);
	d->m = machine_open_between(s, first, last, &d->fm);
}

int split_watch_last(struct session *s, struct departure *d, const char *expr, enum session_change which, struct watch_result *result,
		     struct culprit *culprit, struct turn *turn, struct err *err)
{
	bool never = true;
	int r = 0;

	while (r == 0 && never && s->adapter->watch_changes && d->owner && !*d->owner && d->threads < 2 &&
	       d->m->segments(d->m->self) > 0) {
		struct node *start;
		r = look_to_start(s, d, expr, which == CHANGE_LAST, result, culprit, turn, &start, &never, err);
		if (r || !never)
			break;
		/* What was before is left. */
		machine_close(d->fm);
		d->m = machine_open_between(s, timeline_origin(start), start, &d->fm);
	}
	if (r == 0 && never && result->evaluations && d->m->segments(d->m->self) == 0) {
		result->outcome = WATCH_NEVER_CHANGED;
		return 1;
	}
	if (r == 0) {
		watch_result_free(result);
		*result = (struct watch_result){0};
		reopen(s, d);
	}
	if (r > 0) {
		free(steal_pointer(&culprit->number));
		result->counted = false;
	}
	return r;
}
