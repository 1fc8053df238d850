/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/session_hits.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_points.h"
#include "fred/session_split.h"

/* So many ticks are gone through before hits are counted, which takes about as long, and before the last one is gone to.  Where
 * what leads on to a statement comes by the hit wanted, it begins some hits before. */
#ifndef HITS_NEAR
#define HITS_NEAR 32
#define HITS_FAR 256
#endif
/* The program's time is measured: it stops long before. */
enum { MOST_HITS = 4000, BEYOND = 3, ENDLESS_US = 1000000000, LONG_US = 20000, HIT_US = 20 };

struct search {
	struct session *s;
	struct departure *d;
	uint64_t n;                     /* hits wanted, at most, on the edge looked at */
	struct node *whole;             /* end of its command */
};

void hits_limit(struct session *s, struct departure *d)
{
	if (!s->adapter->hits || d->hits_off || d->vain >= 2)
		return;
	machine_count_hits(d->fm, HITS_NEAR, HITS_FAR);
}

/* Was it put on the way, and is still no place that the clock has come to? */
static void take_out(struct session *s, struct node *node)
{
	struct timeline *t = s->timeline;

	for (size_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i]->parent == node)
			land_out(s, node, t->nodes[i]);
}

void hits_forget(struct session *s)
{
	struct timeline *t = s->timeline;

	for (size_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i]->hits.unsure)
			take_out(s, t->nodes[i]);
	for (size_t i = 0; i < t->n_nodes; i++)
		t->nodes[i]->hits = (struct node_hits){0};
}

/* A run that has counted them has ended; where the first one did? */
static int check_end(const struct search *h, struct err *err)
{
	bool diverged = false, known = h->whole->witness.place && *h->whole->witness.place;
	struct witness now = {0};

	int r = end_reached(h->s, h->whole, &diverged, err);
	if (r == 0 && known && !diverged)
		r = request_witness(h->s, h->whole->witness.other_run, &now, err);
	if (r == 0 && known && !diverged && now.place && *now.place)
		diverged = strcmp(now.place, h->whole->witness.place) != 0 || strcmp(now.data, h->whole->witness.data) != 0;
	witness_free(&now);
	return r ? -1 : diverged ? err_set(err, "counting hits, the program did not run the same way again") : 0;
}

/* Those behind the node, up to the end of the command: node->hits. */
static int count(const struct search *h, struct node *node, struct err *err)
{
	struct order order = {.from = node, .to = h->whole, .hits = h->d->settings, .most = MOST_HITS};
	struct landing l;

	if (node == h->whole || node->hits.known)
		return 0;
	progress_line("counting hits of breakpoints, in the last %.4f s; ^C stops", (double)(h->whole->ran_us - node->ran_us) / 1e6);
	if (land(h->s, &order, &l, err))
		return -1;
	free(l.state);
	if (l.how != TOO_MANY && l.how != AT_HIT && l.how != AT_END)
		return err_set(err, "the program stopped elsewhere while hits were counted");
	if (l.how != TOO_MANY && check_end(h, err))
		return -1;
	node->hits.known = true;
	node->hits.many = l.how == TOO_MANY;
	node->hits.behind = l.passes;
	h->whole->hits.here |= l.how == AT_HIT;
	log_info(LOG_SESSION, "%llu hits%s from %.6f s on", (unsigned long long)l.passes, l.how == TOO_MANY ? " and more" : "",
		 (double)node->ran_us / 1e6);
	return 0;
}

/* On the edge, before its end. */
static uint64_t hits_inside(const struct node *end)
{
	uint64_t behind = end->hits.behind + end->hits.here;

	return end->parent->hits.behind > behind ? end->parent->hits.behind - behind : 0;
}

/* A node on the edge, at the nth hit on it, or, with fewer than `most`, behind that; or NULL: there is none that is found again. */
static int put_at(const struct search *h, struct node *end, uint64_t nth, bool exactly, uint64_t most, struct node **mid, struct err *err)
{
	struct order order = {.from = end->parent, .to = h->whole, .hits = h->d->settings, .nth = nth, .exactly = exactly, .us = ENDLESS_US};
	uint64_t behind = end->parent->hits.behind;
	struct landing l;
	int r = 0;

	*mid = NULL;
	if (land(h->s, &order, &l, err))
		return -1;
	if (exactly && l.how == AT_PASS && end->partial && end->state && l.state && !strcmp(l.state, end->state)) {
		end->hits.here = true;
		*mid = end;
	} else if (l.how == (exactly ? AT_PASS : LANDED) && l.passes <= most && land_between(end->parent, end, &l)) {
		r = land_here(h->s, end, &l, mid, err);
		if (r == 0)
			(*mid)->hits = (struct node_hits){.known = true, .behind = behind - l.passes, .here = exactly, .unsure = exactly && !l.is_stop,
							  .is_long = l.us > LONG_US + nth * HIT_US};
	}
	free(l.state);
	if (r == 0 && *mid)
		log_info(LOG_SESSION, "%s hit %llu, at %s:%ld", exactly ? "at" : "behind", (unsigned long long)nth,
			 (*mid)->place.file ? (*mid)->place.file : "?", (*mid)->place.line);
	return r;
}

