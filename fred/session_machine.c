/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session as decompose/ sees it: segments are the edges of the timeline from the last start of the program to here,
 * ticks are the adapter's statement clock, marks are snapshots.
 *
 * While the machine is at work the session is *astray*: it stands at no node. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_machine.h"
#include "fred/session_points.h"

struct machine_mark {
	struct ckpt_snapshot *snapshot;
	struct machine_stop stop;
	int segment;
	bool started;
	uint64_t way;
	char *prompt;
	struct input_rest rest;         /* of the segment's input */
};

static int op_segments(void *self) { return ((struct fred_machine *)self)->n; }

static bool op_moves(void *self, int segment)
{
	return machine_moves(self, segment);
}

bool machine_moves(const struct fred_machine *m, int segment) { return m->nodes[segment + 1]->class == COMMAND_MOVES; }

static bool op_leaves_alone(void *self, int segment)
{
	return ((struct fred_machine *)self)->nodes[segment + 1]->class == COMMAND_DEBUGGER;
}

/* The same depth alone is not enough: a function may have ended with a jump to another, in its place. */
static bool same_function(const struct place *a, const struct place *b)
{
	return a->file && b->file && a->depth == b->depth && a->function && b->function && !strcmp(a->function, b->function);
}

static bool op_is_next(void *self, int segment, uint32_t *depth)
{
	struct fred_machine *m = self;
	const struct adapter *a = m->session->adapter;
	const struct node *start = m->nodes[segment], *end = m->nodes[segment + 1];

	*depth = start->place.depth;
	return a->ended_next && end->command && end->state && !end->partial && !end->instructions && !end->by_instruction &&
	       a->ended_next(end->command, end->state) && !start->inside && same_function(&start->place, &end->place);
}

static uint32_t op_calm(void *self, int segment) { return ((struct fred_machine *)self)->nodes[segment + 1]->calm; }
static uint32_t op_still(void *self, int segment) { return ((struct fred_machine *)self)->nodes[segment + 1]->still; }

int machine_here(struct fred_machine *m, struct machine_stop *stop, struct err *err)
{
	struct place place = {0};

	if (request_where(m->session, &place, NULL, err))
		return -1;
	*stop = (struct machine_stop){.depth = place.depth, .kind = place.kind};
	place_free(&place);
	return 0;
}

static int op_enter(void *self, int segment, struct machine_stop *stop, struct err *err)
{
	struct fred_machine *m = self;

	if (travel_to(m->session, m->nodes[segment], err))
		return -1;
	if (segment < m->segment && m->low < m->lows)
		m->lows = m->low;
	if (segment < m->segment)
		m->low = UINT32_MAX;
	m->segment = segment;
	m->started = m->observing = false;
	m->way = 0;
	if (machine_here(m, &m->stop, err))
		return -1;
	m->stop.inside = m->nodes[segment]->inside;
	*stop = m->stop;
	return 0;
}

static int op_now(void *self, struct machine_stop *stop, struct err *err)
{
	struct fred_machine *m = self;
	struct session *s = m->session;

	/* Where the user stands nothing has been disturbed yet. */
	if (((s->astray || s->timeline->here != m->nodes[m->n]) && travel_to(s, m->nodes[m->n], err)) || machine_here(m, stop, err))
		return -1;
	stop->inside = m->nodes[m->n]->inside;
	m->segment = m->n;
	return 0;
}

int machine_learn(struct fred_machine *m, int segment, struct err *err)
{
	struct machine_stop stop;

	return op_enter(m, segment, &stop, err) ? -1 : machine_learn_end(m, m->nodes[segment + 1], err);
}

static bool is_far(const struct fred_machine *m, uint64_t limit)
{
	const struct node *end = m->nodes[m->segment + 1];
	uint64_t far = m->far;

	if (m->splits && split_possible(m->session, end)) {
		/* A clock that is quick goes through what lies between points; POINTS_AS_FAR sees to it that it is not too much. */
		if (!m->session->adapter->land)
			return points_has(m->session, end) && points_are_far(end);
		if ((m->calls && end->whole && !end->called) || points_has(m->session, end) || split_at_once(end))
			return true;
		uint64_t splits = end->hits.is_long ? 1 : m->hits && end->hits.asked && !(end->hits.here && end->whole) ? m->hits_far : m->splits;
		far = far && far < splits ? far : splits;
	}
	return far && m->stop.tick >= far && limit > far;
}

