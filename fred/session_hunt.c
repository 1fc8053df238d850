/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search by a watchpoint, once the command is known: the statement in it, and the proof. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fred/session_hunt.h"

static int execute(struct session *s, const char *command, struct err *err)
{
	struct adapter_event event;

	if (s->adapter->line(s->agent, command, err) || run_to_prompt(s, &event, err))
		return -1;
	adapter_event_free(&event);
	return 0;
}

int hunt_ask(struct hunt *h, struct adapter_event *reply, struct err *err) { return threads_ask(h->s, reply, err); }

int hunt_ask_all(struct hunt *h, struct adapter_event *reply, struct err *err)
{
	if (hunt_ask(h, reply, err))
		return -1;
	if (strcmp(reply->fields[BY_MISSED], "1") != 0)
		return 0;
	adapter_event_free(reply);
	return execute(h->s, h->s->adapter->stepi, err) ? -1 : hunt_ask(h, reply, err);
}

/* The answer 1 or 0. */
static int yes_or_no(struct session *s, struct err *err)
{
	struct adapter_event reply;

	if (request_reply(s, &reply, -1, err))
		return -1;
	int yes = reply.n_fields && !strcmp(reply.fields[0], "1");
	adapter_event_free(&reply);
	return yes;
}

int hunt_count_from_here(struct hunt *h, uint64_t halt, uint64_t halt_pass, struct err *err)
{
	struct session *s = h->s;

	if (s->adapter->watch_changes(s->agent, h->expr, h->d->selected, h->statement ? h->statement : "0", halt, halt_pass,
				      err))
		return -1;
	return yes_or_no(s, err);
}

/* What is left of the command that ended at `end`. */
static int go_on_to(struct session *s, const struct node *end, struct err *err)
{
	const struct adapter *a = s->adapter;
	struct pass at = split_rest_end(s, timeline_whole(end));
	struct adapter_event event;

	if (!a->land || !at.pc)
		return execute(s, a->go_on_command, err);
	if (a->land(s->agent, a->go_on_command, NULL, 0, &at, err) || run_to_prompt(s, &event, err))
		return -1;
	adapter_event_free(&event);
	return 0;
}

/* From the start of a run that has been split its command is as it was typed, whatever pieces the rest is in. */
int hunt_go_on(struct hunt *h, struct err *err)
{
	struct node *end = machine_node(h->d->fm, h->segment + 1);

	h->s->astray = true;
	if (!h->whole || end->given)
		return go_on_to(h->s, end, err);
	return end->partial ? execute(h->s, end->command, err) : run_again_anywhere(h->s, end->parent, end, err);
}

int hunt_run_out(struct hunt *h, struct err *err)
{
	if (h->s->adapter->forget_changes(h->s->agent, err) || yes_or_no(h->s, err) < 0)
		return -1;
	return go_on_to(h->s, machine_node(h->d->fm, h->segment + 1), err);
}

int hunt_look(struct hunt *h, struct machine_value *value, struct err *err)
{
	struct machine *m = h->d->m;

	m->progress(m->self, &(struct machine_progress){.doing = "searching", .evaluations = h->result->evaluations++});
	return m->eval(m->self, h->expr, h->d->selected, value, err);
}

int hunt_differs(struct hunt *h, const struct machine_value *from, struct machine_value *now, struct err *err)
{
	struct machine_value value = {0};

	if (hunt_look(h, &value, err))
		return -1;
	int r = !value_same(&value, from);
	if (now)
		*now = value;
	else
		free(value.text);
	return r;
}

int hunt_enter(struct hunt *h, int segment, struct err *err)
{
	struct machine_stop stop;

	return h->d->m->enter(h->d->m->self, segment, &stop, err);
}

int hunt_go(struct hunt *h, struct machine_mark *mark, struct err *err)
{
	struct machine_stop stop;

	return h->d->m->go(h->d->m->self, mark, &stop, err);
}

static int from_start(struct hunt *h, struct err *err)
{
	struct machine *m = h->d->m;

	h->whole = true;
	if (hunt_enter(h, h->segment, err) || hunt_count_from_here(h, 0, 0, err) < 0)
		return -1;
	m->drop(m->self, h->near);
	h->near = NULL;
	return m->mark(m->self, &h->near, err);
}

/* To where only the last change is still to come. */
static int come_near(struct hunt *h, struct err *err)
{
	struct adapter_event reply;

	if (h->changes == 1)
		return from_start(h, err);
	h->whole = true;
	if (hunt_enter(h, h->segment, err) || hunt_count_from_here(h, h->changes - 1, 0, err) < 0 || hunt_go_on(h, err) ||
	    hunt_ask(h, &reply, err))
		return -1;
	h->whole = number(reply.fields[BY_CHANGES]) != h->changes - 1;
	adapter_event_free(&reply);
	return h->whole ? from_start(h, err) : h->d->m->mark(h->d->m->self, &h->near, err);
}

