/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The run, the session and the truth; sim_machine.c is the machine over it. */
#include "tests/unit/sim.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "decompose/trail.h"
#include "tests/unit/sim_machine.h"

uint64_t sim_random(struct sim *sim, uint64_t below)
{
	sim->seed ^= sim->seed << 13;
	sim->seed ^= sim->seed >> 7;
	sim->seed ^= sim->seed << 17;
	return (sim->seed * 0x2545F4914F6CDD1DULL >> 33) % below;
}

int sim_call(struct sim *sim, int parent, bool untraced)
{
	uint32_t depth = parent < 0 ? 1 : sim->activations[parent].depth + 1;

	array_grow(sim->activations, sim->n_activations);
	sim->activations[sim->n_activations] = (struct sim_activation){ parent, depth, untraced };
	return (int)sim->n_activations++;
}

void sim_emit(struct sim *sim, int activation, enum machine_kind kind)
{
	array_grow(sim->stops, sim->n_stops);
	sim->stops[sim->n_stops++] = (struct sim_stop){ .activation = activation, .kind = kind };
}

void sim_change(struct sim *sim, int activation, int value)
{
	array_grow(sim->events, sim->n_events);
	sim->events[sim->n_events++] = (struct sim_event){ (sim->n_stops - 1) * 8 + 4, activation, value };
}

void sim_move(struct sim *sim, uint64_t from, uint64_t to)
{
	array_grow(sim->segments, sim->n_segments);
	sim->segments[sim->n_segments++] = (struct sim_segment){ .from = from, .to = to, .moves = true };
}

void sim_assign(struct sim *sim, int activation, int value)
{
	uint64_t now = sim_now(sim);

	array_grow(sim->segments, sim->n_segments);
	sim->segments[sim->n_segments++] = (struct sim_segment){
		.from = now, .to = now, .assigns = true, .activation = activation, .value = value };
}

void sim_free(struct sim *sim)
{
	free(sim->activations);
	free(sim->stops);
	free(sim->events);
	free(sim->segments);
}

/* ---- random programs ---- */

static int any_value(struct sim *sim)
{
	return sim_random(sim, 12) == 0 ? SIM_UNDEFINED : (int)sim_random(sim, 4);
}

/* Perhaps the statement of the last stop changes something, in its own frame or a caller's, before what comes next. */
static void maybe_change(struct sim *sim, int activation)
{
	while (sim->n_stops && sim_random(sim, 4) == 0) {
		int who = activation;

		while (who >= 0 && sim_random(sim, 2))
			who = sim->activations[who].parent;
		sim_change(sim, who, any_value(sim));
	}
}

/* A watchpoint without a frame, or of the statement's own frame or a caller's that has variables. */
static void maybe_trigger(struct sim *sim, int activation)
{
	uint32_t *trigger = &sim->stops[sim->n_stops - 1].trigger;

	if (sim_random(sim, 14))
		return;
	*trigger = 1;
	while (sim_random(sim, 3))
		activation = sim->activations[activation].parent >= 0 ? sim->activations[activation].parent : activation;
	if (!sim->activations[activation].untraced)
		*trigger = sim->activations[activation].depth;
}

static void stop(struct sim *sim, int activation, enum machine_kind kind)
{
	maybe_change(sim, kind == MACHINE_CALL ? sim->activations[activation].parent : activation);
	sim_emit(sim, activation, kind);
	sim->stops[sim->n_stops - 1].breakpoint = sim_random(sim, 14) == 0;
	maybe_trigger(sim, activation);
}

enum left { RETURNED, RAISED, LEAPT };  /* LEAPT: unwound without a stop, as longjmp does */

static enum left call(struct sim *sim, int caller, size_t size);

/* A statement; several calls in it are siblings: f(1) + g(2).  RETURNED: go on with the next one. */
static enum left statement(struct sim *sim, int self, size_t size)
{
	stop(sim, self, MACHINE_LINE);
	if (sim_random(sim, 3) == 0) {
		for (int calls = 1 + (int)sim_random(sim, 3); calls > 0; calls--) {
			enum left left = call(sim, self, size);
			bool caught = sim_random(sim, 2);

			if (left == RETURNED)
				continue;
			if (left == LEAPT && !caught)
				return LEAPT;
			stop(sim, self, left == RAISED ? MACHINE_EXCEPTION : MACHINE_LINE);
			return caught ? RETURNED : RAISED;
		}
	}
	if (sim_random(sim, 20) == 0) {
		stop(sim, self, MACHINE_EXCEPTION);
		return RAISED;
	}
	return sim_random(sim, 30) == 0 ? LEAPT : RETURNED;
}

