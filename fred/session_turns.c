/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch in a program with several threads, where the debugger cannot watch the expression, as one with calls.
 *
 * The threads take turns: the segment is searched by the statements of one thread after the other, while the rest run as
 * they please (gdb-adapter/agent/clock_threads.py).  In the turn of the thread that makes the change it comes at one of these
 * statements, whatever the others do; in another's it comes at any.  So what a search finds is believed only after a
 * proof: from that state the thread makes the change by one step of its own, while all the others stand still. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/session_threads.h"

int threads_ask(struct session *s, struct adapter_event *reply, struct err *err)
{
	if (s->adapter->changed_by(s->agent, err) || request_reply(s, reply, -1, err))
		return -1;
	return reply->n_fields > BY_THREADS ? 0 : err_set(err, "the debugger does not say which thread is selected");
}

/* 1 or 0. */
static int value_is(struct departure *d, const char *expr, const struct machine_value *value, struct err *err)
{
	struct machine_value now = {0};

	if (d->m->eval(d->m->self, expr, d->selected, &now, err))
		return -1;
	int same = value_same(&now, value);
	free(now.text);
	return same;
}

/* 1 or 0. */
static int step_makes(struct session *s, struct departure *d, const char *expr, const struct machine_value *value,
		      const char *threads, struct err *err)
{
	struct adapter_event reply;

	int r = threads_move_alone(s, s->adapter->step, true, err);
	if (r <= 0)
		return r;
	if (threads_ask(s, &reply, err))
		return -1;
	/* A new thread runs at once, whatever gdb's scheduler-locking says of the others. */
	bool was_alone = !strcmp(reply.fields[BY_THREADS], threads);
	adapter_event_free(&reply);
	int same = value_is(d, expr, value, err);
	return same < 0 ? -1 : was_alone && same;
}

/* A local is what it is in one thread only. */
static int check_owner(const struct departure *d, const char *expr, const char *selected, struct err *err)
{
	if (!d->owner || !*d->owner || !strcmp(d->owner, selected))
		return 0;
	return err_set(err, "%s belongs to the thread that is selected now, and the commands before moved another thread, in which "
		       "it means nothing; watch a global, or an address: *(int *)0x...", expr);
}

/* From `mark`, where the session stands: 1 or 0. */
static int prove(struct session *s, struct departure *d, const char *expr, const struct watch_result *result,
		 struct machine_mark *mark, struct culprit *culprit, struct err *err)
{
	struct adapter_event reply;
	struct machine_stop stop;

	/* On the way here the others may have run otherwise than when the search came by. */
	if (result->before.kind != MACHINE_UNBORN) {
		int as_before = value_is(d, expr, &result->before, err);
		if (as_before <= 0 || d->m->go(d->m->self, mark, &stop, err))
			return as_before ? -1 : 0;
	}
	if (threads_ask(s, &reply, err))
		return -1;
	int r = check_owner(d, expr, reply.fields[BY_SELECTED], err);
	if (r == 0 && !result->by_command)
		r = step_makes(s, d, expr, &result->after, reply.fields[BY_THREADS], err);
	if (r > 0)
		culprit_is_selected(culprit, &reply);
	adapter_event_free(&reply);
	return r;
}

int threads_prove(struct session *s, struct departure *d, const char *expr, const struct watch_result *result,
		  struct culprit *culprit, struct err *err)
{
	struct machine_mark *mark;
	struct machine_stop stop;

	if (!s->adapter->alone)
		return 0;
	if (d->m->mark(d->m->self, &mark, err))
		return -1;
	int r = prove(s, d, expr, result, mark, culprit, err);
	if (r >= 0)
		r = d->m->go(d->m->self, mark, &stop, err);
	d->m->drop(d->m->self, mark);
	return r;
}