/* The last pass of the statement that was the maker's, before the change; 0 if it had passed already. */
static int observe(struct hunt *h, struct err *err)
{
	struct adapter_event reply;

	if (hunt_go(h, h->near, err) || hunt_count_from_here(h, h->whole ? h->changes : 1, 0, err) < 0 || hunt_go_on(h, err) ||
	    hunt_ask_all(h, &reply, err))
		return -1;
	bool the_same = hunt_changed(&reply) && !strcmp(reply.fields[BY_STATEMENT], h->statement);
	h->pass = number(reply.fields[BY_PASS]);
	h->since = number(reply.fields[BY_SINCE]);
	adapter_event_free(&reply);
	return the_same ? 0 : watch_not_again(err);
}

/* 1: the session stands at the statement, and `at` is marked; 0: where it begins cannot be told. */
static int halt_at_statement(struct hunt *h, struct culprit *culprit, struct err *err)
{
	struct adapter_event reply;

	if (observe(h, err))
		return -1;
	if (!h->pass && !h->whole && (from_start(h, err) || observe(h, err)))
		return -1;
	if (!h->pass)
		return 0;
	if (hunt_go(h, h->near, err) || hunt_count_from_here(h, 0, h->pass, err) < 0 || hunt_go_on(h, err) || hunt_ask(h, &reply, err))
		return -1;
	culprit->end = xstrdup(reply.fields[BY_END]);
	culprit->at = (struct pass){number(reply.fields[BY_PC]), number(reply.fields[BY_SP])};
	culprit_is_selected(culprit, &reply);
	adapter_event_free(&reply);
	if (!*culprit->end)
		return watch_not_again(err);
	return h->d->m->mark(h->d->m->self, &h->at, err) ? -1 : 1;
}

int threads_move_alone(struct session *s, const char *command, bool really, struct err *err)
{
	s->astray = true;
	if (s->adapter->alone(s->agent, really, err))
		return -1;
	int can = yes_or_no(s, err);
	return can <= 0 ? can : execute(s, command, err) ? -1 : 1;
}

/* From `at`, by `next`, which breakpoints may end early: 1: this thread has made the change; 0: there is none. */
static int try_next(struct hunt *h, const struct culprit *culprit, bool breakpoints, struct err *err)
{
	struct session *s = h->s;
	struct adapter_event reply;

	/* The program halts at the change itself: what the others do after it, up to its end perhaps, is of no interest. */
	if (hunt_go(h, h->at, err) || hunt_count_from_here(h, h->since, 0, err) < 0)
		return -1;
	if (breakpoints ? execute(s, s->adapter->next, err) :
			  threads_move_alone(s, s->adapter->next, false, err) < 0)
		return -1;
	if (hunt_ask_all(h, &reply, err))
		return -1;
	bool own = hunt_changed(&reply) && !strcmp(reply.fields[BY_MAKER], culprit->thread);
	adapter_event_free(&reply);
	int r = hunt_differs(h, &h->result->after, NULL, err);
	if (r)
		return r < 0 ? -1 : 0;
	return own ? 1 : err_set(err, "another thread changed %s meanwhile, and not thread %s (\"%s\") that had done it the "
				 "time before: they race, so the statement cannot be named", h->expr, culprit->number,
				 culprit->name);
}

/* At the statement EXPR has another value, and the thread makes the change. */
static int prove(struct hunt *h, const struct culprit *culprit, struct err *err)
{
	int r = hunt_differs(h, &h->result->after, &h->result->before, err);

	if (r > 0)
		r = try_next(h, culprit, true, err);
	else if (r == 0)
		return watch_not_again(err);
	if (r == 0)
		r = try_next(h, culprit, false, err);
	return r < 0 ? -1 : r ? 0 : watch_not_again(err);
}

/* A statement may write more than once: what has it come to behind it?  1; 0: to what it was. */
static int complete(struct hunt *h, struct err *err)
{
	if (!value_same(&h->result->before, &h->base))
		return watch_not_again(err);
	free(steal_pointer(&h->result->after.text));
	if (hunt_go(h, h->at, err) || threads_move_alone(h->s, h->s->adapter->next, false, err) < 0 || hunt_look(h, &h->result->after, err))
		return -1;
	return !value_same(&h->result->after, &h->base);
}

int hunt_statement(struct hunt *h, struct culprit *culprit, struct err *err)
{
	struct session *s = h->s;

	if (come_near(h, err))
		return -1;
	int r = halt_at_statement(h, culprit, err);
	if (r <= 0)
		return r;
	if (prove(h, culprit, err))
		return -1;
	r = h->which == CHANGE_FIRST ? complete(h, err) : 1;
	if (r <= 0)
		return r;
	if (hunt_go(h, h->at, err) || s->adapter->forget_changes(s->agent, err) ||
	    yes_or_no(s, err) < 0)
		return -1;
	h->result->outcome = WATCH_FOUND;
	h->result->target.segment = h->segment;
	h->result->target.tick = UINT64_MAX;
	culprit->there = true;
	if (h->d->threads < 2)
		free(steal_pointer(&culprit->number));
	return 1;
}
