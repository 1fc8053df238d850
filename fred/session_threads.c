/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch in a program with several threads.
 *
 * The statement clock counts the statements of one thread, and meanwhile the others run as they please: by its ticks a change
 * that another thread makes is found at a different statement each time.  What the debugger can watch is looked for in another
 * way.  The command in which EXPR comes to its present value is run again as it was, all threads at full speed, and the
 * debugger counts the changes.  A second run is halted one change before the last, which leaves little to chance.  From there
 * the thread that makes the last one is observed, and at last halted where it begins the statement: all others stand where
 * they stood then.  Proof is that from this very state the thread, moved by `next`, makes the change.
 *
 * Cost: four runs of the command, and half a millisecond a change of the watched memory. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fred/session_threads.h"

struct hunt {
	struct session *s;
	struct departure *d;
	const char *expr;
	struct watch_result *result;
	int segment;                    /* in which the change comes; */
	uint64_t changes;               /* it is the one of this number, and the segment's last */
	char *statement;                /* address of the code that makes it */
	struct machine_mark *near;      /* before it, and after the one before that; or, if `whole`, at the segment's start */
	bool whole;
	uint64_t pass, since;           /* of the statement, of all threads' from `near`, the one; so many changes follow in it */
	struct machine_mark *at;        /* its thread begins the statement */
};

int threads_ask(struct session *s, struct adapter_event *reply, struct err *err)
{
	if (s->adapter->changed_by(s->agent, err) || request_reply(s, reply, -1, err))
		return -1;
	return reply->n_fields > BY_THREADS ? 0 : err_set(err, "the debugger does not say which thread is selected");
}

static int execute(struct session *s, const char *command, struct err *err)
{
	struct adapter_event event;

	if (s->adapter->line(s->agent, command, err) || run_to_prompt(s, &event, err))
		return -1;
	adapter_event_free(&event);
	return 0;
}

static int ask(struct hunt *h, struct adapter_event *reply, struct err *err) { return threads_ask(h->s, reply, err); }

/* After a run.  Where several threads stop at once gdb tells of one, and of the next only when the program is to go on. */
static int ask_all(struct hunt *h, struct adapter_event *reply, struct err *err)
{
	if (ask(h, reply, err))
		return -1;
	if (strcmp(reply->fields[BY_MISSED], "1") != 0)
		return 0;
	adapter_event_free(reply);
	return execute(h->s, h->s->adapter->stepi, err) ? -1 : ask(h, reply, err);
}

static bool changed(const struct adapter_event *reply) { return reply->n_fields > BY_STATEMENT; }

static uint64_t number(const char *text) { return strtoull(text, NULL, 10); }

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

/* Changes and passes are counted from here on.  1, or 0: they cannot be seen. */
static int count_from_here(struct hunt *h, uint64_t halt, uint64_t halt_pass, struct err *err)
{
	struct session *s = h->s;

	if (s->adapter->watch_changes(s->agent, h->expr, h->d->selected, h->statement ? h->statement : "0", halt, halt_pass,
				      err))
		return -1;
	return yes_or_no(s, err);
}

static int go_on(struct hunt *h, struct err *err)
{
	h->s->astray = true;
	return h->whole ? run_again_anywhere(h->s, machine_node(h->d->fm, h->segment + 1), err)
			: execute(h->s, h->s->adapter->go_on_command, err);
}

static int look(struct hunt *h, struct machine_value *value, struct err *err)
{
	struct machine *m = h->d->m;

	m->progress(m->self, "searching", 0, 0, h->result->evaluations++);
	return m->eval(m->self, h->expr, h->d->selected, value, err);
}

/* Has EXPR another value here than now?  1 or 0; the value, if *before is not NULL, the caller frees. */
static int differs(struct hunt *h, struct machine_value *before, struct err *err)
{
	struct machine_value value = {0};

	if (look(h, &value, err))
		return -1;
	int r = !value_same(&value, &h->result->after);
	if (before)
		*before = value;
	else
		free(value.text);
	return r;
}

