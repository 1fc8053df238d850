/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch by watchpoints: in a program with several threads, and for the first or the last change in a run that is too long
 * for the statement clock.
 *
 * The clock counts the statements of one thread, and meanwhile the others run as they please: by its ticks a change
 * that another thread makes is found at a different statement each time.  What the debugger can watch is looked for in another
 * way.  The command in which EXPR comes to its present value is run again as it was, all threads at full speed, and the
 * debugger counts the changes.  A second run is halted one change before the last, which leaves little to chance.  From there
 * the thread that makes the last one is observed, and at last halted where it begins the statement: all others stand where
 * they stood then.  Proof is that from this very state the thread, moved by `next`, makes the change.  For the first change the
 * first run is halted as soon as there is one.
 *
 * A watchpoint does not see what a system call writes; the values at the ends of commands, and on both sides of the statement,
 * are evaluated.
 *
 * Cost: four runs of the command, half a millisecond a change of the watched memory, and as much a pass of the statement since
 * the change before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/session_hunt.h"

static int differs_at(struct hunt *h, int segment, struct err *err)
{
	return hunt_enter(h, segment, err) ? -1 : hunt_differs(h, &h->result->after, NULL, err);
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

/* The first piece of the run that ends with that segment; -1: it is not known which of them reads what. */
static int run_start(struct hunt *h, int segment)
{
	const struct node *whole = machine_node(h->d->fm, segment + 1), *node = whole;

	for (; segment > 0 && machine_node(h->d->fm, segment)->whole == whole; segment--) {
		if (node->typed.len || node->eofs)
			return -1;
		node = machine_node(h->d->fm, segment);
	}
	return node != whole && (node->typed.len || node->eofs || strchr(node->command, '\n')) ? -1 : segment;
}

/* The last piece of the run that begins with that segment; -1: now lies before its end. */
static int run_end(struct hunt *h, int segment)
{
	const struct node *whole = machine_node(h->d->fm, segment + 1)->whole;
	int n = h->d->m->segments(h->d->m->self);

	while (whole && segment < n && machine_node(h->d->fm, segment + 1) != whole)
		segment++;
	return segment < n && is_as_typed(h, segment) && run_start(h, segment) >= 0 ? segment : -1;
}

/* From the segment's start, up to `most` of them: h->changes, and the statement that makes the last.  1; 0: (h->unseen) nothing can be
 * seen. */
static int run_through(struct hunt *h, uint64_t most, struct err *err)
{
	struct adapter_event reply;

	h->whole = true;
	if (hunt_enter(h, h->segment, err))
		return -1;
	int seen = hunt_count_from_here(h, most, 0, err);
	h->unseen |= seen == 0;
	if (seen <= 0)
		return seen;
	if (hunt_go_on(h, err) || hunt_ask_all(h, &reply, err))
		return -1;
	h->changes = number(reply.fields[BY_CHANGES]);
	free(steal_pointer(&h->statement));
	if (hunt_changed(&reply) && strcmp(reply.fields[BY_STATEMENT], "0") != 0)
		h->statement = xstrdup(reply.fields[BY_STATEMENT]);
	adapter_event_free(&reply);
	return 1;
}

/* The run has come to the end that it had; with the same values? */
static int compare_end(struct hunt *h, struct err *err)
{
	int last = h->d->threads < 2 ? run_end(h, h->segment) : -1;
	struct witness now;
	bool changed;

	if (last < 0)
		return 0;
	struct node *end = machine_node(h->d->fm, last + 1);
	if (request_witness(h->s, end->witness.other_run, &now, err))
		return -1;
	int r = end_compare(h->s, end, &now, &changed, err);
	witness_free(&now);
	h->d->other_values |= r == 0 && changed;
	return r;
}

static int check_final(struct hunt *h, struct err *err)
{
	int differs = hunt_differs(h, &h->final, NULL, err);

	return differs > 0 ? watch_not_again(err) : differs < 0 ? -1 : compare_end(h, err);
}

/* 1; 0: nothing was seen, or (h->unseen) can be. */
static int count_changes(struct hunt *h, struct err *err)
{
	int r = run_through(h, h->most, err);

	if (r <= 0 || (h->most && h->changes >= h->most))
		return r < 0 ? -1 : 0;
	if (check_final(h, err))
		return -1;
	if (h->changes < h->behind)
		return watch_not_again(err);
	h->changes -= h->behind;
	if (h->behind && h->changes) {
		uint64_t wanted = h->changes;
		r = run_through(h, wanted, err);
		if (r > 0 && h->changes != wanted)
			return watch_not_again(err);
	}
	return r < 0 ? -1 : h->changes && h->statement;
}

/* The latest change of all: segment after segment, from the last.  1; 0: the ticks must tell; *never: there is none. */
static int find_last(struct hunt *h, bool *never, struct err *err)
{
	for (h->segment = h->d->m->segments(h->d->m->self) - 1; h->segment >= 0; h->segment--) {
		int first = is_as_typed(h, h->segment) ? run_start(h, h->segment) : -1;
		bool typed = first >= 0;
		h->segment = typed ? first : h->segment;
		int r = typed ? count_changes(h, err) : 0;
		if (r || h->changes || h->unseen)
			return r;
		if (!typed && h->d->m->moves(h->d->m->self, h->segment))
			return 0;       /* the clock tells it */
		r = differs_at(h, h->segment, err);
		if (r)
			return r < 0 ? -1 : 0;
	}
	*never = true;
	return 1;
}

enum { UNTOLD, SEEN, NONE };    /* what was seen of a change in a segment */

/* Nothing was seen; is it as it was at the start?  What a system call writes no watchpoint sees. */
static int nothing_seen(struct hunt *h, struct err *err)
{
	int differs = hunt_differs(h, &h->base, NULL, err);

	return differs < 0 ? -1 : differs ? UNTOLD : NONE;
}

/* Up to the first change. */
static int await_change(struct hunt *h, struct err *err)
{
	struct adapter_event reply;

	h->whole = true;
	if (hunt_enter(h, h->segment, err))
		return -1;
	int seen = hunt_count_from_here(h, 1, 0, err);
	if (seen <= 0)
		return seen < 0 ? -1 : UNTOLD;
	if (hunt_go_on(h, err) || hunt_ask_all(h, &reply, err))
		return -1;
	h->changes = number(reply.fields[BY_CHANGES]);
	if (hunt_changed(&reply) && strcmp(reply.fields[BY_STATEMENT], "0") != 0)
		h->statement = xstrdup(reply.fields[BY_STATEMENT]);
	adapter_event_free(&reply);
	if (h->changes == 0)
		return nothing_seen(h, err);
	if (h->changes > 1 || !h->statement)
		return UNTOLD;
	free(steal_pointer(&h->result->after.text));
	return hunt_look(h, &h->result->after, err) || (h->d->threads < 2 && (hunt_run_out(h, err) || compare_end(h, err))) ? -1 : SEEN;
}

/* The first change of all.  As find_last(). */
static int find_first(struct hunt *h, bool *never, struct err *err)
{
	int n = h->d->m->segments(h->d->m->self);

	if (hunt_enter(h, 0, err) || hunt_look(h, &h->base, err))
		return -1;
	if (h->base.kind != MACHINE_VALUE)
		return 0;
	for (h->segment = 0; h->segment < n; h->segment++) {
		int r = UNTOLD, last = run_end(h, h->segment);

		if (last >= 0)
			r = await_change(h, err);
		else if (!h->d->m->moves(h->d->m->self, h->segment) && h->segment + 1 < n)
			r = hunt_enter(h, h->segment + 1, err) ? -1 : nothing_seen(h, err);
		else if (!h->d->m->moves(h->d->m->self, h->segment))
			r = NONE;
		if (r != NONE)
			return r;
		h->segment = last < 0 ? h->segment : last;
	}
	*never = value_same(&h->base, &h->result->after);
	return *never;
}

static int hunt(struct hunt *h, struct culprit *culprit, struct err *err)
{
	struct machine *m = h->d->m;
	struct machine_stop stop;
	bool never = false, any = h->which == CHANGE_ANY;

	if (m->segments(m->self) == 0 || m->now(m->self, &stop, err) || hunt_look(h, &h->final, err))
		return m->segments(m->self) == 0 ? 0 : -1;
	if (!h->result->after.text)
		h->result->after = (struct machine_value){h->final.kind, h->final.text ? xstrdup(h->final.text) : NULL};
	if (h->result->after.kind != MACHINE_VALUE)
		return 0;
	int r = any ? find_segment(h, err) : h->which == CHANGE_LAST ? find_last(h, &never, err) : find_first(h, &never, err);
	if (r < 0 || (!any && !r))
		return r;
	if (!r || never) {
		h->result->outcome = any ? WATCH_UNPROVEN : WATCH_NEVER_CHANGED;
		return 1;
	}
	h->result->latest = h->which == CHANGE_LAST || (any && h->segment == m->segments(m->self) - 1);
	if (any && !is_as_typed(h, h->segment))
		return 0;
	r = any ? count_changes(h, err) : 1;
	if (r <= 0)
		return r;
	r = hunt_statement(h, culprit, err);
	h->at_statement = r == 0 && !h->pass;
	return r;
}

static int hunt_and_drop(struct hunt *h, struct culprit *culprit, struct err *err)
{
	struct machine *m = h->d->m;
	int r = hunt(h, culprit, err);

	m->drop(m->self, h->near);
	m->drop(m->self, h->at);
	free(h->statement);
	free(h->base.text);
	free(h->final.text);
	return r;
}

int threads_hunt(struct session *s, struct departure *d, const char *expr, uint64_t most, const struct machine_value *now, uint64_t behind,
		 struct watch_result *result, struct culprit *culprit, struct err *err)
{
	struct hunt h = {.s = s, .d = d, .expr = expr, .which = CHANGE_LAST, .most = most, .behind = behind, .result = result, .segment = -1};

	result->after = (struct machine_value){now->kind, now->text ? xstrdup(now->text) : NULL};
	int r = hunt_and_drop(&h, culprit, err);
	return h.at_statement ? 2 : r;
}

int threads_count(struct session *s, struct departure *d, const char *expr, uint64_t most, uint64_t *n, struct err *err)
{
	struct watch_result result = {0};
	struct hunt h = {.s = s, .d = d, .expr = expr, .most = most, .result = &result};
	struct machine_stop stop;
	int r = -1;

	if (d->m->now(d->m->self, &stop, err) == 0 && hunt_look(&h, &h.final, err) == 0)
		r = run_through(&h, most, err);
	if (r > 0 && h.changes < most && check_final(&h, err))
		r = -1;
	*n = h.changes;
	free(h.statement);
	free(h.final.text);
	return r > 0 ? h.changes < most : r;
}

static int watch(struct session *s, struct departure *d, const char *expr, enum session_change which,
		 struct watch_result *result, struct culprit *culprit, int *segment, struct err *err)
{
	uint64_t most = which == CHANGE_LAST && d->threads < 2 ? MOST_CHANGES : 0;
	struct hunt h = {.s = s, .d = d, .expr = expr, .which = which, .most = most, .result = result, .segment = -1};

	*segment = -1;
	if (!s->adapter->watch_changes || (d->owner && *d->owner))
		return 0;
	int r = hunt_and_drop(&h, culprit, err);
	if (r == 0) {
		watch_result_free(result);
		*result = (struct watch_result){0};
		culprit_free(culprit);
		if (which == CHANGE_ANY)
			*segment = h.segment;
		r = most && h.changes >= most ? 2 : 0;
	}
	return r;
}

int threads_search(struct session *s, struct departure *d, const char *expr, enum session_change which,
		   struct watch_result *result, struct culprit *culprit, int *segment, struct err *err)
{
	*segment = -1;
	if (d->threads < 2)
		return 0;
	int r = watch(s, d, expr, which, result, culprit, segment, err);
	return r || which != CHANGE_FIRST ? r :
		err_set(err, "which change of %s is the first cannot be told where there have been %ld threads: it is not the same in "
			"each run; fred-reverse-watch --last finds the latest", expr, d->threads);
}

int watch_at_full_speed(struct session *s, struct departure *d, const char *expr, enum session_change which,
			struct watch_result *result, struct culprit *culprit, struct err *err)
{
	int segment, r = watch(s, d, expr, which, result, culprit, &segment, err);

	if (r >= 0 || err->sys == ECANCELED || s->state == SESSION_ENDED)
		return r;
	log_info(LOG_SESSION, "%s is not found by a watchpoint: %s", expr, err->what);
	watch_result_free(result);
	*result = (struct watch_result){0};
	culprit_free(culprit);
	return 0;
}
