/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reverse moves: ask decompose/ for the target, go there with the debugger showing the place, bring the breakpoints and
 * the like along, and book the new position. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decompose/reverse.h"
#include "decompose/watch.h"
#include "fred/message.h"
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
	s->timeline->here = d->from;
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

/* end: for the clock, where no tick tells it. */
static int book_arrival(struct session *s, struct departure *d, struct reverse_target *target, const char *end,
			struct err *err)
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

/* The way is the same, as far as could be seen.  Not so the values, which may be of the clock, of random numbers, of files. */
static void say_changed(struct session *s, const struct departure *d)
{
	if (machine_changed(d->fm))
		say(s->several ? "the other threads did not run as they had: what they change may be different here"
			       : "run again, the program came to other values (the time, random numbers, files?): what is here may not be "
				 "what was here the first time");
}

/* Goes to a target that has moved, with its place shown. */
static int arrive(struct session *s, struct departure *d, struct reverse_target *target, struct err *err)
{
	struct machine_stop stop;

	if (target->tick && machine_compare(d->fm, target->segment, err))
		return -1;
	machine_show(d->fm);
	if (reverse_go(d->m, target, &stop, err))
		return -1;
	s->silent = false;
	if (target->tick == 0 && request_show(s, err))
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

/* After a search: is there more to search, or does it come easier now? */
static bool again(struct session *s, struct departure *d, const struct reverse_target *target, uint32_t called, int *r,
		  struct err *err)
{
	if (*r < 0 && split_wanted(err)) {
		*r = split(s, d, called, err);
		return *r >= 0;
	}
	if (*r == 0 && target->no_more)
		*r = depart_earlier(s, d, err);
	return *r > 0;
}

int session_reverse(struct session *s, enum session_reverse how, long n, struct err *err)
{
	struct departure d;
	struct reverse_target target = {0};
	bool found = false;
	uint32_t called;
	int r;

	if (how == REVERSE_STEPI || how == REVERSE_NEXTI)
		return reverse_by_instruction(s, how == REVERSE_NEXTI, (uint64_t)n, err);
	if (depart(s, &d, how != REVERSE_FINISH, err))
		return -1;
	called = (uint64_t)n <= d.selected ? d.selected - (uint32_t)(n - 1) : 1;
	do {
		split_limit(s, &d, how == REVERSE_NEXT || how == REVERSE_FINISH);
		reverse_target_free(&target);
		target = (struct reverse_target){0};
		r = machine_find_death(d.fm, err);
		if (r == 0 && how == REVERSE_FINISH && s->adapter->stepi)
			r = reverse_to_call(s, &d, (uint64_t)n, &found, err);
		if (r == 0 && !found)
			r = find_target(&d, how, (uint64_t)n, &target, err);
	} while (again(s, &d, &target, how == REVERSE_FINISH ? called : 0, &r, err));
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
	depart_end(s, &d);
	return r;
}

/* The debugger's True and False are true and false in a sentence. */
static const char *in_words(const struct machine_value *value)
{
	if (value->kind == MACHINE_UNBORN)
		return "not yet there (its function had not been called)";
	if (value->kind == MACHINE_UNDEFINED)
		return "undefined";
	if (!strcmp(value->text, "True"))
		return "true";
	return !strcmp(value->text, "False") ? "false" : value->text;
}

static void announce(struct session *s, struct departure *d, const char *expr, const struct watch_result *result)
{
	if (result->by_command)
		say("%s was %s before, %s after the command `%s` here:", expr, in_words(&result->before),
		    in_words(&result->after), machine_node(d->fm, result->target.segment + 1)->command);
	else
		say("%s was %s before, %s after this statement:", expr, in_words(&result->before), in_words(&result->after));
}

bool value_same(const struct machine_value *a, const struct machine_value *b)
{
	return a->kind == b->kind && (a->kind != MACHINE_VALUE || !strcmp(a->text, b->text));
}

int watch_not_again(struct err *err)
{
	return err_set(err, "the program does not run the same way each time (the clock, random numbers, threads?), so the "
		       "statement cannot be named");
}

/* The last doubt: at the target itself, in the process that the user will get, EXPR is still as before, and one statement
 * later as after.  A program that runs differently each time would otherwise be blamed for another run's deed. */
static int verify(struct departure *d, const char *expr, const struct watch_result *result,
		  struct machine_stop *stop, struct err *err)
{
	struct machine_value before = {0}, after = {0};
	struct machine *m = d->m;
	struct machine_mark *mark;
	struct machine_stop next;
	int r = -1;

	if (m->mark(m->self, &mark, err))
		return -1;
	bool born = result->before.kind != MACHINE_UNBORN;
	if ((!born || m->eval(m->self, expr, d->selected, &before, err) == 0) &&
	    m->go(m->self, mark, stop, err) == 0 &&
	    m->run(m->self, result->by_command ? UINT64_MAX : stop->tick + 1, &next, err) == 0 &&
	    m->eval(m->self, expr, d->selected, &after, err) == 0 &&
	    m->go(m->self, mark, stop, err) == 0)
		r = 0;
	if (r == 0 && ((born && !value_same(&before, &result->before)) || !value_same(&after, &result->after)))
		r = watch_not_again(err);
	m->drop(m->self, mark);
	free(before.text);
	free(after.text);
	return r;
}

static void name_caller(const struct place *caller)
{
	if (caller->file)
		say("the change comes after this return, in the rest of the statement at %s:%ld in %s()", caller->file,
		    caller->line, caller->function ? caller->function : "?");
}

static int name_guilty_caller(struct session *s, struct departure *d, const struct watch_result *result, struct err *err)
{
	const struct place *returned = machine_return_to(d->fm, result->guilty_depth);
	struct place place = {0}, caller = {0};

	if (result->guilty_depth && returned) {
		name_caller(returned);
		return 0;
	}
	if (request_where(s, &place, &caller, err))
		return -1;
	name_caller(&caller);
	place_free(&place);
	place_free(&caller);
	return 0;
}

static int report_watch(struct session *s, struct departure *d, const char *expr, struct watch_result *result,
			struct culprit *culprit, uint64_t began, struct err *err)
{
	if (result->outcome != WATCH_FOUND && *history_ends(s))
		say("%s", history_ends(s));
	if (result->outcome == WATCH_UNPROVEN)
		return err_set(err, "%s is %s now and was so wherever the search looked, the start included; "
			       "fred-reverse-watch --last %s looks at every stop", expr, in_words(&result->after), expr);
	if (result->outcome == WATCH_NEVER_CHANGED)
		return err_set(err, "%s has been %s at every stop since the start", expr, in_words(&result->after));
	struct machine_stop stop;
	if (!culprit->there && result->target.tick && machine_compare(d->fm, result->target.segment, err))
		return -1;
	if (!culprit->there && reverse_go(d->m, &result->target, &stop, err))
		return -1;
	/* At a mark of its own both sides were evaluated in processes that are the same as the user's, to the last bit. */
	if (!culprit->there && !result->target.marked && verify(d, expr, result, &stop, err))
		return -1;
	if (!culprit->there && d->threads > 1 && threads_prove(s, d, expr, result, culprit, err))
		return -1;
	announce(s, d, expr, result);
	s->silent = false;
	if (request_show(s, err) || (result->in_caller && name_guilty_caller(s, d, result, err)) ||
	    book_arrival(s, d, &result->target, culprit->end, err))
		return -1;
	if (culprit->number)
		say("thread %s (\"%s\") makes the change, and is selected now", culprit->number, culprit->name);
	/* A statement is one of the selected thread's; the others run on while it is executed. */
	else if (d->threads > 1 && !result->by_command)
		say("this program has had %ld threads, and which of them makes the change cannot be told: it may be another one, "
		    "meanwhile", d->threads);
	if (result->unsure)
		say("the change comes in the rest of this line or, after the return, in that of %s line that called it",
		    result->in_caller ? "a" : "the");
	if (result->inside)
		say("the program was interrupted inside this statement; the change comes in the rest of it");
	say_changed(s, d);
	if (!result->latest)
		say("it may have changed again later: fred-reverse-watch --last finds the latest change");
	unsigned snapshots = machine_snapshots(d->fm);
	say("%u evaluations, %u snapshot%s, %.2f s", result->evaluations, snapshots, snapshots == 1 ? "" : "s",
	    (double)(clock_us() - began) / 1e6);
	return 0;
}

/* After a post-mortem the search ends where the failing frame did.  What finally and except blocks did to EXPR while the
 * exception went on from there must not be blamed on an earlier statement. */
static int check_unwound(struct departure *d, const char *expr, struct err *err)
{
	struct machine_value now = {0}, then = {0};
	struct machine_stop stop;
	int r = -1;

	if (machine_find_death(d->fm, err))
		return -1;
	int last = machine_death_segment(d->fm);
	if (last < 0)
		return 0;
	if (d->m->enter(d->m->self, last + 1, &stop, err) == 0 &&
	    d->m->eval(d->m->self, expr, d->selected, &now, err) == 0 &&
	    d->m->enter(d->m->self, last, &stop, err) == 0 &&
	    d->m->run(d->m->self, UINT64_MAX, &stop, err) == 0 &&
	    d->m->eval(d->m->self, expr, d->selected, &then, err) == 0)
		r = 0;
	if (r == 0 && now.kind == MACHINE_VALUE && (then.kind != now.kind || strcmp(now.text, then.text) != 0))
		r = err_set(err, "%s was %s when the exception left the function that failed, and is %s now: it was changed "
			    "by a finally or except block after that; set a breakpoint there", expr, in_words(&then),
			    in_words(&now));
	free(now.text);
	free(then.text);
	return r;
}

/* All segments, of whatever length. */
static int search_whole(struct session *s, struct departure *d, const char *expr, bool last, struct watch_result *result, struct err *err)
{
	struct watch_options options = {.last = last};
	unsigned evaluations = 0;

	if (!last && d->owner && !*d->owner)
		split_limit(s, d, false);
	int r = watch_search(d->m, expr, d->selected, &options, result, err);
	if (r == 0 || !split_wanted(err))
		return r;
	watch_result_free(result);
	*result = (struct watch_result){0};
	int split = split_watch(s, d, expr, &evaluations, err);
	if (split < 0)
		return -1;
	r = watch_search(d->m, expr, d->selected, &options, result, err);
	result->evaluations += evaluations;
	result->latest = result->latest && !split;
	return r;
}

int session_watch(struct session *s, const char *expr, bool last, struct err *err)
{
	struct watch_result result = {0};
	uint64_t began = clock_us();
	struct culprit culprit = {0};
	struct turn turn = {0};
	struct departure d;
	int segment;

	if (depart(s, &d, false, err))
		return -1;
	int r = request_frame_for(s, expr, &d.selected, &d.threads, &d.owner, err);
	if (r == 0)
		r = check_unwound(&d, expr, err);
	if (r == 0 && d.m->segments(d.m->self) == 0 && (r = depart_earlier(s, &d, err)) > 0)
		r = 0;
	if (r == 0 && d.m->segments(d.m->self) == 0 && *history_ends(s))
		r = err_set(err, "%s", history_ends(s));
	while (r == 0) {
		r = threads_search(s, &d, expr, last, &result, &culprit, &segment, err);
		if (r == 0 && segment >= 0)
			r = turns_search(s, &d, expr, segment, &result, &culprit, &turn, err);
		else if (r == 0)
			r = search_whole(s, &d, expr, last, &result, err);
		if (r < 0 || result.outcome == WATCH_FOUND || (r = depart_earlier(s, &d, err)) <= 0)
			break;
		watch_result_free(&result);
		culprit_free(&culprit);
		turn_end(s, &d, &turn);
		result = (struct watch_result){0};
		turn = (struct turn){0};
		r = 0;
	}
	if (r >= 0)
		r = report_watch(s, turn.d.m ? &turn.d : &d, expr, &result, &culprit, began, err);
	watch_result_free(&result);
	turn_end(s, &d, &turn);
	if (r) {
		threads_explain(s, &d, err);
		go_back(s, &d, err);
	}
	culprit_free(&culprit);
	depart_end(s, &d);
	return r;
}
