/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a segment again: its command under the clock, as far as is wanted, and what tells that run from the first. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "decompose/reverse.h"
#include "fred/session_machine.h"

uint64_t machine_halting_tick(const struct node *end)
{
	if (end->partial)
		return end->tick;
	return end->post_mortem && end->died ? end->died : UINT64_MAX;
}

/* A segment that does not move is its command and no tick. */
static int forward_in_place(struct fred_machine *m, struct err *err)
{
	struct node *end = m->nodes[m->segment + 1];

	m->session->astray = true;
	if (run_again(m->session, m->nodes[m->segment], end, err) || machine_here(m, &m->stop, err))
		return -1;
	m->stop.end = true;
	m->stop.inside = end->inside;
	return 0;
}

/* The clock is told how a segment's command ended.  Where that was not asked at its prompt (no snapshot was taken), or
 * takes more than a look, the command runs once more for it. */
int machine_learn_end(struct fred_machine *m, struct node *end, struct err *err)
{
	struct session *s = m->session;
	struct adapter_event event;

	if (!s->adapter->needs_ends || end->partial)
		return 0;
	if (!end->state) {
		s->astray = true;
		if (input_replay(s, end, err) || s->adapter->line(s->agent, end->command, err) ||
		    run_to_prompt(s, &event, err))
			return -1;
		adapter_event_free(&event);
		if (request_state(s, end->command, &end->state, err) || travel_to(s, m->nodes[m->segment], err))
			return -1;
	}
	if (!s->adapter->unmeasured || !s->adapter->unmeasured(end->state))
		return 0;
	s->astray = true;
	if (input_replay(s, end, err) || request_measure(s, end->command, &end->state, err))
		return -1;
	return travel_to(s, m->nodes[m->segment], err);
}

static void lasts(struct fred_machine *m, uint32_t depth)
{
	if (depth < m->low)
		m->low = depth;
}

/* Those behind tick *at. */
static void told_ticks(struct fred_machine *m, const struct told *told, const struct adapter_event *event, uint64_t *at)
{
	for (size_t i = 0; i < event->n_ticks; i++)
		if (event->ticks[i].kind <= MACHINE_EXCEPTION)
			lasts(m, event->ticks[i].depth - (event->ticks[i].kind == MACHINE_CALL));
	*at = ways_add_ticks(&m->ways[m->segment], *at, event);
	if (told)
		told->fn(told->ctx, event->ticks, event->n_ticks);
}

/* Is all that is known of it what the clock has to look for? */
static bool is_state_alone(const struct session *s, const struct node *end)
{
	return !s->adapter->needs_ends && end->partial && end->tick == UINT64_MAX;
}

static const char *until(const struct session *s, const struct node *end)
{
	return s->adapter->needs_ends || !end->partial || end->tick == UINT64_MAX ? end->state : NULL;
}

/* Where the place that ^C has ended it at does not come again it would run for ever.  The clock makes a program slower, by 20 times and less. */
enum { CLOCK_SLOWER = 50, PATIENCE_US = 3000000 };

/* From the segment's start on, also where it is run in pieces. */
static void be_patient(struct fred_machine *m, const struct node *end)
{
	struct session *s = m->session;

	s->patience = (struct patience){0};
	if (!s->adapter->needs_ends && until(s, end) && !m->observing)
		s->patience.most = ckpt_ran_us(s->ckpt) + (end->ran_us - m->nodes[m->segment]->ran_us) * CLOCK_SLOWER + PATIENCE_US;
}

static int no_prompt(struct fred_machine *m, struct err *err)
{
	m->diverged = err->sys != ECANCELED;
	if (m->session->state == SESSION_ENDED)
		return err_set(err, "the program did not run the same way again: it ended");
	if (err->sys == ETIMEDOUT)
		return err_set(err, "the program did not run the same way again: it has not come to where it was interrupted");
	return -1;
}

/* From where the frame that failed has ended to the post-mortem; it is silent, and nobody is told. */
static int run_to_post_mortem(struct fred_machine *m, struct node *end, bool *there, struct err *err)
{
	struct session *s = m->session;
	struct adapter_event event;

	if (s->adapter->clock_run(s->agent, NULL, UINT64_MAX, ADAPTER_QUIET, 0, NULL, NULL, NULL, end->by_instruction, err) ||
	    run_to_prompt(s, &event, err))
		return -1;
	while (event.kind == ADAPTER_TICKS || event.kind == ADAPTER_WAYS) {
		adapter_event_free(&event);
		if (run_to_prompt(s, &event, err))
			return -1;
	}
	*there = event.kind == ADAPTER_PROMPT && event.post_mortem;
	adapter_event_free(&event);
	return 0;
}

/* What the program has where the machine is halted is not what it had at the post-mortem, behind it, which alone is known of the first
 * run: there, and back. */