static int enter(struct hunt *h, int segment, struct err *err)
{
	struct machine_stop stop;

	return h->d->m->enter(h->d->m->self, segment, &stop, err);
}

static int go(struct hunt *h, struct machine_mark *mark, struct err *err)
{
	struct machine_stop stop;

	return h->d->m->go(h->d->m->self, mark, &stop, err);
}

static int differs_at(struct hunt *h, int segment, struct err *err)
{
	return enter(h, segment, err) ? -1 : differs(h, NULL, err);
}

/* The segment at whose start EXPR has another value, and at whose end the present one.  0: there is none. */
static int find_segment(struct hunt *h, struct err *err)
{
	int hi = h->d->m->segments(h->d->m->self), lo = hi, stride = 1, r = 0;

	while (r == 0 && lo > 0) {
		hi = lo;
		lo = hi > stride ? hi - stride : 0;
		stride *= 2;
		r = differs_at(h, lo, err);
	}
	while (r > 0 && hi - lo > 1) {
		int middle = lo + (hi - lo) / 2;
		int there = differs_at(h, middle, err);
		if (there < 0)
			return -1;
		*(there ? &lo : &hi) = middle;
	}
	h->segment = lo;
	return r;
}

/* A segment that a reverse move found is no command that could be run again as it was. */
static bool is_as_typed(struct hunt *h, int segment)
{
	struct node *end = machine_node(h->d->fm, segment + 1);

	return end->class == COMMAND_MOVES && !end->partial && !end->instructions;
}

/* 1; 0: nothing was seen. */
static int count_changes(struct hunt *h, struct err *err)
{
	struct adapter_event reply;

	h->whole = true;
	if (enter(h, h->segment, err))
		return -1;
	int seen = count_from_here(h, 0, 0, err);
	if (seen <= 0)
		return seen;
	if (go_on(h, err) || ask_all(h, &reply, err))
		return -1;
	h->changes = number(reply.fields[BY_CHANGES]);
	if (changed(&reply) && strcmp(reply.fields[BY_STATEMENT], "0") != 0)
		h->statement = xstrdup(reply.fields[BY_STATEMENT]);
	adapter_event_free(&reply);
	int r = differs(h, NULL, err);
	if (r > 0)
		return watch_not_again(err);
	return r < 0 ? -1 : h->statement != NULL;
}

/* The latest change of all: segment after segment, from the last.  1; 0: the ticks must tell; *never: there is none. */
static int find_last(struct hunt *h, bool *never, struct err *err)
{
	for (h->segment = h->d->m->segments(h->d->m->self) - 1; h->segment >= 0; h->segment--) {
		int r = is_as_typed(h, h->segment) ? count_changes(h, err) : 0;
		if (r || h->changes)
			return r;
		r = differs_at(h, h->segment, err);
		if (r)
			return r < 0 ? -1 : 0;
	}
	*never = true;
	return 1;
}

static int from_start(struct hunt *h, struct err *err)
{
	struct machine *m = h->d->m;

	h->whole = true;
	if (enter(h, h->segment, err) || count_from_here(h, 0, 0, err) < 0)
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
	if (enter(h, h->segment, err) || count_from_here(h, h->changes - 1, 0, err) < 0 || go_on(h, err) ||
	    ask(h, &reply, err))
		return -1;
	h->whole = number(reply.fields[BY_CHANGES]) != h->changes - 1;
	adapter_event_free(&reply);
	return h->whole ? from_start(h, err) : h->d->m->mark(h->d->m->self, &h->near, err);
}

