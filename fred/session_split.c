/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/session_split.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_points.h"

/* The microseconds after which a run can be stopped are true to some FINE_US, in which a program does thousands of statements.
 * Below that it is a matter of luck where it stops, and each time it leads on at least to the next statement: that is tried until it
 * has gone too far MISSES times. */
enum { LEAST_US = 10, FINE_US = 30, COARSE_US = 300, MISSES = 2, TRIES = 100, VAIN = 4, ROUNDS = 512, MOST_ROWS = 40 };

/* What is known of the way from the last node to the end, in microseconds of the program's. */
struct way_left {
	uint64_t all;           /* it takes no more than that */
	uint64_t none;          /* a run that is stopped so soon has come nowhere */
	unsigned tries, misses;
	bool fine;              /* it has been shorter than COARSE_US */
};

void split_limit(struct session *s, struct departure *d, bool calls)
{
	bool split = (s->adapter->land || s->adapter->trail_signal) && d->vain < 2;

	machine_split(d->fm, split ? SPLIT_FAR : 0, calls && d->vain < 1);
}

bool split_wanted(const struct err *err) { return err->sys == E2BIG; }

/* The most of a long rest; a short one is tried all over, its second half first. */
static uint64_t next_try(const struct way_left *w)
{
	uint64_t us = w->fine ? w->none + (w->all - w->none) * (1 + (w->tries * 5 + 3) % 8) / 8 : w->all * 9 / 10;

	return us > LEAST_US ? us : LEAST_US;
}

static void learn(struct way_left *w, const struct landing *l, uint64_t us, bool nearer)
{
	bool ended = l->how == AT_END;

	/* What it takes to stop is counted, too, so a short time is no measure of what was run.  Stopped before the end it came there all the
	 * same: the rest is one statement, with a loop in it, which from anywhere leads to its end. */
	if (ended && us > COARSE_US)
		w->all = l->us < us ? l->us + l->us / 50 : us / 4;
	else if (ended && us < w->all)
		w->all = us;
	else if (nearer && w->fine && us > w->none + (w->all - w->none) / 2)
		w->all += w->all - w->none;     /* there may be more than was thought */
	else if (nearer && !w->fine && us > w->none)
		w->all -= us - w->none < w->all ? us - w->none : w->all;
	if (!ended && !nearer && us > w->none && us < COARSE_US)
		w->none = us;
	if (ended && w->fine && us < w->none + FINE_US)
		w->none -= w->none / 8;         /* the machine was busy, that time */
	w->misses += w->fine && !nearer && us <= LEAST_US + FINE_US;
	w->fine |= w->all < COARSE_US;
	if (w->all < w->none + FINE_US)
		w->all = w->none + FINE_US;
	w->tries++;
}

static int not_again(struct err *err)
{
	return err_set(err, "the program did not run the same way again: it did not come by a place where it had been");
}

static void tell(const struct node *node)
{
	log_info(LOG_SESSION, "split at %.6f s, %s:%ld", (double)node->ran_us / 1e6, node->place.file ? node->place.file : "?",
		 node->place.line);
}

/* A pass, or a place that the alarm led to, becomes the last node before `end`; of those that are as near as no time can tell only the last
 * is kept. */
static int put_in(struct session *s, struct node *end, struct landing *l, bool fine, struct node **last, struct err *err)
{
	struct node *former = *last;

	if (land_here(s, end, l, last, err))
		return -1;
	if (fine && former)
		land_instead(s, *last, former);
	if (!fine)
		*last = NULL;
	tell(end->parent);
	return 0;
}

static uint64_t whole_run(const struct node *end)
{
	return timeline_whole(end)->ran_us - timeline_run_start(end)->ran_us;
}

