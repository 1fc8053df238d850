/* SPDX-License-Identifier: GPL-3.0-or-later */
/* struct machine over a simulated run.  It aborts when it is used against its contract: running on after an evaluation,
 * a mark used after drop(), an operation before the first enter(). */
#include "tests/unit/sim_machine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct machine_mark {
	int segment;
	uint64_t position;
};

static int op(struct sim *sim, struct err *err)
{
	if (++sim->ops != sim->fail_at)
		return 0;
	err_set(err, "simulated failure");
	err->sys = sim->cancel ? ECANCELED : EIO;
	return -1;
}

static int segments(void *self)
{
	return (int)((struct sim *)self)->n_segments;
}

static bool moves(void *self, int segment)
{
	return ((struct sim *)self)->segments[segment].moves;
}

static bool leaves_alone(void *self, int segment)
{
	const struct sim_segment *s = &((struct sim *)self)->segments[segment];

	return !s->moves && !s->assigns;
}

/* Of half of the segments. */
static uint32_t calm(void *self, int segment)
{
	const struct sim *sim = self;
	const struct sim_segment *s = &sim->segments[segment];
	uint32_t low = sim_depth(sim, s->from), end = sim_depth(sim, s->to);

	if ((sim->seed ^ (uint64_t)segment) % 2 || !s->moves)
		return 0;
	low = end < low ? end : low;
	for (uint64_t t = s->from / 8; t <= s->to / 8; t++) {
		uint32_t lasts = sim_depth(sim, 8 * t) - (sim->stops[t].kind == MACHINE_CALL);

		low = lasts < low ? lasts : low;
	}
	return low > 0 ? low - 1 : 0;
}

static uint32_t still(void *self, int segment)
{
	const struct sim *sim = self;
	const struct sim_segment *s = &sim->segments[segment];
	uint32_t low = UINT32_MAX;

	if ((sim->seed / 2 ^ (uint64_t)segment) % 2 || !s->moves)
		return 0;
	for (uint64_t t = (s->from + 7) / 8; 8 * t < s->to; t++)
		low = sim_depth(sim, 8 * t) < low ? sim_depth(sim, 8 * t) : low;
	return low < UINT32_MAX ? low - 1 : 0;
}

/* Where the segment ends this time. */
static uint64_t end_of(const struct sim *sim, int segment)
{
	const struct sim_segment *s = &sim->segments[segment];

	if (segment == sim->diverges && s->moves)
		return s->to / 8 > s->from / 8 + 1 ? (s->to / 8 - 1) * 8 : s->from;
	return s->to;
}

static void tell(const struct sim *sim, struct machine_stop *stop)
{
	const struct sim_segment *s = &sim->segments[sim->segment];
	bool at_end = sim->position == end_of(sim, sim->segment) && (s->moves || sim->executed);

	*stop = (struct machine_stop){
		.tick = sim->position / 8 - s->from / 8,
		.depth = sim_depth(sim, sim->position),
		.kind = sim->stops[sim->position / 8].kind,
		.end = at_end,
		.inside = sim->position % 8 != 0,
		.diverged = at_end && sim->segment == sim->diverges,
	};
}

static int enter(void *self, int segment, struct machine_stop *stop, struct err *err)
{
	struct sim *sim = self;

	if (op(sim, err) < 0)
		return -1;
	assert(segment >= 0 && segment < (int)sim->n_segments);
	sim->segment = segment;
	sim->position = sim->segments[segment].from;
	sim->executed = false;
	sim->disturbed = false;
	sim->placed = true;
	tell(sim, stop);
	if (sim->segments[segment].from != sim->segments[segment].to)
		stop->end = stop->diverged = false;
	return 0;
}

static int now(void *self, struct machine_stop *stop, struct err *err)
{
	struct sim *sim = self;

	if (op(sim, err) < 0)
		return -1;
	sim->segment = (int)sim->n_segments - 1;
	sim->position = sim_now(sim);
	sim->executed = !sim->segments[sim->segment].moves;
	sim->placed = true;
	sim->disturbed = true;          /* nothing but eval() may follow */
	tell(sim, stop);
	stop->tick = UINT64_MAX - 7;    /* not to be looked at */
	stop->diverged = false;
	return 0;
}

