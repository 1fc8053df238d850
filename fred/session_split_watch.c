/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch in a run that is too long for the clock, of an expression that needs no frame: by halves of the run's time,
 * as long as these can be told apart, each half being run once at full speed; then by rows of ticks, until one is found in
 * which the expression comes to its present value.  What is left is a matter for decompose/.
 *
 * It is looked at where statements begin (land()), so at places where a search by ticks might look, too. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_look.h"
#include "fred/session_points.h"
#include "fred/session_split.h"

/* Microseconds and ticks; and how often. */
enum { LEAST_US = 10, FINE_US = 20, COARSE_US = 100, AROUND_US = 10000, PASS_US = 100, MISSES = 2, TRIES = 80, MOST_PASSES = 16384, ROW = 512, ROWS = 200 };

struct narrow {
	struct look look;
	struct session *s;              /* its */
	struct departure *d;
	struct node *first, *lo;        /* where the run begins; here, too, it is another */
	struct node *end;               /* from there on it is as it is now */
	struct node *whole;             /* the end of the run */
	struct node edge;               /* from `first` on to `whole`, for its input, */
	struct input_rest rest;         /* of which this has not been read at lo; its bytes are the edge's */
	uint64_t us;                    /* after so long, from lo on, it is as it is now */
	bool unproven;                  /* it is as it is now wherever it was looked at */
};

/* The segment, from now backwards, at whose start it is another: *found; -1: there is none. */
static int find_segment(struct narrow *w, int *found, struct err *err)
{
	int n = w->d->m->segments(w->d->m->self), lo = n, hi = n;

	for (int step = 1; lo == hi && hi > 0; step *= 2) {
		lo = hi > step ? hi - step : 0;
		int same = look_at_node(&w->look, machine_node(w->d->fm, lo), err);
		if (same < 0)
			return -1;
		hi = same ? lo : hi;
	}
	while (hi - lo > 1) {
		int mid = lo + (hi - lo) / 2, same = look_at_node(&w->look, machine_node(w->d->fm, mid), err);
		if (same < 0)
			return -1;
		*(same ? &hi : &lo) = mid;
	}
	*found = lo < hi ? lo : -1;
	return 0;
}

/* What is left of the edge's input where a node has read so much of it. */
static struct input_rest rest_at(const struct narrow *w, const struct node *mid)
{
	return (struct input_rest){
		.typed = {.data = w->edge.typed.data + mid->typed.len, .len = w->edge.typed.len - mid->typed.len},
		.eofs = w->edge.eofs - mid->eofs,
	};
}

/* Of the places on the way only the last is of use. */
static void come_to(struct narrow *w, struct node *mid)
{
	if (w->lo != w->first)
		snapshots_keep(w->s->timeline, w->lo, NULL);
	mid->parent = w->first;
	w->lo = mid;
	w->rest = rest_at(w, mid);
}

/* On from lo, as ordered.  1: there it is as it is now, or the run has come nowhere, or to its end; 0: it is not, and that is the
 * new lo. */
static int go_on(struct narrow *w, struct order *order, struct err *err)
{
	struct landing l;
	struct node *mid;
	int same = 1;

	order->from = w->lo;
	order->to = w->whole;
	order->until = w->end;
	order->input = &w->rest;
	progress_line("searching the last %.4f s of %.3f, %u evaluations; ^C stops", (double)w->us / 1e6,
		      (double)w->whole->ran_us / 1e6, w->look.evaluations);
	if (land(w->s, order, &l, err))
		return -1;
	bool elsewhere = land_between(w->lo, w->end, &l);
	int r = elsewhere ? land_behind(w->s, w->lo, w->whole, &l, &mid, err) : 0;
	if (r == 0 && elsewhere) {
		input_settle(w->s, &w->edge, mid);
		same = look(&w->look, err);
	}
	free(l.state);
	if (r || same < 0)
		return -1;
	log_debug(LOG_SESSION, "watch: landing %d after %llu us, %llu passes of %llu us: %d", l.how, (unsigned long long)order->us,
		  (unsigned long long)order->nth, (unsigned long long)w->us, same);
	if (!same)
		come_to(w, mid);
	else if (elsewhere)
		snapshots_keep(w->s->timeline, mid, NULL);
	return same;
}

static int go_on_for(struct narrow *w, uint64_t us, struct err *err)
{
	struct order order = {.us = us};

	return go_on(w, &order, err);
}