/* By time. */
static int come_near_by_time(struct session *s, struct node *end, struct node **last, int *nodes, struct err *err)
{
	struct way_left w = {.all = end->ran_us - end->parent->ran_us + COARSE_US};
	int vain = 0;
	uint64_t most = 2 * whole_run(end) + COARSE_US;

	while (w.tries < TRIES && w.misses < MISSES && vain < VAIN) {
		/* It looks at the clock, say, which has gone on. */
		if (w.all > most)
			return not_again(err);
		struct order order = {.from = end->parent, .to = timeline_whole(end), .us = next_try(&w),
				      .end = end->called ? &end->at : NULL, .until = end};
		struct landing l;

		progress_line("splitting the run, the last of %d pieces is of %.4f s; ^C stops", *nodes + 1, (double)w.all / 1e6);
		if (land(s, &order, &l, err))
			return -1;
		bool nearer = land_between(end->parent, end, &l);
		log_debug(LOG_SESSION, "landing %d after %llu us of %llu, between %llu and %llu", l.how, (unsigned long long)l.us,
			  (unsigned long long)order.us, (unsigned long long)w.none, (unsigned long long)w.all);
		vain += l.how == IN_VAIN;
		int r = nearer ? put_in(s, end, &l, w.fine, last, err) : 0;
		learn(&w, &l, order.us, nearer);
		*nodes += nearer;
		free(l.state);
		if (r)
			return -1;
	}
	return 0;
}

/* From the last node so many passes on, to one more node.  How that ended, or -1; with `left` it may be at the end: *left have been made. */
static int row_of_passes(struct session *s, struct node *end, struct order *order, uint64_t *left, struct node **last, struct err *err)
{
	struct landing l;

	order->from = end->parent;
	progress_line("splitting the run, by the times that it comes to one place; ^C stops");
	if (land(s, order, &l, err))
		return -1;
	log_debug(LOG_SESSION, "landing %d, %llu passes", l.how, (unsigned long long)l.passes);
	if (!left && fault("split-pass"))
		l.how = AT_END;         /* as if it had come by one time less */
	int r = l.how == AT_PASS ? put_in(s, end, &l, false, last, err) : left ? 0 : not_again(err);
	free(l.state);
	if (left)
		*left = l.passes;
	return r ? -1 : (int)l.how;
}

/* Where a program is just now it comes by again, mostly: to the last time, which is one round of a loop from the end.  The number
 * of nodes; 0: there is none, or it comes by too often. */
static int come_near_by_passes(struct session *s, struct node *end, struct node **last, struct err *err)
{
	struct pass at = end->parent->at;
	struct order order = {.pass = &at, .to = timeline_whole(end), .end = end->called ? &end->at : NULL, .nth = ROUNDS};
	int r = at.pc ? AT_PASS : AT_END, nodes = 0;
	uint64_t left = 0;

	while (r == AT_PASS && nodes < MOST_ROWS) {
		r = row_of_passes(s, end, &order, &left, last, err);
		nodes += r == AT_PASS;
	}
	/* What is looked for next may lie some rounds before the end. */
	for (uint64_t back = ROUNDS / 8; r == AT_END && left; back /= 8) {
		if (left <= back)
			continue;
		order.nth = left - back;
		left = back;
		r = row_of_passes(s, end, &order, NULL, last, err) == AT_PASS ? AT_END : -1;
		nodes++;
	}
	return r < 0 ? -1 : nodes;
}

/* Nodes ever nearer to `end`; their number, or -1. */
static int come_near(struct session *s, struct node *end, struct err *err)
{
	struct node *last = NULL;
	int nodes = 0, r = come_near_by_time(s, end, &last, &nodes, err);

	if (r == 0)
		r = come_near_by_passes(s, end, &last, err);
	return r < 0 ? -1 : nodes + r;
}

/* The call of the frame at that depth or, of one that has none of its own, of the next inwards: *depth.  pc 0: it is not known. */
static int ask_call(struct session *s, struct node *node, uint32_t *depth, struct pass *call, struct err *err)
{
	struct adapter_event reply;

	*call = (struct pass){0};
	if (travel_to(s, node, err) || s->adapter->call_of(s->agent, *depth, err) || request_reply(s, &reply, -1, err))
		return -1;
	if (reply.n_fields > 2) {
		*depth = (uint32_t)strtoul(reply.fields[0], NULL, 10);
		*call = (struct pass){strtoull(reply.fields[1], NULL, 10), strtoull(reply.fields[2], NULL, 10)};
	}
	adapter_event_free(&reply);
	return 0;
}

