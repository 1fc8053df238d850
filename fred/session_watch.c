/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fred-reverse-watch: has decompose/ look for the statement, or session_threads.c where there are several; makes sure of it
 * in the process that the user will get; and says what it did. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decompose/watch.h"
#include "fred/message.h"
#include "fred/session_split.h"
#include "fred/session_threads.h"

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

/* What was asked for. */
struct question {
	const char *expr;
	enum session_change which;
	uint64_t began;                 /* clock_us() */
};

/* Nothing was found. */
static int report_none(const struct question *q, const struct watch_result *result, struct err *err)
{
	if (result->outcome == WATCH_UNPROVEN)
		return err_set(err, "%s is %s now and was so wherever the search looked, the start included; "
			       "fred-reverse-watch --last %s looks at every stop", q->expr, in_words(&result->after), q->expr);
	return err_set(err, "%s has been %s at every stop since %s", q->expr, in_words(&result->after),
		       result->late ? "it first had a value" : "the start");
}

/* Is it the first, the last, one of many? */
static void say_which(const struct question *q, const struct watch_result *result)
{
	bool known = result->counted && (q->which == CHANGE_FIRST || result->latest);

	if (known && result->changes == 1)
		say("%s changed once%s: here", q->expr, result->late ? " since it first had a value" : "");
	else if (known)
		say("%s changed %llu times%s; this is the %s", q->expr, (unsigned long long)result->changes,
		    result->late ? " since it first had a value" : "", q->which == CHANGE_FIRST ? "first" : "last");
	else if (q->which == CHANGE_FIRST)
		say("this is the first change since %s", result->late ? "it first had a value" : "the start");
	else if (!result->latest)
		say("it may have changed again later: fred-reverse-watch --last finds the latest change");
}

/* The place lies in the middle of a run that is too long for the clock: what comes before it is split as of any other piece. */
static void is_piece(struct session *s, struct node *end, const struct culprit *culprit)
{
	struct node *here = s->timeline->here;

	/* In a turn it is a copy. */
	here->whole = timeline_node(s->timeline, end->whole ? end->whole->id : end->id);
	here->at = culprit->at;
	here->ran_us = here->whole->ran_us;     /* at most */
}

static int report_watch(struct session *s, struct departure *d, const struct question *q, struct watch_result *result,
			struct culprit *culprit, struct err *err)
{
	const char *expr = q->expr;

	if ((result->outcome != WATCH_FOUND || q->which == CHANGE_FIRST) && *history_ends(s))
		say("%s", history_ends(s));
	if (result->outcome != WATCH_FOUND)
		return report_none(q, result, err);
	struct machine_stop stop;
	if (!culprit->there && machine_compare(d->fm, &result->target, err))
		return -1;
	if (!culprit->there && reverse_go(d->m, &result->target, &stop, err))
		return -1;
	/* At a mark of its own both sides were evaluated in processes that are the same as the user's, to the last bit. */
	if (!culprit->there && !result->target.marked && verify(d, expr, result, &stop, err))
		return -1;
	if (!culprit->there && d->threads > 1 && threads_prove(s, d, expr, result, culprit, err))
		return -1;
	/* Passes are counted from the run's start, and pieces begin elsewhere: a digest tells the place from all of them. */
	bool piece = culprit->there && d->threads < 2;
	if (piece) {
		free(steal_pointer(&culprit->end));
		if (request_state(s, "", &culprit->end, err))
			return -1;
	}
	announce(s, d, expr, result);
	s->silent = false;
	if (request_show(s, err) || (result->in_caller && name_guilty_caller(s, d, result, err)) ||
	    book_arrival(s, d, &result->target, culprit->end, err))
		return -1;
	if (piece)
		is_piece(s, machine_node(d->fm, result->target.segment + 1), culprit);
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
	say_which(q, result);
	unsigned snapshots = machine_snapshots(d->fm);
	say("%u evaluations, %u snapshot%s, %.2f s", result->evaluations, snapshots, snapshots == 1 ? "" : "s",
	    (double)(clock_us() - q->began) / 1e6);
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

/* How far the clock goes before something else is tried. */
static void limit_search(struct session *s, struct departure *d, enum session_change which)
{
	if (which != CHANGE_FIRST)
		split_limit(s, d, false);
	if (which != CHANGE_ANY && s->adapter->watch_changes)
		machine_limit(d->fm, SPLIT_FAR);
}

/* The first change or the last, where the clock has given up. */
static int search_long(struct session *s, struct departure *d, const struct question *q, const struct watch_options *options,
		       struct watch_result *result, struct culprit *culprit, struct err *err)
{
	machine_limit(d->fm, 0);
	int r = watch_at_full_speed(s, d, q->expr, q->which, result, culprit, err);
	bool often = r == 2;
	if (r && !often)
		return r < 0 ? -1 : 0;
	/* Then it has changed near the end, too, and there the clock finds it. */
	while (often && d->vain < 2) {
		if (split(s, d, 0, err) < 0)
			return -1;
		limit_search(s, d, q->which);
		r = watch_search(d->m, q->expr, d->selected, options, result, err);
		if (r == 0 || !split_wanted(err))
			return r;
		watch_result_free(result);
		*result = (struct watch_result){0};
	}
	machine_limit(d->fm, 0);
	machine_split(d->fm, 0, false);
	return watch_search(d->m, q->expr, d->selected, options, result, err);
}

/* All segments, of whatever length. */
static int search_whole(struct session *s, struct departure *d, const struct question *q, struct watch_result *result,
			struct culprit *culprit, struct err *err)
{
	static const enum watch_which which[] = {
		[CHANGE_ANY] = WATCH_ANY, [CHANGE_FIRST] = WATCH_FIRST, [CHANGE_LAST] = WATCH_LAST,
	};
	bool anywhere = d->owner && !*d->owner;
	struct watch_options options = {.which = which[q->which], .anywhere = anywhere};
	unsigned evaluations = 0;