/* A call; or one resumption of a generator, which is the same but for its name. */
static enum left call(struct sim *sim, int caller, size_t size)
{
	uint32_t depth = sim->activations[caller].depth;
	enum left left = RETURNED;
	int self;

	if (sim->n_stops >= size || depth > 12)
		return RETURNED;
	if (sim_random(sim, 8) == 0)
		caller = sim_call(sim, caller, true);
	self = sim_call(sim, caller, false);
	stop(sim, self, MACHINE_CALL);
	for (int n = (int)sim_random(sim, 6); n > 0 && left == RETURNED; n--) {
		left = statement(sim, self, size);
		if (sim_random(sim, 12) == 0)
			break;          /* an early exit */
	}
	/* An exception may leave without a return stop. */
	if (left == RETURNED || (left == RAISED && sim_random(sim, 5)))
		stop(sim, self, MACHINE_RETURN);
	return left;
}

static uint64_t inside(struct sim *sim, uint64_t stop_number)
{
	static const uint64_t where[] = { 0, 1, 2, 6 };

	uint64_t at = where[sim_random(sim, 4)];

	/* What follows a return stop is the caller's. */
	if (at && stop_number < sim->n_stops && sim->stops[stop_number].kind == MACHINE_RETURN)
		at = 6;
	return stop_number * 8 + at;
}

static uint64_t to_breakpoint(const struct sim *sim, uint64_t from)
{
	for (size_t t = from / 8 + 1; t < sim->n_stops; t++)
		if (sim->stops[t].breakpoint)
			return t * 8;
	return from;
}

static uint64_t to_finish(const struct sim *sim, uint64_t from)
{
	int self = sim_innermost(sim, from);

	for (size_t t = from / 8 + 1; t < sim->n_stops; t++)
		if (sim->stops[t].activation == self && sim->stops[t].kind == MACHINE_RETURN)
			return t * 8;
	return from;
}

/* Where one command leads that moves.  The last stop is left alone: after it nothing is known. */
static uint64_t command(struct sim *sim, uint64_t from)
{
	uint64_t most = (sim->n_stops - 2) * 8, to = from;

	switch (sim_random(sim, 6)) {
	case 0: to = sim_step(sim, from); break;
	case 1: to = sim_next(sim, from); break;
	case 2: to = to_breakpoint(sim, from); break;
	case 3: to = to_finish(sim, from); break;
	case 4: to = inside(sim, from / 8); break;
	case 5: to = inside(sim, from / 8 + sim_random(sim, 40)); break;
	}
	return to > most ? most : to;
}

/* `x = 3` in some frame, or what changes nothing. */
static void still(struct sim *sim, uint64_t now)
{
	int who = sim_innermost(sim, now);

	while (who >= 0 && sim_random(sim, 2))
		who = sim->activations[who].parent;
	array_grow(sim->segments, sim->n_segments);
	sim->segments[sim->n_segments++] = (struct sim_segment){
		.from = now, .to = now, .assigns = sim_random(sim, 2),
		.activation = who == SIM_UNTOLD ? -1 : who, .value = any_value(sim) };
	/* A command that should move, and ended where it began. */
	if (!sim->segments[sim->n_segments - 1].assigns)
		sim->segments[sim->n_segments - 1].moves = sim_random(sim, 3) == 0;
}

static void session(struct sim *sim)
{
	uint64_t now = sim_random(sim, 4) ? 0 : 8 * sim_random(sim, sim->n_stops / 2);
	int commands = 1 + (int)sim_random(sim, 10);

	for (int i = 0; i < commands; i++) {
		uint64_t to = command(sim, now);

		if (sim_random(sim, 4) == 0 || to <= now) {
			still(sim, now);
			continue;
		}
		sim_move(sim, now, to);
		now = to;
	}
}

static struct trail_limits usual;

void sim_usual_limits(void)
{
	if (usual.interval)
		trail_limits = usual;
}