/* By halves of the trail's points. */
static int halve_trail(struct narrow *w, struct err *err)
{
	struct node *mid;
	int r;

	while ((r = points_put_in(w->s, w->end, POINTS_MIDDLE, &mid, err)) > 0) {
		int same = look(&w->look, err);
		if (same < 0)
			return -1;
		if (same)
			w->end = mid;
		else
			w->first = w->lo = mid;
	}
	w->us = w->end->ran_us - w->lo->ran_us + COARSE_US;
	return r;
}

/* By halves of the time. */
static int halve(struct narrow *w, struct err *err)
{
	for (int i = 0; i < TRIES && w->us > COARSE_US; i++) {
		uint64_t us = w->us / 2;
		int same = go_on_for(w, us, err);
		if (same < 0)
			return -1;
		w->us = same ? us : w->us - us * 9 / 10;
	}
	return 0;
}

/* What it takes to start and to stop is as much as what is run now, and varies as much: on by luck, until it has gone too far some times. */
static int edge_on(struct narrow *w, struct err *err)
{
	int misses = 0;

	for (int i = 0; i < TRIES && misses < MISSES; i++) {
		uint64_t us = LEAST_US + w->us * (unsigned)(1 + (i * 5 + 3) % 8) / 8;
		int same = go_on_for(w, us, err);
		if (same < 0)
			return -1;
		misses += same && us <= LEAST_US + FINE_US;
		if (!same && us > LEAST_US + w->us / 2)
			w->us *= 2;             /* there may be more than was thought */
		else if (same && w->us > FINE_US)
			w->us = us > LEAST_US + FINE_US ? us - LEAST_US : FINE_US;
	}
	return 0;
}

/* Where the program is just now it comes by again, mostly: to the last time that it is another.  If it does not come by so often it is
 * not run to its end for that: where it has come to after some more time than that takes, it is mostly as it is now. */
static int come_by(struct narrow *w, struct err *err)
{
	struct pass at = w->lo->at;
	struct order order = {.pass = &at};
	uint64_t step = 16;
	bool over = false;

	/* In steps that grow until they go too far, and shrink then. */
	while (at.pc && step > 0 && step <= MOST_PASSES) {
		order.nth = step;
		order.us = w->us + AROUND_US + step * PASS_US;
		int same = go_on(w, &order, err);
		if (same < 0)
			return -1;
		over |= same;
		step = over ? step / 2 : step * 4;
	}
	return 0;
}

/* Where the machine between lo and the end of the run has come to. */
static int put_end_in(struct narrow *w, struct fred_machine *fm, const struct machine_stop *stop, const struct node *end,
		      struct node **hi, struct err *err)
{
	*hi = timeline_add_found(w->s->timeline, w->lo, w->s->adapter->go_on_command, COMMAND_MOVES, w->s->prompt);
	(*hi)->partial = !stop->end;
	(*hi)->tick = stop->tick;
	(*hi)->way = machine_way(fm);
	(*hi)->state = w->whole->state ? xstrdup(w->whole->state) : NULL;
	input_settle(w->s, end, *hi);
	w->s->astray = false;
	return travel_keep_here(w->s, err);
}

/* On from lo by rows of ticks to the first at whose end it is as it is now: *hi; NULL: it does not come. */
static int walk_rows(struct narrow *w, struct machine *m, struct fred_machine *fm, const struct node *end, struct node **hi, struct err *err)
{
	struct machine_stop stop;
	int same = 0;

	*hi = NULL;
	if (m->enter(m->self, 0, &stop, err))
		return -1;
	for (int i = 1; i <= ROWS && same == 0; i++) {
		struct machine_mark *mark;

		progress_line("searching, %d rows of %d stops, %u evaluations; ^C stops", i, ROW, w->look.evaluations);
		if (m->run(m->self, (uint64_t)i * ROW, &stop, err) || m->mark(m->self, &mark, err))
			return -1;
		same = look(&w->look, err);
		int r = same < 0 ? -1 : m->go(m->self, mark, &stop, err);
		m->drop(m->self, mark);
		if (r)
			return -1;
		if (same == 0 && stop.end)
			return 0;
	}
	return same ? put_end_in(w, fm, &stop, end, hi, err) : 0;
}