	if (anywhere)
		limit_search(s, d, q->which);
	int r = watch_search(d->m, q->expr, d->selected, &options, result, err);
	while (r && split_rejoin(s, d)) {
		watch_result_free(result);
		*result = (struct watch_result){0};
		r = watch_search(d->m, q->expr, d->selected, &options, result, err);
	}
	if (r == 0 || !split_wanted(err))
		return r;
	watch_result_free(result);
	*result = (struct watch_result){0};
	if (q->which != CHANGE_ANY)
		return search_long(s, d, q, &options, result, culprit, err);
	int split = split_watch(s, d, q->expr, result, &evaluations, err);
	if (split < 0 || split > 1)
		return split < 0 ? -1 : 0;
	r = watch_search(d->m, q->expr, d->selected, &options, result, err);
	result->evaluations += evaluations;
	/* Of a piece of the run nothing is said of the whole. */
	result->latest = result->latest && !split;
	result->counted = result->counted && !split;
	return r;
}

int session_watch(struct session *s, const char *expr, enum session_change which, struct err *err)
{
	struct question q = {.expr = expr, .which = which, .began = clock_us()};
	struct watch_result result = {0};
	struct culprit culprit = {0};
	struct turn turn = {0};
	struct departure d;
	int segment;

	if (depart(s, &d, false, err))
		return -1;
	int r = request_frame_for(s, expr, &d.selected, &d.threads, &d.owner, err);
	if (r == 0)
		r = check_unwound(&d, expr, err);
	if (r == 0 && (which == CHANGE_FIRST || d.m->segments(d.m->self) == 0) && (r = depart_earlier(s, &d, err)) > 0)
		r = 0;
	if (r == 0 && d.m->segments(d.m->self) == 0 && *history_ends(s))
		r = err_set(err, "%s", history_ends(s));
	while (r == 0) {
		r = threads_search(s, &d, expr, which, &result, &culprit, &segment, err);
		if (r == 0 && segment >= 0)
			r = turns_search(s, &d, expr, segment, &result, &culprit, &turn, err);
		if (r == 0 && segment < 0 && which != CHANGE_FIRST)
			r = split_watch_last(s, &d, expr, which, &result, &culprit, &turn, err);
		if (r == 0 && segment < 0)
			r = search_whole(s, &d, &q, &result, &culprit, err);
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
		r = report_watch(s, turn.d.m ? &turn.d : &d, &q, &result, &culprit, err);
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