/* There is none on the edge.  Its ticks are needed to know in which statement it ends, as long as nobody does; and to where a later segment
 * carries back what happens in that. */
static void is_empty(const struct search *h, struct node *end)
{
	end->hits.none = !end->hits.unsure && (!end->inside || end == h->d->from);
}

/* To before the one that may be wanted, and so before the edge's end. */
static int come_before(const struct search *h, struct node *end, uint64_t inside, struct err *err)
{
	struct node *mid = NULL;
	int r = 0;

	for (uint64_t back = h->n; r == 0 && !mid && back <= h->n + BEYOND && inside > back; back += BEYOND)
		r = put_at(h, end, inside - back, false, inside - h->n, &mid, err);
	return r;
}

/* From there on another run has to come by as many. */
static int prove(const struct search *h, struct node *mid, struct node *end, struct err *err)
{
	uint64_t behind = mid->hits.behind;

	mid->hits.known = false;
	int r = count(h, mid, err);
	if (r == 0 && (mid->hits.many || mid->hits.behind != behind))
		r = err_set(err, "the program did not run the same way again: it came by other breakpoints");
	if (r) {
		mid->hits.unsure = false;
		land_out(h->s, mid, end);
	}
	return r;
}

/* To the last one, or, where that is no place that is found again, and the command's end comes next, behind it.  1; 0: there is
 * no such place. */
static int come_to(const struct search *h, struct node *end, uint64_t inside, struct err *err)
{
	struct node *mid;

	if (put_at(h, end, inside, true, inside, &mid, err))
		return -1;
	if (!mid && end == h->whole && put_at(h, end, inside, false, inside, &mid, err))
		return -1;
	if (!mid)
		return 0;
	if (mid == end) {
		if (hits_inside(end) == 0)
			is_empty(h, end);
		return 1;
	}
	if (prove(h, mid, end, err))
		return -1;
	is_empty(h, end);
	return 1;
}

/* The first time: 1: it is in pieces, or known to have no hits, or not long perhaps.  0: it is long, and has too many. */
static int put_before(const struct search *h, struct node *end, struct err *err)
{
	struct node *mid = NULL;

	end->hits.asked = true;
	if (points_has(h->s, end) && points_put_in(h->s, end, end == h->whole ? POINTS_LAST : POINTS_AS_FAR, &mid, err) < 0)
		return -1;
	if (count(h, end, err) || count(h, end->parent, err))
		return -1;
	if (end->parent->hits.many)
		return mid == NULL;
	uint64_t inside = hits_inside(end);
	if (inside == 0)
		is_empty(h, end);
	else if (come_before(h, end, inside, err))
		return -1;
	return 1;
}

/* It is long.  0: nothing can be done about that. */
static int put_after(const struct search *h, struct node *end, struct err *err)
{
	uint64_t inside = end->parent->hits.known && !end->parent->hits.many ? hits_inside(end) : 0;

	return inside ? come_to(h, end, inside, err) : 0;
}

int hits_put_in(struct session *s, struct departure *d, uint64_t n, struct err *err)
{
	int segment = machine_segment(d->fm);
	struct node *end = machine_node(d->fm, segment + 1);
	struct search h = {.s = s, .d = d, .n = n, .whole = timeline_whole(end)};

	if (!s->adapter->hits || d->hits_off || !split_possible(s, end))
		return 0;
	int r = !h.whole->state && end == h.whole ? machine_learn(d->fm, segment, err) : 0;
	if (r == 0 && !h.whole->state)
		r = err_set(err, "where the command ended is not known");
	if (r == 0)
		r = end->hits.asked ? put_after(&h, end, err) : put_before(&h, end, err);
	travel_due(s, d->from);
	if (r < 0 && split_stopped(s, err))
		return -1;
	/* Then as ever. */
	d->hits_off = r < 0;
	if (r) {
		machine_close(d->fm);
		d->m = machine_open(s, d->settings, &d->fm);
	}
	return r != 0;
}