/* Stops are at 8t, what their statements trigger at 8t+4. */
static void tell_ticks(struct sim *sim, uint64_t to, bool with_breakpoints,
		       void (*told)(void *, const struct machine_tick *, size_t), void *ctx)
{
	struct machine_tick ticks[65];
	size_t n = 0, most = 1 + sim_random(sim, 64);

	for (uint64_t at = sim->position / 4 + 1; at <= to / 4; at++) {
		const struct sim_stop *s = &sim->stops[at / 2];

		if (at % 2 == 0 && s->breakpoint)
			ticks[n++] = (struct machine_tick){ 0, MACHINE_ROUGH, false };
		if (at % 2 == 0)
			ticks[n++] = (struct machine_tick){ sim->activations[s->activation].depth, s->kind,
							    with_breakpoints && s->breakpoint };
		else if (with_breakpoints && s->trigger)
			ticks[n++] = (struct machine_tick){ s->trigger, MACHINE_TRIGGER, false };
		if (n >= most || (n > 0 && at == to / 4)) {
			told(ctx, ticks, n);
			n = 0;
		}
	}
}

static int trace(void *self, uint64_t limit, bool with_breakpoints,
		 void (*told)(void *, const struct machine_tick *, size_t), void *ctx, struct machine_stop *stop,
		 struct err *err)
{
	struct sim *sim = self;
	const struct sim_segment *s = &sim->segments[sim->segment];
	uint64_t to = end_of(sim, sim->segment);

	assert(sim->placed && !sim->disturbed);
	if (op(sim, err) < 0)
		return -1;
	if (limit <= to / 8 - s->from / 8)
		to = (s->from / 8 + limit) * 8;
	assert(to >= sim->position);
	if (told)
		tell_ticks(sim, to, with_breakpoints, told, ctx);
	sim->ran += to / 8 - sim->position / 8;
	if (to / 8 - sim->position / 8 > sim->longest)
		sim->longest = to / 8 - sim->position / 8;
	sim->position = to;
	sim->executed = !s->moves;
	tell(sim, stop);
	return 0;
}

static int run(void *self, uint64_t limit, struct machine_stop *stop, struct err *err)
{
	return trace(self, limit, false, NULL, NULL, stop, err);
}

/* The activation at that depth, -1: none. */
static int activation_at(struct sim *sim, uint32_t depth)
{
	return depth && depth <= sim_depth(sim, sim->position) ? sim_frame(sim, sim->position, depth) : -1;
}

/* It is cut by a breakpoint, by the end, by the death of the activation watched in favour of another; and now and then by
 * nothing at all, but in each run of the same. */
static int leap(void *self, uint64_t limit, uint32_t watched, struct machine_stop *stop, struct err *err)
{
	struct sim *sim = self;
	uint64_t from = sim->segments[sim->segment].from / 8, before = sim->position / 8 - from, good = before;
	int who = activation_at(sim, watched), after;

	assert(sim->placed && !sim->disturbed && limit > before);
	while (good < limit && from + good + 1 < end_of(sim, sim->segment) / 8 && !sim->stops[from + good + 1].breakpoint)
		good++;
	if ((sim->position + limit) * 0x9E3779B97F4A7C15ULL >> 60 == 0)
		good = before + (good - before) / 2;
	tell(sim, stop);
	if (good > before && run(self, good, stop, err) < 0)
		return -1;
	after = activation_at(sim, watched);
	if (after >= 0 && after != who)
		good = before;
	stop->cut = good < limit;
	stop->tick = good;
	sim->leaps++;
	sim->disturbed = stop->cut;
	return 0;
}

static int mark(void *self, struct machine_mark **mark_, struct err *err)
{
	struct sim *sim = self;

	assert(sim->placed && !sim->disturbed);
	if (op(sim, err) < 0)
		return -1;
	*mark_ = xmalloc(sizeof **mark_);
	(*mark_)->segment = sim->segment;
	(*mark_)->position = sim->position;
	sim->live_marks++;
	if (sim->live_marks > sim->most_marks)
		sim->most_marks = sim->live_marks;
	sim->marks++;
	return 0;
}