/* The segment as that thread goes through it. */
static void turn_begin(struct session *s, struct departure *d, int segment, const char *thread, struct turn *turn)
{
	turn->d = *d;
	turn->end = *machine_node(d->fm, segment + 1);
	turn->end.state = s->adapter->in_thread(turn->end.state, thread);
	turn->d.m = machine_open_between(s, machine_node(d->fm, segment), &turn->end, &turn->d.fm);
}

void turn_end(struct session *s, struct departure *d, struct turn *turn)
{
	if (!turn->d.m)
		return;
	if (s->timeline->here == &turn->end)
		travel_due(s, d->from);
	machine_close(turn->d.fm);
	free(turn->end.state);
	*turn = (struct turn){0};
}

/* 1: the thread makes the change; 0: it does not, or it cannot be told. */
static int take_turn(struct session *s, struct departure *d, const char *expr, struct watch_result *result,
		     struct culprit *culprit, struct err *err)
{
	struct watch_options options = {0};
	struct machine_stop stop;

	if (watch_search(d->m, expr, d->selected, &options, result, err))
		return -1;
	if (result->outcome != WATCH_FOUND || result->by_command)
		return 0;
	result->counted = false;        /* elsewhere nobody looked */
	if (reverse_go(d->m, &result->target, &stop, err) || threads_prove(s, d, expr, result, culprit, err))
		return -1;
	culprit->there = culprit->number != NULL;
	return culprit->there;
}

static int say_untold(struct departure *d, const char *expr, struct err *err)
{
	return err_set(err, "which statement of the %ld threads changes %s cannot be told: none of them does it while the others stand "
		       "still; watch a variable that the expression depends on", d->threads, expr);
}

int turns_search(struct session *s, struct departure *d, const char *expr, int segment, struct watch_result *result,
		 struct culprit *culprit, struct turn *turn, struct err *err)
{
	struct node *end = machine_node(d->fm, segment + 1);
	struct adapter_event reply;

	if (end->class != COMMAND_MOVES)
		return watch_search(d->m, expr, d->selected, &(struct watch_options){0}, result, err);
	if (travel_to(s, d->from, err) || threads_ask(s, &reply, err))
		return -1;
	cleanup_free char *inferior = xstrdup(reply.fields[BY_SELECTED]);
	adapter_event_free(&reply);
	inferior[strcspn(inferior, ".")] = '\0';
	/* The present at the segment's end, for the turns. */
	if (machine_learn(d->fm, segment, err) || travel_to(s, end, err))
		return -1;
	for (long i = 1; i <= d->threads; i++) {
		cleanup_free char *thread = xasprintf("%s.%ld", inferior, i);
		turn_begin(s, d, segment, thread, turn);
		int r = take_turn(s, &turn->d, expr, result, culprit, err);
		if (r > 0)
			return 1;
		if (r < 0)
			log_info(LOG_SESSION, "in the turn of thread %s: %s", thread, err->what);
		watch_result_free(result);
		*result = (struct watch_result){0};
		turn_end(s, d, turn);
		if (r < 0 && (err->sys == ECANCELED || s->state == SESSION_ENDED))
			return -1;
	}
	return say_untold(d, expr, err);
}

void threads_explain(struct session *s, const struct departure *d, struct err *err)
{
	struct err why = *err;

	if (s->several && machine_diverged(d->fm) && err->sys == 0)
		err_set(err, "%s; its threads race, but fred-undo takes commands back all the same", why.what);
}

void culprit_is_selected(struct culprit *culprit, const struct adapter_event *reply)
{
	culprit->thread = xstrdup(reply->fields[BY_SELECTED]);
	culprit->number = xstrdup(reply->fields[BY_SELECTED_NUMBER]);
	culprit->name = xstrdup(reply->fields[BY_SELECTED_NAME]);
}

void culprit_free(struct culprit *culprit)
{
	free(culprit->end);
	free(culprit->thread);
	free(culprit->number);
	free(culprit->name);
	*culprit = (struct culprit){0};
}
