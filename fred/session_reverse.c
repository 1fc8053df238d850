/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reverse moves: ask decompose/ for the target, go there with the debugger showing the place, bring the breakpoints and
 * the like along, and book the new position. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decompose/reverse.h"
#include "fred/message.h"
#include "fred/session_hits.h"
#include "fred/session_split.h"
#include "fred/session_threads.h"

/* Was there a program that has moved? */
static bool has_moved(const struct node *node)
{
	while (node->parent && (node->idle || (node->class != COMMAND_MOVES && node->class != COMMAND_RESTARTS)))
		node = node->parent;
	return node->parent != NULL;
}

int depart(struct session *s, struct departure *d, bool gone_too, struct err *err)
{
	struct place place = {0};

	*d = (struct departure){.from = s->timeline->here};
	if (s->state != SESSION_PROMPT)
		return err_set(err, s->state == SESSION_ENDED ? "the debugger has exited; fred-undo goes back before that"
							      : "finish the present command first");
	s->cancelled = false;
	if (request_where(s, &place, NULL, err)) {
		if (err->sys || s->state != SESSION_PROMPT || !has_moved(d->from))
			return -1;
		if (!gone_too)
			return err_set(err, "the program has ended: go back into it first, with fred-reverse-step say");
	}
	d->selected = place.selected ? place.selected : place.depth;
	d->depth = place.inside ? 0 : place.depth;
	place_free(&place);
	if (request_settings(s, &d->settings, err) || travel_keep_here(s, err)) {
		free(d->settings);
		return -1;
	}
	work_begin(s);
	d->m = machine_open(s, d->settings, &d->fm);
	int r = request_witness_of_node(s, d->from, err);
	if (r) {
		go_back(s, d, err);
		depart_end(s, d);
	}
	return r;
}

int depart_earlier(struct session *s, struct departure *d, struct err *err)
{
	travel_due(s, d->from);
	int r = begin_history(s, err);
	if (r <= 0)
		return r;
	machine_close(d->fm);
	d->m = machine_open(s, d->settings, &d->fm);
	return r;
}

void depart_end(struct session *s, struct departure *d)
{
	work_end(s);
	machine_close(d->fm);
	free(d->settings);
	free(d->owner);
}

int go_back(struct session *s, struct departure *d, struct err *err)
{
	struct err why = *err, lost;

	s->silent = s->internal = true;
	s->cancelled = false;
	if (travel_to(s, d->from, &lost)) {
		*err = lost;
		return err_context(err, "cannot return to where you were");
	}
	*err = why;
	return -1;
}

/* The commands that had changed only the debugger since the target, for the history. */
static void keep_reissued(struct session *s, struct departure *d, const struct reverse_target *target, struct node *node)
{
	struct node *root = s->timeline->nodes[0], *base = machine_node(d->fm, target->segment);
	struct history *before = timeline_history(root, base, s->adapter);
	struct history *all = timeline_history(root, d->from, s->adapter);
	size_t first = history_rewind(all, before->n, &target->steps, s->adapter->step, s->adapter->next);

	for (; first < all->n; first++) {
		array_grow(node->reissued, node->n_reissued);
		node->reissued[node->n_reissued++] = xstrdup(all->entries[first].text);
	}
	history_free(before);
	history_free(all);
	free(before);
	free(all);
}

struct node *arrival_node(struct session *s, struct departure *d, struct reverse_target *target, struct err *err)
{
	struct timeline *t = s->timeline;
	struct node *base = machine_node(d->fm, target->segment), *whole = machine_node(d->fm, target->segment + 1);
	struct place place = {0};
	struct witness witness;

	/* All that ^C can stop comes first: a position is booked, or it is not. */
	if (request_load_settings(s, d->settings, err) || request_where(s, &place, NULL, err) ||
	    request_witness(s, false, &witness, err)) {
		place_free(&place);
		return NULL;
	}
	struct node *node = timeline_add_found(t, base, target->tick ? whole->command : NULL,
					       target->tick ? COMMAND_MOVES : COMMAND_DEBUGGER, s->prompt);
	keep_reissued(s, d, target, node);
	node->partial = target->tick > 0;
	base->kept = base->whole != NULL;
	node->tick = target->tick;
	node->way = machine_way(d->fm);
	node->steps = target->steps;
	target->steps = (struct path){0};
	node->has_steps = true;
	node->settings = d->settings ? xstrdup(d->settings) : NULL;
	if (target->tick) {
		input_settle(s, whole, node);
		/* Halted before its end, it is the same command. */
		if (s->adapter->needs_ends && whole->state)
			node->state = xstrdup(whole->state);
	}
	node->place = place;
	/* The start of a segment may lie inside a statement: no stop, but a place to count instructions from. */
	node->inside = target->tick == 0 && base->inside;
	node->witness = witness;
	s->astray = false;
	return node;
}