static int walk_on(struct narrow *w, struct node **hi, struct err *err)
{
	struct node end = {.parent = w->lo, .command = (char *)(uintptr_t)w->s->adapter->go_on_command, .class = COMMAND_MOVES,
			   .state = w->whole->state, .place = w->whole->place, .typed = w->rest.typed, .eofs = w->rest.eofs,
			   .stdin_pos = w->whole->stdin_pos};
	struct fred_machine *fm;
	struct machine *m = machine_open_between(w->s, w->lo, &end, &fm);

	int r = walk_rows(w, m, fm, &end, hi, err);
	machine_close(fm);
	return r;
}

/* It is the same at the ends of all commands.  Is it another at a point of the trail, or where a run has been split?  1: then the
 * search goes on from there. */
static int scan_trail(struct narrow *w, struct err *err)
{
	struct node *start = machine_node(w->d->fm, 0), *point;

	for (w->end = machine_node(w->d->fm, w->d->m->segments(w->d->m->self)); w->end != start; w->end = w->lo) {
		int r = split_possible(w->s, w->end) ? points_put_in(w->s, w->end, POINTS_LAST, &point, err) : 0;
		int same = 1;

		w->first = w->lo = r > 0 ? point : w->end->parent;
		if (r >= 0 && w->lo->whole)
			same = r > 0 ? look(&w->look, err) : look_at_node(&w->look, w->lo, err);
		if (r < 0 || same < 0)
			return -1;
		if (same == 0)
			return 1;
	}
	return 0;
}

static void take_edge(struct narrow *w)
{
	struct input_rest all = {0};

	land_input(w->first, w->whole, &all);
	w->edge = (struct node){.typed = all.typed, .eofs = all.eofs, .stdin_pos = w->whole->stdin_pos};
	w->rest = all;
}

static int narrow(struct narrow *w, struct node **hi, struct err *err)
{
	int segment;

	*hi = NULL;
	if (look_at_present(&w->look, err) || find_segment(w, &segment, err))
		return -1;
	if (segment < 0) {
		int r = scan_trail(w, err);
		w->unproven = r == 0;
		if (r <= 0)
			return r;
	} else {
		w->end = machine_node(w->d->fm, segment + 1);
		w->first = w->lo = machine_node(w->d->fm, segment);
	}
	w->whole = timeline_whole(w->end);
	if (!split_possible(w->s, w->end))
		return 0;
	if (halve_trail(w, err))
		return -1;
	take_edge(w);
	return halve(w, err) || edge_on(w, err) || come_by(w, err) ? -1 : walk_on(w, hi, err);
}

/* What is made once more from the start of the command may be another run: its end tells, to which the machine does not go. */
static int compare_ends(struct narrow *w, struct err *err)
{
	struct order order = {.from = w->lo, .to = w->whole, .input = &w->rest, .until = w->whole};
	struct witness now = {0};
	struct landing l;

	progress_line("running to the end, to compare it with that of the first run; ^C stops");
	int r = land(w->s, &order, &l, err);
	if (r == 0 && l.how == AT_END)
		r = request_witness(w->s, w->whole->witness.other_run, &now, err) ||
		    end_compare(w->s, w->whole, &now, &w->d->other_values, err) ? -1 : 0;
	else if (r == 0)
		w->d->other_values = true;
	free(l.state);
	witness_free(&now);
	return r;
}

int split_watch(struct session *s, struct departure *d, const char *expr, struct watch_result *result, unsigned *evaluations,
		struct err *err)
{
	struct narrow w = {.look = {.s = s, .d = d, .expr = expr}, .s = s, .d = d};
	struct node *hi;
	int r = narrow(&w, &hi, err);

	if (r == 0 && hi && !w.first->point)
		r = compare_ends(&w, err);
	if (r == 0 && w.unproven) {
		/* A run of minutes is not gone through by ticks for that. */
		*result = (struct watch_result){.outcome = WATCH_UNPROVEN, .after = w.look.now, .evaluations = w.look.evaluations};
		travel_due(s, d->from);
		return 2;
	}
	look_end(&w.look);
	buf_free(&w.edge.typed);
	*evaluations = w.look.evaluations;
	travel_due(s, d->from);
	if (r && split_stopped(s, err))
		return -1;
	if (r || !hi) {
		d->vain = 2;
		split_limit(s, d, false);
		return 0;
	}
	machine_close(d->fm);
	d->m = machine_open_between(s, w.lo, hi, &d->fm);
	return 1;
}