/* Told by the error's number. */
static int too_far(const struct fred_machine *m, struct err *err)
{
	err_set(err, "it is more than %llu ticks away", (unsigned long long)m->stop.tick);
	err->sys = E2BIG;
	return -1;
}

/* Would it be quicker to count the hits of breakpoints in the segment, at whose start the machine is, than to go through it? */
static bool may_count(const struct fred_machine *m)
{
	const struct node *end = m->nodes[m->segment + 1];

	return !m->started && !end->hits.asked && split_possible(m->session, end);
}

/* Nothing is told of frames, for nobody needs them where only breakpoints are looked for. */
static void pass_over(struct fred_machine *m, void (*fn)(void *ctx, const struct machine_tick *ticks, size_t n), void *ctx)
{
	const struct node *end = m->nodes[m->segment + 1];
	struct machine_tick tick = {.depth = 1, .kind = MACHINE_LINE, .breakpoint = end->hits.here};

	fn(ctx, &tick, 1);
	m->stop = (struct machine_stop){.tick = 1, .depth = end->place.depth ? end->place.depth : 1, .end = true, .inside = end->inside};
}

static int op_trace(void *self, uint64_t limit, bool with_breakpoints,
		    void (*fn)(void *ctx, const struct machine_tick *ticks, size_t n), void *ctx,
		    struct machine_stop *stop, struct err *err)
{
	struct fred_machine *m = self;
	struct told told = {fn, ctx};

	if (fn && with_breakpoints && !m->started && m->nodes[m->segment + 1]->hits.none) {
		pass_over(m, fn, ctx);
		*stop = m->stop;
		return 0;
	}
	bool counted = with_breakpoints && m->hits && m->hits < limit && may_count(m);
	limit = counted ? m->hits : limit;
	if (limit > m->stop.tick && is_far(m, limit))
		return too_far(m, err);
	if (limit > m->stop.tick && !m->stop.end &&
	    machine_forward(m, limit, fn ? &told : NULL, with_breakpoints, err))
		return -1;
	if (counted && !m->stop.end)
		return too_far(m, err);
	*stop = m->stop;
	return 0;
}

static int op_run(void *self, uint64_t limit, struct machine_stop *stop, struct err *err)
{
	return op_trace(self, limit, false, NULL, NULL, stop, err);
}

static int op_leap(void *self, uint64_t limit, uint32_t watched, struct machine_stop *stop, struct err *err)
{
	struct fred_machine *m = self;
	uint64_t halt = machine_halting_tick(m->nodes[m->segment + 1]);

	if (limit >= halt) {            /* where the end is known it need not be found */
		m->stop.cut = true;
		*stop = m->stop;
		stop->tick = halt - 1 > stop->tick ? halt - 1 : stop->tick;
		return 0;
	}
	m->leaps = &watched;
	int r = op_run(m, limit, stop, err);
	m->leaps = NULL;
	return r;
}

static int op_leave(void *self, uint32_t depth, bool *left, struct err *err)
{
	struct fred_machine *m = self;
	struct session *s = m->session;
	struct adapter_event event;

	s->astray = true;
	if (s->adapter->line(s->agent, s->adapter->finish, err) || run_to_prompt(s, &event, err))
		return -1;
	bool prompt = event.kind == ADAPTER_PROMPT;
	adapter_event_free(&event);
	*left = false;
	place_free(&m->left);
	if (!prompt || request_where(s, &m->left, NULL, err))
		return prompt ? -1 : err_set(err, "the debugger asked a question at %s", s->adapter->finish);
	*left = m->left.depth + 1 == depth;
	if (*left) {
		array_grow(m->returns, m->n_returns);
		m->returns[m->n_returns++] = m->left;
		m->left = (struct place){0};
	}
	return 0;
}

static int op_mark(void *self, struct machine_mark **mark, struct err *err)
{
	struct fred_machine *m = self;
	struct ckpt_snapshot *snapshot;
	struct input_rest rest = {0};

	if ((m->started && input_keep(m->session, m->nodes[m->segment + 1], &rest, err)) ||
	    ckpt_snapshot(m->session->ckpt, &snapshot, err)) {
		buf_free(&rest.typed);
		return -1;
	}
	m->snapshots++;
	*mark = xcalloc(1, sizeof **mark);
	**mark = (struct machine_mark){.snapshot = snapshot, .stop = m->stop, .segment = m->segment, .started = m->started,
				       .way = m->way, .prompt = xstrdup(m->session->prompt), .rest = rest};
	return 0;
}