int book_arrival(struct session *s, struct departure *d, struct reverse_target *target, const char *end, struct err *err)
{
	struct node *node = arrival_node(s, d, target, err);

	if (!node)
		return -1;
	if (end) {
		free(node->state);
		node->state = xstrdup(end);
		node->has_steps = false;
	}
	undo_do(&s->timeline->undo, node->id);
	return 0;
}

void say_changed(struct session *s, const struct departure *d)
{
	if (machine_changed(d->fm) || d->other_values)
		say(s->several ? "the other threads did not run as they had: what they change may be different here"
			       : "run again, the program came to other values (the time, random numbers, files?): what is here may not be "
				 "what was here the first time");
}

/* Goes to a target that has moved, with its place shown. */
static int arrive(struct session *s, struct departure *d, struct reverse_target *target, struct err *err)
{
	struct machine_stop stop;

	if (machine_compare(d->fm, target, err))
		return -1;
	machine_show(d->fm);
	if (reverse_go(d->m, target, &stop, err))
		return -1;
	s->silent = false;
	if (target->tick == 0 && (request_load_settings(s, d->settings, err) || request_show(s, err)))
		return -1;
	return book_arrival(s, d, target, NULL, err);
}

static int find_target(struct departure *d, enum session_reverse how, uint64_t n, struct reverse_target *target,
		       struct err *err)
{
	switch (how) {
	case REVERSE_STEP:
		return reverse_step(d->m, n, target, err);
	case REVERSE_NEXT:
		return reverse_next(d->m, n, target, err);
	case REVERSE_FINISH:
		return reverse_finish(d->m, d->selected, n, target, err);
	default:
		return reverse_continue(d->m, n, target, err);
	}
}

bool search_again(struct session *s, struct departure *d, const struct reverse_target *target, uint32_t called, uint64_t hits,
		  int *r, struct err *err)
{
	if (*r < 0 && split_wanted(err)) {
		*r = hits ? hits_put_in(s, d, hits, err) : 0;
		if (*r == 0)
			*r = split(s, d, called, err);
		return *r >= 0;
	}
	if (*r < 0 && split_rejoin(s, d))
		return true;
	if (*r == 0 && target->no_more)
		*r = depart_earlier(s, d, err);
	return *r > 0;
}

int session_reverse(struct session *s, enum session_reverse how, long n, struct err *err)
{
	struct departure d;
	struct reverse_target target = {0};
	bool found = false, by_hits = how == REVERSE_CONTINUE;
	uint32_t called;
	int r;

	if (how == REVERSE_STEPI || how == REVERSE_NEXTI)
		return reverse_by_instruction(s, how == REVERSE_NEXTI, (uint64_t)n, err);
	if (depart(s, &d, how != REVERSE_FINISH, err))
		return -1;
	called = (uint64_t)n <= d.selected ? d.selected - (uint32_t)(n - 1) : 1;
	d.chain = how == REVERSE_NEXT ? d.depth : how == REVERSE_FINISH ? d.selected - 1 : 0;
	do {
		split_limit(s, &d, how == REVERSE_NEXT || how == REVERSE_FINISH);
		if (by_hits)
			hits_limit(s, &d);
		reverse_target_free(&target);
		target = (struct reverse_target){0};
		r = machine_find_death(d.fm, err);
		if (r == 0 && how == REVERSE_FINISH && s->adapter->stepi)
			r = reverse_to_call(s, &d, (uint64_t)n, &found, err);
		if (r == 0 && !found)
			r = find_target(&d, how, (uint64_t)n, &target, err);
	} while (search_again(s, &d, &target, how == REVERSE_FINISH ? called : 0, by_hits ? (uint64_t)n : 0, &r, err));
	if (r == 0 && target.no_more)
		say_no_more(s);
	if (r == 0 && target.triggers)
		say("a breakpoint is reached, or a watchpoint triggers, in what is executed from here to the next stop:");
	if (r == 0 && target.moved)
		r = arrive(s, &d, &target, err);
	else if (r == 0 && !found)
		r = s->astray ? travel_to(s, d.from, err) : 0;
	if (r == 0 && target.moved)
		say_changed(s, &d);
	if (r) {
		threads_explain(s, &d, err);
		go_back(s, &d, err);
	}
	reverse_target_free(&target);
	hits_forget(s);
	depart_end(s, &d);
	return r;
}