/* Passes of the call from there to the end of the command; UINT64_MAX: too many. */
static int count_calls(struct session *s, struct node *from, const struct node *whole, const struct pass *call, uint64_t *n,
		       struct err *err)
{
	struct order order = {.from = from, .to = whole, .pass = call};
	struct landing l;

	progress_line("looking for a call, in the last %.4f s; ^C stops", (double)(whole->ran_us - from->ran_us) / 1e6);
	if (land(s, &order, &l, err))
		return -1;
	*n = l.how == AT_END ? l.passes : UINT64_MAX;
	free(l.state);
	return 0;
}

/* A node at the nth pass of the call behind `from`, which lies on the edge to `after`. */
static int go_to_pass(struct session *s, struct node *from, struct node *after, const struct pass *call, uint64_t n,
		      struct node **at, struct err *err)
{
	struct order order = {.from = from, .to = timeline_whole(after), .pass = call, .nth = n};
	struct landing l;

	if (land(s, &order, &l, err))
		return -1;
	int r = l.how == AT_PASS ? land_here(s, after, &l, at, err) : not_again(err);
	free(l.state);
	if (r == 0)
		tell(*at);
	return r;
}

/* Behind *from the place is passed n times, up to one on the edge to `after`, or at that: on to the last but one, so that from there
 * on it is the first. */
static int leave_one_pass(struct session *s, struct node **from, struct node *after, const struct pass *place, uint64_t n, int *nodes,
			  struct err *err)
{
	if (n <= 1)
		return 0;
	++*nodes;
	return go_to_pass(s, *from, after, place, n - 1, from, err);
}

/* Between the two.  Was that not known? */
static bool become_calm(struct node *node, const struct node *from, uint32_t depth)
{
	bool is_new = false;

	for (; node != from; node = node->parent) {
		is_new |= node->calm < depth;
		node->calm = node->calm < depth ? depth : node->calm;
	}
	return is_new;
}

/* `node` lies in what was called at that depth, which lasts there: a node at the call, and one at the last such call before it,
 * so that from there on it is the first.  The number of nodes; 0: it is not known where that is. */
static int come_to_call(struct session *s, struct node *node, uint32_t depth, struct err *err)
{
	struct node *from = node, *at, *after;
	struct pass call;
	uint64_t n = 0, behind;
	int nodes = 1;

	if (ask_call(s, node, &depth, &call, err) || (call.pc && count_calls(s, node, node->whole, &call, &behind, err)))
		return -1;
	if (!call.pc || behind == UINT64_MAX)
		return 0;
	do {
		after = from;
		from = from->parent;
		if (count_calls(s, from, node->whole, &call, &n, err))
			return -1;
	} while (n == behind && from->whole == node->whole);
	if (n == behind)                /* made before the run began */
		return become_calm(node, from, depth - 1);
	if (n == UINT64_MAX)
		return 0;
	if (after->at.pc == call.pc && after->at.sp == call.sp)         /* it has been come to before */
		return become_calm(node, after, depth - 1);
	if (leave_one_pass(s, &from, after, &call, n - behind, &nodes, err) || go_to_pass(s, from, after, &call, 1, &at, err))
		return -1;
	at->called = true;
	become_calm(node, at, depth - 1);
	return nodes;
}

/* The node's place is passed, first of all behind its parent, where the node is: so that a run can be told to end there.  Number of
 * nodes, which may be none; -1. */
static int make_first_pass(struct session *s, struct node *node, struct err *err)
{
	struct node *from = node->parent;
	uint64_t n, behind;
	int nodes = 1;

	if (!node->at.pc)
		return 0;
	if (count_calls(s, node, node->whole, &node->at, &behind, err) || count_calls(s, from, node->whole, &node->at, &n, err))
		return -1;
	if (n == UINT64_MAX || behind == UINT64_MAX || n <= behind)
		return 0;
	if (leave_one_pass(s, &from, node, &node->at, n - behind, &nodes, err))
		return -1;
	node->called = true;
	return nodes;
}

static bool goes_on(const struct session *s, const struct node *whole, struct pass *end)
{
	const char *command = whole->given ? whole->given : whole->command;

	*end = (struct pass){0};
	return command && s->adapter->goes_on && s->adapter->goes_on(command, whole->state, end);
}