static int post_mortem_seen(struct fred_machine *m, struct node *end, struct err *err)
{
	struct machine_mark *mark;
	struct machine_stop stop;
	bool there = false, diverged = false;
	int r;

	witness_free(&m->ends[m->segment]);
	if (!m->session->adapter->witness)
		return 0;
	if (m->ops.mark(m, &mark, err))
		return -1;
	r = run_to_post_mortem(m, end, &there, err);
	if (r == 0 && there)
		r = end_seen(m->session, end, &m->ends[m->segment], &diverged, err);
	if (r == 0)
		r = m->ops.go(m, mark, &stop, err);
	m->stop.diverged |= diverged;
	m->ops.drop(m, mark);
	return r;
}

static int see_end(struct fred_machine *m, struct node *end, struct err *err)
{
	if (machine_halting_tick(end) == m->stop.tick && !end->partial)
		return post_mortem_seen(m, end, err);
	return end_seen(m->session, end, &m->ends[m->segment], &m->stop.diverged, err);
}

int machine_forward(struct fred_machine *m, uint64_t limit, const struct told *told, bool breakpoints, struct err *err)
{
	struct session *s = m->session;
	struct node *end = m->nodes[m->segment + 1];
	struct adapter_event event;
	uint64_t halt = machine_halting_tick(end);

	if (!machine_moves(m, m->segment))
		return forward_in_place(m, err);

	if (end->no_end)
		return err_set(err, "%s", end->no_end);
	if (limit >= halt)
		limit = halt;
	if (!m->started && (machine_learn_end(m, end, err) || input_replay(s, end, err)))
		return -1;
	s->astray = true;
	if (s->adapter->clock_run(s->agent, m->started ? NULL : end->command, limit,
				  m->leaps ? ADAPTER_LEAPS : !told ? ADAPTER_QUIET : m->observing ? ADAPTER_OBSERVES : ADAPTER_TRACES,
				  m->leaps ? *m->leaps : 0, breakpoints ? m->breakpoints : NULL, m->show, until(s, end), end->by_instruction, err))
		return -1;
	uint64_t at = m->stop.tick;
	if (!m->started)
		be_patient(m, end);
	m->started = true;
	for (;;) {
		s->way_known = &m->ways[m->segment];
		int r = run_to_prompt(s, &event, err);
		s->way_known = NULL;
		if (r)
			return no_prompt(m, err);
		if (event.kind != ADAPTER_TICKS && event.kind != ADAPTER_WAYS)
			break;
		if (event.kind == ADAPTER_WAYS)
			ways_add(&m->ways[m->segment], &event);
		else
			told_ticks(m, told, &event, &at);
		adapter_event_free(&event);
	}
	bool prompt = event.kind == ADAPTER_PROMPT, restarted = event.restarted;
	m->stop = event.stop;
	lasts(m, m->stop.depth);
	m->way = event.way;
	adapter_event_free(&event);
	if (!prompt || restarted)
		return err_set(err, "the program did not run the same way again: it %s", prompt ? "started anew" : "asked for input");
	if (m->stop.cut)
		return 0;
	if (m->stop.tick == halt)
		m->stop.end = true;
	else if (halt != UINT64_MAX && m->stop.end)
		m->stop.diverged = true;
	if (m->stop.end && (halt == UINT64_MAX || end->partial) && !m->stop.diverged &&
	    end_reached(s, end, &m->stop.diverged, err))
		return -1;
	m->stop.diverged |= ways_differ(&m->ways[m->segment], m->stop.tick, m->way) ||
			    (m->stop.end && end->partial && end->way && m->way != end->way);
	if (m->stop.end && !m->stop.diverged && is_state_alone(s, end)) {
		end->tick = m->stop.tick;       /* from now on it need not be looked for */
		end->way = m->way;
	}
	if (m->stop.end && see_end(m, end, err))
		return -1;
	if (m->stop.end && !m->stop.diverged && end->hits.unsure) {
		end->inside = m->stop.inside;
		end->hits.unsure = false;
	}
	m->diverged |= m->stop.diverged;
	return 0;
}

int machine_run_on(struct fred_machine *m, uint64_t limit, struct machine_stop *stop, struct err *err)
{
	uint64_t far = m->far, splits = m->splits;

	m->far = m->splits = 0;
	int r = m->ops.run(m, limit, stop, err);
	m->far = far;
	m->splits = splits;
	return r;
}

int machine_compare(struct fred_machine *m, const struct reverse_target *target, struct err *err)
{
	int segment = target->segment;

	/* The start of a segment is where the user was, unless it lies in the middle of a run. */
	if (!target->tick && !m->nodes[segment]->whole)
		return 0;
	do {
		bool changed;
		if (end_compare(m->session, m->nodes[segment + 1], &m->ends[segment], &changed, err))
			return -1;
		m->changed |= changed;
	} while (++segment < m->n && m->nodes[segment]->whole);
	return 0;
}

int machine_came_to(struct fred_machine *m, int segment, struct node *end, bool *same, struct err *err)
{
	bool changed = true, known = m->ends[segment].place && *m->ends[segment].place;

	*same = false;
	if (known && end_compare(m->session, end, &m->ends[segment], &changed, err))
		return -1;
	*same = known && !changed && end->witness.place;
	return 0;
}