void sim_small_limits(uint64_t seed)
{
	if (!usual.interval)
		usual = trail_limits;
	trail_limits = (struct trail_limits){
		.interval = 1 + seed % 7, .most = 1 + seed / 7 % 5, .piece = 1 + seed % 11, .trails = seed / 3 % 4,
	};
}

void sim_init_empty(struct sim *sim)
{
	memset(sim, 0, sizeof *sim);
	sim->seed = 1;
	sim->diverges = -1;
	sim_machine_init(sim);
}

void sim_init(struct sim *sim, uint64_t seed, size_t size)
{
	int outermost;

	sim_init_empty(sim);
	sim->seed = seed * 0x9E3779B97F4A7C15ULL + 1;
	outermost = sim_call(sim, -1, false);
	sim_emit(sim, outermost, MACHINE_CALL);
	while (sim->n_stops < size)
		statement(sim, outermost, size);
	while (sim->n_stops < 8)
		stop(sim, outermost, MACHINE_LINE);
	session(sim);
}

/* ---- the truth ---- */

uint64_t sim_now(const struct sim *sim)
{
	return sim->n_segments ? sim->segments[sim->n_segments - 1].to : 0;
}

static int ancestor(const struct sim *sim, int activation, uint32_t depth)
{
	while (activation >= 0 && sim->activations[activation].depth > depth)
		activation = sim->activations[activation].parent;
	return activation;
}

int sim_innermost(const struct sim *sim, uint64_t position)
{
	size_t t = position / 8;
	const struct sim_stop *at = &sim->stops[t];
	uint32_t depth = sim->activations[at->activation].depth;

	if (position % 8 == 1)
		return SIM_UNTOLD;
	if (position % 8 == 6 && at->kind == MACHINE_RETURN && t + 1 < sim->n_stops) {
		const struct sim_stop *to = &sim->stops[t + 1];
		uint32_t next = sim->activations[to->activation].depth - (to->kind == MACHINE_CALL);

		return ancestor(sim, at->activation, next < depth - 1 ? next : depth - 1);
	}
	return at->activation;
}

uint32_t sim_depth(const struct sim *sim, uint64_t position)
{
	if (position % 8 == 1)
		return sim->activations[sim->stops[position / 8].activation].depth + 1;
	return sim->activations[sim_innermost(sim, position)].depth;
}

int sim_frame(const struct sim *sim, uint64_t position, uint32_t depth)
{
	if (position % 8 == 1 && depth == sim_depth(sim, position))
		return SIM_UNTOLD;
	return ancestor(sim, position % 8 == 1 ? sim->stops[position / 8].activation : sim_innermost(sim, position), depth);
}

bool sim_lives(const struct sim *sim, int activation, uint64_t position)
{
	uint32_t depth = sim->activations[activation].depth;

	return depth <= sim_depth(sim, position) && sim_frame(sim, position, depth) == activation;
}

int sim_value(const struct sim *sim, int activation, int segment, uint64_t position)
{
	uint64_t when = 0;
	int value = 0;

	for (size_t i = sim->n_events; i-- > 0; ) {
		const struct sim_event *e = &sim->events[i];

		if (e->position > position || e->activation != activation)
			continue;
		value = e->value;
		when = e->position;
		break;
	}
	for (int i = 0; i < segment; i++) {
		const struct sim_segment *s = &sim->segments[i];

		if (s->assigns && s->activation == activation && s->from >= when)
			value = s->value;
	}
	return value;
}

uint64_t sim_step(const struct sim *sim, uint64_t position)
{
	return (position / 8 + 1) * 8;
}

uint64_t sim_next(const struct sim *sim, uint64_t position)
{
	size_t t = position / 8 + 1;

	if (position % 8 == 0 && sim->stops[t - 1].kind == MACHINE_RETURN)
		return sim_step(sim, position);
	while (t < sim->n_stops && !sim_lives(sim, sim->stops[t].activation, position))
		t++;
	return t * 8;
}

uint64_t sim_walk(const struct sim *sim, uint64_t position, const struct path *path)
{
	for (size_t i = 0; i < path->n; i++)
		for (uint64_t j = 0; j < path->runs[i].count && position / 8 < sim->n_stops; j++)
			position = path->runs[i].word == PATH_NEXT ? sim_next(sim, position) : sim_step(sim, position);
	return position;
}