struct pass split_rest_end(const struct session *s, const struct node *whole)
{
	struct pass end;

	return goes_on(s, whole, &end) ? end : (struct pass){0};
}

bool split_possible(const struct session *s, const struct node *end)
{
	struct pass at;

	if ((!s->adapter->land && !s->adapter->trail_signal) || s->several || end->class != COMMAND_MOVES || !end->parent || end->instructions || end->by_instruction)
		return false;
	if (end->whole)
		return true;
	/* For what is left of its input nobody would look where go_on_command cannot end it. */
	return !end->partial && goes_on(s, end, &at) && (!at.pc || (!end->typed.len && !end->eofs));
}

/* For longer, and without a point of the trail, it has not run but waited.  With `run` most of the time is gdb's. */
enum { RAN_LONG_US = 20000, WAITED_US = 400000 };

bool split_at_once(const struct node *end)
{
	uint64_t ran = end->ran_us - end->parent->ran_us;

	return !end->whole && (!end->parent->whole || end->parent->point) && !end->parent->begun && ran > RAN_LONG_US && ran < WAITED_US;
}

/* Their number. */
static int put_nodes_in(struct session *s, struct departure *d, uint32_t called, struct err *err)
{
	struct node *end = machine_node(d->fm, machine_segment(d->fm) + 1), *node;
	uint32_t lasting = machine_lasting(d->fm);
	int put_in = split_counted(s, d, end, err);

	if (put_in)
		return put_in;
	put_in = points_put_in(s, end, s->adapter->land ? POINTS_LAST : POINTS_AS_FAR, &node, err);

	if (put_in || !s->adapter->land)
		return put_in;
	if (!end->whole || end->called)
		return come_near(s, end, err);
	int nodes = lasting == UINT32_MAX ? 0 : come_to_call(s, end, called && called <= lasting ? called : lasting + 1, err);
	return nodes ? nodes : make_first_pass(s, end, err);
}

/* It did not come by a point of the trail.  Where others lie on the way, what makes it go another way may lie before them.  Else it is split
 * there no more, if it came to the same end without. */
static int find_another_way(struct session *s, struct departure *d, struct err *err)
{
	int segment = machine_segment(d->fm), n = d->m->segments(d->m->self);
	struct node *end = machine_node(d->fm, segment + 1), *next = segment + 2 <= n ? machine_node(d->fm, segment + 2) : NULL, *node;
	bool same = false;
	int r = points_put_in(s, end, POINTS_MIDDLE, &node, err);

	if (r || !end->point || !next || (next != end->whole && next->whole != end->whole))
		return r;
	if (machine_came_to(d->fm, segment, end->whole, &same, err))
		return -1;
	if (same)
		land_out(s, end, next);
	return same;
}

bool split_rejoin(struct session *s, struct departure *d)
{
	struct err err;

	if (s->adapter->land || !s->adapter->trail_signal || !machine_diverged(d->fm) || s->cancelled || s->state != SESSION_PROMPT)
		return false;
	int r = find_another_way(s, d, &err);
	travel_due(s, d->from);
	if (r < 0)
		log_info(LOG_SESSION, "no other way: %s", err.what);
	if (r <= 0)
		return false;
	machine_close(d->fm);
	d->m = machine_open(s, d->settings, &d->fm);
	return true;
}

bool split_stopped(const struct session *s, const struct err *err)
{
	if (s->cancelled || s->state != SESSION_PROMPT || err->sys == ECANCELED)
		return true;
	log_info(LOG_SESSION, "not split: %s", err->what);
	return false;
}

/* What failed may have come nearer to the end before: the machine is to know of that, too. */
int split(struct session *s, struct departure *d, uint32_t called, struct err *err)
{
	const struct node *end = machine_node(d->fm, machine_segment(d->fm) + 1), *before = end->parent;
	int nodes = put_nodes_in(s, d, called, err);
	bool is_split = nodes > 0 || end->parent != before;

	travel_due(s, d->from);
	if (nodes < 0 && split_stopped(s, err))
		return -1;
	if (is_split) {
		machine_close(d->fm);
		d->m = machine_open(s, d->settings, &d->fm);
	}
	d->vain += nodes <= 0;
	return is_split;
}