static int op_go(void *self, struct machine_mark *mark, struct machine_stop *stop, struct err *err)
{
	struct fred_machine *m = self;

	m->session->astray = true;
	m->observing = false;
	if (travel_restore(m->session, mark->snapshot, mark->prompt, 0, err))
		return -1;
	m->segment = mark->segment;
	m->started = mark->started;
	m->way = mark->way;
	m->stop = *stop = mark->stop;
	return input_feed(m->session, &mark->rest, err);
}

static void op_drop(void *self, struct machine_mark *mark)
{
	if (!mark)
		return;
	ckpt_drop(mark->snapshot);
	free(mark->prompt);
	buf_free(&mark->rest.typed);
	free(mark);
}

static int op_eval(void *self, const char *expr, uint32_t depth, struct machine_value *value, struct err *err)
{
	struct fred_machine *m = self;
	struct session *s = m->session;
	struct adapter_event reply;

	s->astray = true;
	if (s->language ? s->adapter->eval_in(s->agent, expr, depth, s->language, err) : s->adapter->eval(s->agent, expr, depth, err))
		return -1;
	if (request_evaluated(s, expr, &reply, err))
		return -1;
	int r = s->adapter->value_of(&reply, value);
	adapter_event_free(&reply);
	return r ? err_set(err, "the debugger gave no value of %s", expr) : 0;
}

static int op_observe(void *self, const char *expr, uint32_t depth, struct err *err)
{
	struct fred_machine *m = self;
	struct session *s = m->session;
	struct adapter_event reply;

	if (!s->adapter->observe)
		return 0;
	if (s->adapter->observe(s->agent, expr, depth, s->language, err) || request_reply(s, &reply, -1, err))
		return -1;
	m->observing = reply.n_fields && !strcmp(reply.fields[0], "1");
	if (!m->observing)
		log_info(LOG_SESSION, "%s is not looked at on the way: %s", expr, reply.n_fields > 1 ? reply.fields[1] : "");
	adapter_event_free(&reply);
	return m->observing;
}

static int op_observed(void *self, struct machine_seen *seen, struct err *err)
{
	struct fred_machine *m = self;
	struct session *s = m->session;
	struct adapter_event reply;

	if (s->adapter->observed(s->agent, err) || request_reply(s, &reply, -1, err))
		return -1;
	int r = s->adapter->seen_of(&reply, seen);
	adapter_event_free(&reply);
	return r ? err_set(err, "the debugger does not say what it saw") : 0;
}

/* The program's time in a segment; what a reverse move found has none. */
static uint64_t time_in(const struct fred_machine *m, int segment)
{
	return machine_moves(m, segment) ? m->nodes[segment + 1]->ran_us - m->nodes[segment]->ran_us : 0;
}

/* What part of the run, from where the search began, lies behind it: by the program's time, and inside a segment by ticks. */
static double part_done(const struct fred_machine *m, const struct machine_progress *p)
{
	double all = 0, done = 0, here = (double)p->done / (double)p->all;

	for (int i = 0; i < m->n; i++) {
		double time = (double)time_in(m, i);
		bool behind = p->towards == MACHINE_BACKWARDS ? i > m->segment : i < m->segment;

		all += time;
		done += behind ? time : i == m->segment ? time * here : 0;
	}
	return all > 0 ? done / all : here;
}

/* Microseconds that the work will take, should the search come to the other end of the run; 0: too early to tell. */
static uint64_t estimate(struct fred_machine *m, double part, uint64_t now)
{
	if (!m->pace.since)
		m->pace = (struct pace){.since = now, .from = part};
	if (part - m->pace.from < 0.01)
		return 0;
	return now - m->session->work_since + (uint64_t)((double)(now - m->pace.since) * (1 - part) / (part - m->pace.from));
}

static void op_progress(void *self, const struct machine_progress *p)
{
	struct fred_machine *m = self;
	uint64_t now = clock_us();

	if (now - m->shown_us < 100000)
		return;
	m->shown_us = now;
	double part = !p->all ? 0 : p->towards ? part_done(m, p) : (double)p->done / (double)p->all;
	cleanup_free char *how_far = p->all ? xasprintf("%u%%", (unsigned)(part * 100))
					    : xasprintf("%llu stops", (unsigned long long)p->done);
	m->session->work_most = p->all && p->towards ? estimate(m, part, now) : 0;
	work_tell(m->session, xasprintf("%s, %s, %u evaluations, %u snapshots", p->doing, how_far, p->evaluations, m->snapshots));
}