/* The last pass of the statement that was the maker's, before the change; 0 if it had passed already. */
static int observe(struct hunt *h, struct err *err)
{
	struct adapter_event reply;

	if (go(h, h->near, err) || count_from_here(h, h->whole ? h->changes : 1, 0, err) < 0 || go_on(h, err) ||
	    ask_all(h, &reply, err))
		return -1;
	bool the_same = changed(&reply) && !strcmp(reply.fields[BY_STATEMENT], h->statement);
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
	if (go(h, h->near, err) || count_from_here(h, 0, h->pass, err) < 0 || go_on(h, err) || ask(h, &reply, err))
		return -1;
	culprit->end = xstrdup(reply.fields[BY_END]);
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
	if (go(h, h->at, err) || count_from_here(h, h->since, 0, err) < 0)
		return -1;
	if (breakpoints ? execute(s, s->adapter->next, err) :
			  threads_move_alone(s, s->adapter->next, false, err) < 0)
		return -1;
	if (ask_all(h, &reply, err))
		return -1;
	bool own = changed(&reply) && !strcmp(reply.fields[BY_MAKER], culprit->thread);
	adapter_event_free(&reply);
	int r = differs(h, NULL, err);
	if (r)
		return r < 0 ? -1 : 0;
	return own ? 1 : err_set(err, "another thread changed %s meanwhile, and not thread %s (\"%s\") that had done it the "
				 "time before: they race, so the statement cannot be named", h->expr, culprit->number,
				 culprit->name);
}

/* At the statement EXPR has another value, and the thread makes the change. */
static int prove(struct hunt *h, const struct culprit *culprit, struct err *err)
{
	int r = differs(h, &h->result->before, err);

	if (r > 0)
		r = try_next(h, culprit, true, err);
	else if (r == 0)
		return watch_not_again(err);
	if (r == 0)
		r = try_next(h, culprit, false, err);
	return r < 0 ? -1 : r ? 0 : watch_not_again(err);
}

/* The change is the last of the segment. */
static int find_statement(struct hunt *h, struct culprit *culprit, struct err *err)
{
	struct session *s = h->s;

	if (come_near(h, err))
		return -1;
	int r = halt_at_statement(h, culprit, err);
	if (r <= 0)
		return r;
	if (prove(h, culprit, err) || go(h, h->at, err) || s->adapter->forget_changes(s->agent, err) ||
	    yes_or_no(s, err) < 0)
		return -1;
	h->result->outcome = WATCH_FOUND;
	h->result->target.segment = h->segment;
	h->result->target.tick = UINT64_MAX;
	culprit->there = true;
	return 1;
}

static int hunt(struct hunt *h, bool last, struct culprit *culprit, struct err *err)
{
	struct machine *m = h->d->m;
	struct machine_stop stop;
	bool never = false;

	if (m->segments(m->self) == 0 || m->now(m->self, &stop, err) || look(h, &h->result->after, err))
		return m->segments(m->self) == 0 ? 0 : -1;
	if (h->result->after.kind != MACHINE_VALUE)
		return 0;
	int r = last ? find_last(h, &never, err) : find_segment(h, err);
	if (r < 0 || (last && !r))
		return r;
	if (!r || never) {
		h->result->outcome = last ? WATCH_NEVER_CHANGED : WATCH_UNPROVEN;
		return 1;
	}
	h->result->latest = last || h->segment == m->segments(m->self) - 1;
	if (!is_as_typed(h, h->segment))
		return 0;
	r = last ? 1 : count_changes(h, err);
	return r > 0 ? find_statement(h, culprit, err) : r;
}

int threads_search(struct session *s, struct departure *d, const char *expr, bool last, struct watch_result *result,
		   struct culprit *culprit, int *segment, struct err *err)
{
	struct hunt h = {.s = s, .d = d, .expr = expr, .result = result, .segment = -1};

	*segment = -1;
	if (!s->adapter->watch_changes || d->threads < 2 || (d->owner && *d->owner))
		return 0;
	int r = hunt(&h, last, culprit, err);
	d->m->drop(d->m->self, h.near);
	d->m->drop(d->m->self, h.at);
	free(h.statement);
	if (r == 0) {
		watch_result_free(result);
		*result = (struct watch_result){0};
		culprit_free(culprit);
		if (!last)
			*segment = h.segment;
	}
	return r;
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
