/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decompose/walk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int walk_diverged(struct err *err, const char *fmt, ...)
{
	char how[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(how, sizeof how, fmt, ap);
	va_end(ap);
	return err_set(err, "the program did not run the same way again: %s", how);
}

int walk_enter(struct machine *m, int segment, struct machine_stop *stop, struct err *err)
{
	memset(stop, 0, sizeof *stop);
	if (m->enter(m->self, segment, stop, err) < 0)
		return -1;
	if (stop->diverged || stop->tick != 0)
		return walk_diverged(err, "command %d does not begin where it did", segment + 1);
	return 0;
}

int walk_check_reached(uint64_t limit, const struct machine_stop *stop, struct err *err)
{
	if (stop->diverged)
		return walk_diverged(err, "a command went another way than the first time, or ended elsewhere, "
				     "within %" PRIu64 " statements", stop->tick);
	if (limit != WALK_TO_END && stop->tick != limit)
		return walk_diverged(err, "a command ended after %" PRIu64 " statements, before statement %" PRIu64,
				     stop->tick, limit);
	return 0;
}

int walk_run(struct machine *m, uint64_t limit, struct machine_stop *stop, struct err *err)
{
	memset(stop, 0, sizeof *stop);
	if (m->run(m->self, limit, stop, err) < 0)
		return -1;
	return walk_check_reached(limit, stop, err);
}

static void feed(void *ctx, const struct machine_tick *ticks, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ticks[i].kind < MACHINE_TRIGGER)
			stack_arrive(ctx, &ticks[i]);
}

int walk_trace_on(struct machine *m, uint64_t limit, struct stack *stack, struct machine_stop *stop, struct err *err)
{
	memset(stop, 0, sizeof *stop);
	if (m->trace(m->self, limit, false, feed, stack, stop, err) < 0)
		return -1;
	if (walk_check_reached(stop->end ? WALK_TO_END : limit, stop, err) < 0)
		return -1;
	if (stack->tick != stop->tick)
		return walk_diverged(err, "%" PRIu64 " statements were told of %" PRIu64, stack->tick, stop->tick);
	return 0;
}

int walk_trace(struct machine *m, uint64_t limit, struct stack *stack, struct machine_stop *stop, struct err *err)
{
	return walk_trace_on(m, limit, stack, stop, err) < 0 ? -1 : walk_check_reached(limit, stop, err);
}

int walk_go(struct machine *m, struct machine_mark *mark, uint64_t tick, struct machine_stop *stop, struct err *err)
{
	memset(stop, 0, sizeof *stop);
	if (m->go(m->self, mark, stop, err) < 0)
		return -1;
	if (stop->diverged || stop->tick != tick)
		return walk_diverged(err, "after a return to statement %" PRIu64, stop->tick);
	return 0;
}

int walk_to_start(struct machine *m, struct reverse_target *target, struct err *err)
{
	int n = m->segments(m->self);

	target->no_more = true;
	for (int i = 0; i < n; i++) {
		struct machine_stop stop;

		if (!m->moves(m->self, i))
			continue;
		if (walk_enter(m, i, &stop, err) < 0)
			return -1;
		/* A command that stopped at once, where it began, is not yet it. */
		if (m->run(m->self, 1, &stop, err) < 0)
			return -1;
		if (stop.diverged)
			return walk_diverged(err, "command %d ended elsewhere than the first time", i + 1);
		if (stop.tick > 0 || stop.inside) {
			target->segment = i;
			target->moved = true;
			return 0;
		}
	}
	return 0;
}