int machine_death_segment(const struct fred_machine *m)
{
	int last = m->n - 1;

	while (last >= 0 && m->nodes[last + 1]->class != COMMAND_MOVES)
		last--;
	return last >= 0 && m->nodes[last + 1]->post_mortem ? last : -1;
}

/* Before decompose/ asks: at which tick did the failing frame end?  One run of the segment, remembered. */
int machine_find_death(struct fred_machine *m, struct err *err)
{
	struct machine_stop stop;
	int last = machine_death_segment(m);

	if (last < 0 || m->nodes[last + 1]->died)
		return 0;
	if (op_enter(m, last, &stop, err) || op_run(m, UINT64_MAX, &stop, err))
		return -1;
	if (stop.diverged)
		return err_set(err, "the program did not run the same way again; it may read the clock or random numbers");
	m->nodes[last + 1]->died = stop.tick;
	return 0;
}

static bool is_first(struct node *node, const struct node *first)
{
	return node == first || timeline_origin(node) == node;
}

static struct machine *open_machine(struct session *s, struct node *first, struct node *node, const char *breakpoints,
				    struct fred_machine **fm)
{
	struct fred_machine *m = xcalloc(1, sizeof *m);

	for (struct node *k = node; !is_first(k, first); k = k->parent)
		m->n++;
	m->nodes = xcalloc((size_t)m->n + 1, sizeof *m->nodes);
	m->ways = xcalloc((size_t)m->n + 1, sizeof *m->ways);
	m->ends = xcalloc((size_t)m->n + 1, sizeof *m->ends);
	for (int i = m->n; i >= 0; i--, node = node->parent)
		m->nodes[i] = node;
	m->session = s;
	m->segment = m->n;
	m->low = m->lows = UINT32_MAX;
	m->breakpoints = breakpoints;
	m->shown_us = clock_us();
	m->ops = (struct machine){
		.self = m, .segments = op_segments, .moves = op_moves, .leaves_alone = op_leaves_alone, .is_next = op_is_next, .calm = op_calm, .still = op_still,
		.enter = op_enter, .now = op_now, .run = op_run,
		.trace = op_trace, .leap = s->adapter->leaps && !m->nodes[m->n]->by_instruction ? op_leap : NULL,
		.leave = s->adapter->finish ? op_leave : NULL, .mark = op_mark, .go = op_go, .drop = op_drop, .eval = op_eval,
		.observe = op_observe, .observed = op_observed,
		.mark_interval = s->adapter->mark_interval, .progress = op_progress,
	};
	*fm = m;
	return &m->ops;
}

struct machine *machine_open(struct session *s, const char *breakpoints, struct fred_machine **fm)
{
	return open_machine(s, NULL, s->timeline->here, breakpoints, fm);
}

struct machine *machine_open_between(struct session *s, struct node *first, struct node *last, struct fred_machine **fm)
{
	return open_machine(s, first, last, NULL, fm);
}

const struct place *machine_return_to(const struct fred_machine *m, uint32_t depth)
{
	for (size_t i = m->n_returns; i-- > 0;)
		if (m->returns[i].depth == depth)
			return &m->returns[i];
	return NULL;
}

void machine_close(struct fred_machine *m)
{
	for (size_t i = 0; i < m->n_returns; i++)
		place_free(&m->returns[i]);
	free(m->returns);
	for (int i = 0; i < m->n; i++) {
		ways_free(&m->ways[i]);
		witness_free(&m->ends[i]);
	}
	free(m->ways);
	free(m->ends);
	place_free(&m->left);
	free(m->nodes);
	free(m);
}

void machine_limit(struct fred_machine *m, uint64_t ticks) { m->far = ticks; }

void machine_split(struct fred_machine *m, uint64_t ticks, bool calls)
{
	m->splits = ticks;
	m->calls = calls;
}

void machine_count_hits(struct fred_machine *m, uint64_t near, uint64_t far)
{
	m->hits = near;
	m->hits_far = far;
}

uint32_t machine_lasting(const struct fred_machine *m) { return m->lows; }
int machine_segment(const struct fred_machine *m) { return m->segment; }
uint64_t machine_way(const struct fred_machine *m) { return m->way; }
bool machine_diverged(const struct fred_machine *m) { return m->diverged; }
bool machine_changed(const struct fred_machine *m) { return m->changed; }
unsigned machine_snapshots(const struct fred_machine *m) { return m->snapshots; }
struct node *machine_node(const struct fred_machine *m, int segment) { return m->nodes[segment]; }
void machine_show(struct fred_machine *m) { m->show = m->breakpoints ? m->breakpoints : ""; }