static int go(void *self, struct machine_mark *mark_, struct machine_stop *stop, struct err *err)
{
	struct sim *sim = self;

	if (op(sim, err) < 0)
		return -1;
	sim->executed = false;
	sim->segment = mark_->segment;
	sim->position = mark_->position;
	sim->disturbed = false;
	tell(sim, stop);
	return 0;
}

static void drop(void *self, struct machine_mark *mark_)
{
	((struct sim *)self)->live_marks--;
	free(mark_);
}

/* "g", or "x" of the frame at `depth`. */
static int eval(void *self, const char *expr, uint32_t depth, struct machine_value *value, struct err *err)
{
	struct sim *sim = self;
	int who = sim_frame(sim, sim->position, depth), v;

	assert(sim->placed && depth >= 1 && depth <= sim_depth(sim, sim->position));
	sim->disturbed = true;
	sim->evals++;
	if (op(sim, err) < 0)
		return -1;
	v = sim_value(sim, expr[0] == 'g' ? -1 : who, sim->segment + sim->executed, sim->position);
	if (sim->evals == sim->lies_at)
		v = 1000;
	value->kind = v == SIM_UNDEFINED ? MACHINE_UNDEFINED : MACHINE_VALUE;
	value->text = v == SIM_UNDEFINED ? xasprintf("NameError at 0x%x", sim->evals) : xasprintf("%d", v);
	return 0;
}

static int observe(void *self, const char *expr, uint32_t depth, struct err *err)
{
	struct sim *sim = self;

	assert(sim->placed && !sim->disturbed && sim->position == sim->segments[sim->segment].from);
	if (op(sim, err) < 0)
		return -1;
	sim->observing = sim->observer != SIM_BLIND;
	sim->observes_global = expr[0] == 'g';
	sim->observed_depth = depth;
	return sim->observing;
}

/* What a look at every stop of the segment would have seen. */
static int observed(void *self, struct machine_seen *seen, struct err *err)
{
	struct sim *sim = self;
	const struct sim_segment *s = &sim->segments[sim->segment];
	uint64_t end = sim->position / 8 * 8;
	bool alive = sim->observed_depth <= sim_depth(sim, end) && sim_innermost(sim, end) >= 0;
	int who = alive ? sim_frame(sim, end, sim->observed_depth) : -1, before = 0;
	bool first = true;

	assert(sim->observing);
	*seen = (struct machine_seen){ .whole = alive && sim->observer != SIM_GIVES_UP };
	if (op(sim, err) < 0)
		return -1;
	for (uint64_t at = s->from / 8; alive && at <= end / 8; at++) {
		uint64_t position = at * 8 > s->from ? at * 8 : s->from;

		if (!sim_lives(sim, who, position))
			continue;
		int v = sim_value(sim, sim->observes_global ? -1 : who, sim->segment, position);
		if (!first && v != before) {
			seen->changes++;
			seen->last = at - s->from / 8 - 1;
			if (seen->valued && seen->since++ == 0)
				seen->first = seen->last;
		}
		seen->valued |= v != SIM_UNDEFINED;
		before = v;
		first = false;
	}
	seen->whole = seen->whole && !first;
	seen->value.kind = before == SIM_UNDEFINED ? MACHINE_UNDEFINED : MACHINE_VALUE;
	seen->value.text = xasprintf("%d", before);
	if (sim->observer == SIM_MISLEADS) {
		seen->changes = sim_random(sim, 3);
		seen->last = sim_random(sim, end / 8 - s->from / 8 + 1);
		seen->since = sim_random(sim, 2);
		seen->first = sim_random(sim, end / 8 - s->from / 8 + 1);
	}
	return 0;
}

static void progress(void *self, const struct machine_progress *progress)
{
	assert(progress->all == 0 || progress->done <= progress->all);
}

void sim_machine_init(struct sim *sim)
{
	sim->machine = (struct machine){
		.self = sim, .segments = segments, .moves = moves, .leaves_alone = leaves_alone, .calm = calm, .still = still, .enter = enter, .now = now, .run = run, .trace = trace, .leap = leap,
		.mark = mark, .go = go, .drop = drop, .eval = eval,
		.observe = observe, .observed = observed, .progress = progress,
	};
}
