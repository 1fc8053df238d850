/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every reverse command, on thousands of random programs and sessions, against the definitions of doc and design, applied
 * to the whole recorded run with the true activations.  FRED_SEED=n runs the one program of that seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "decompose/reverse.h"
#include "decompose/trail.h"
#include "tests/unit/sim.h"

#define PROGRAMS 20000

enum move { STEP, NEXT, FINISH, CONTINUE, MOVES };
static const char *const names[] = { "step", "next", "finish", "continue" };

/* Does a watchpoint whose frame lives now trigger in the statement of stop t, before the position? */
static bool triggers(const struct sim *sim, uint64_t t, uint64_t position)
{
	uint32_t depth = sim->stops[t].trigger;

	return depth && 8 * t + 4 <= position &&
	       (depth == 1 || sim_lives(sim, sim_frame(sim, 8 * t, depth), sim_now(sim)));
}

/* One move by definition, from a position; selected counts only for FINISH.  -1: none. */
static int64_t back_once(const struct sim *sim, enum move move, uint64_t position, uint32_t selected)
{
	int64_t first = (int64_t)(sim->segments[0].from / 8);

	for (int64_t t = (int64_t)((position + 7) / 8) - 1; t >= first; t--) {
		int self = sim->stops[t].activation;

		if (move == STEP)
			return t;
		if (move == NEXT && sim_lives(sim, self, position))
			return t;
		if (move == FINISH && sim_lives(sim, self, position) && sim->activations[self].depth < selected)
			return t;
		if (move == CONTINUE && ((sim->stops[t].breakpoint && t > first) || triggers(sim, (uint64_t)t, position)))
			return t;
	}
	return -1;
}

/* The segment and tick by which a stop before now is called: the last segment that leads on from it. */
static void name_of(const struct sim *sim, uint64_t stop, int *segment, uint64_t *tick)
{
	*segment = -1;
	for (size_t i = 0; i < sim->n_segments; i++) {
		const struct sim_segment *s = &sim->segments[i];

		if (s->from <= stop * 8 && stop * 8 < s->to) {
			*segment = (int)i;
			*tick = stop - s->from / 8;
		}
	}
}

static int reverse(struct sim *sim, enum move move, uint64_t n, uint32_t selected, struct reverse_target *target,
		   struct err *err)
{
	switch (move) {
	case STEP: return reverse_step(&sim->machine, n, target, err);
	case NEXT: return reverse_next(&sim->machine, n, target, err);
	case FINISH: return reverse_finish(&sim->machine, selected, n, target, err);
	default: return reverse_continue(&sim->machine, n, target, err);
	}
}

/* How often a way began at a mark: a test of nothing must not pass. */
static unsigned went_from_mark;

static void check_way(struct sim *sim, struct reverse_target *target, uint64_t stop)
{
	struct machine_stop reached;
	struct err err = { 0 };
	uint32_t deepest = 0;
	size_t most;
	unsigned leaps = sim->leaps;

	sim->ran = 0;
	if (reverse_go(&sim->machine, target, &reached, &err) < 0)
		fail_msg("reverse_go: %s", err.what);
	/* The user is shown where a run ends, so there is one. */
	assert_int_equal(target->tick > 0, sim->ran > 0);
	went_from_mark += sim->ran < target->tick;
	assert_int_equal(sim->position, stop * 8);
	assert_int_equal(reached.tick, target->tick);
	assert_int_equal(sim_walk(sim, sim->segments[target->segment].from, &target->steps), stop * 8);
	/* Whatever the length of the run: two words for each call open, and for each caller leapt to from the deepest.  And a
	 * leap is so many steps. */
	for (uint64_t t = stop - target->tick; t <= stop; t++)
		deepest = sim_depth(sim, t * 8) > deepest ? sim_depth(sim, t * 8) : deepest;
	most = 2 * deepest * (1 + sim_depth(sim, sim->segments[target->segment].from));
	most += most * leaps;
	assert_true(target->steps.n <= most);
	for (size_t i = 1; i < target->steps.n; i++)
		assert_int_not_equal(target->steps.runs[i].word, target->steps.runs[i - 1].word);
}

static void check(struct sim *sim, enum move move, uint64_t n, uint32_t selected)
{
	uint64_t position = sim_now(sim), tick = 0, first = sim->segments[0].from / 8;
	struct reverse_target target;
	struct err err = { 0 };
	bool no_more = false;
	int segment = 0;
	uint32_t from = selected;

	for (uint64_t i = 0; i < n && !no_more; i++) {
		int64_t t = back_once(sim, move, position, from);

		no_more = t < 0;
		position = no_more ? first * 8 : (uint64_t)t * 8;
		from = sim_depth(sim, position);
	}
	sim->leaps = 0;
	if (reverse(sim, move, n, selected, &target, &err) < 0)
		fail_msg("reverse-%s %" PRIu64 ": %s", names[move], n, err.what);
	assert_int_equal(target.no_more, no_more);
	assert_int_equal(target.moved, sim_now(sim) > sim->segments[0].from && n > 0);
	if (target.moved) {
		name_of(sim, position / 8, &segment, &tick);
		if (target.segment != segment || target.tick != tick)
			fail_msg("reverse-%s %" PRIu64 " (selected %u): segment %d tick %" PRIu64 ", should be %d %" PRIu64,
				 names[move], n, selected, target.segment, target.tick, segment, tick);
		check_way(sim, &target, position / 8);
	}
	reverse_target_free(&target);
	assert_int_equal(sim->live_marks, 0);
}

/* The last stop before the activation at that depth, by definition; whoever doubts looks on.  Of two frames in a row that
 * have no stops of their own nobody can tell one from the other. */
static void check_entry(struct sim *sim, uint32_t depth)
{
	struct reverse_entry entry = { .below = (int)sim->n_segments };
	int self = sim_frame(sim, sim_now(sim), depth);
	int64_t first = (int64_t)(sim->segments[0].from / 8), begins = (int64_t)((sim_now(sim) + 7) / 8), before;
	struct err err = { 0 };

	if (self < 0 || sim->activations[self].untraced)
		return;
	while (begins > first && sim_lives(sim, self, (uint64_t)(begins - 1) * 8))
		begins--;
	for (;; entry.older = true) {
		if (reverse_entry(&sim->machine, depth, &entry, &err) < 0)
			fail_msg("reverse_entry: %s", err.what);
		before = first - 1;
		if (entry.before.moved)
			before = (int64_t)(sim->segments[entry.before.segment].from / 8 + entry.before.tick);
		reverse_target_free(&entry.before);
		assert_int_equal(sim->live_marks, 0);
		if (before == begins - 1)
			break;
		assert_true(entry.unsure && before >= begins);
	}
}

static void check_program(uint64_t seed)
{
	static const uint64_t counts[] = { 1, 2, 3, 7, 40, 0 };
	struct sim sim;

	if (seed % 4)
		sim_small_limits(seed);
	else
		sim_usual_limits();
	sim_init(&sim, seed, 20 + seed % 300);
	if (seed % 3 == 0)
		sim.machine.leap = NULL;
	for (uint32_t d = sim_depth(&sim, sim_now(&sim)); d > 0; d--)
		check_entry(&sim, d);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		check(&sim, STEP, counts[i], 0);
		check(&sim, NEXT, counts[i], 0);
		check(&sim, CONTINUE, counts[i], 0);
		for (uint32_t d = sim_depth(&sim, sim_now(&sim)); d > 0; d--)
			check(&sim, FINISH, counts[i], d);
	}
	sim_free(&sim);
}

static uint64_t seed_at_work;

static void random_programs(void **state)
{
	const char *one = getenv("FRED_SEED");

	for (uint64_t i = 1; i <= (one ? 1 : PROGRAMS); i++) {
		seed_at_work = one ? strtoull(one, NULL, 0) : i;
		check_program(seed_at_work);
	}
	seed_at_work = 0;
	sim_usual_limits();
	assert_true(one || went_from_mark > PROGRAMS);
}

/* To be seen when an assertion has failed, which leaves the test by longjmp. */
static int tell_seed(void **state)
{
	if (seed_at_work)
		print_error("replay with FRED_SEED=%" PRIu64 "\n", seed_at_work);
	seed_at_work = 0;
	return 0;
}

/* The n-th operation of the machine fails, for every n: the error comes up as it is, and nothing is left.  As the trail is
 * small, operations are its marks, too. */
static void every_failure(void **state)
{
	uint64_t marks = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct sim sim;

		sim_small_limits(seed);
		sim_init(&sim, seed, 60);
		for (enum move move = 0; move < MOVES; move++) {
			for (unsigned n = 1; ; n++) {
				struct reverse_target target;
				struct machine_stop stop;
				struct err err = { 0 };
				int rc;

				sim.ops = 0;
				sim.fail_at = n;
				sim.cancel = n % 2;
				rc = reverse(&sim, move, 3, sim_depth(&sim, sim_now(&sim)), &target, &err);
				if (rc < 0)
					assert_int_equal(sim.live_marks, 0);
				if (rc == 0 && target.moved)
					rc = reverse_go(&sim.machine, &target, &stop, &err);
				if (rc == 0)
					assert_true(sim.ops < n);
				else
					assert_int_equal(err.sys, sim.cancel ? ECANCELED : EIO);
				reverse_target_free(&target);
				assert_int_equal(sim.live_marks, 0);
				if (rc == 0)
					break;
			}
		}
		marks += sim.marks;
		sim_free(&sim);
	}
	sim_usual_limits();
	assert_true(marks > 10000);
}

/* A program that does not run the same way: an error that says so, or the right place. */
static void divergence(void **state)
{
	unsigned refused = 0;

	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct sim sim;

		if (seed % 2)
			sim_small_limits(seed);
		else
			sim_usual_limits();
		sim_init(&sim, seed, 60);
		for (int segment = 0; segment < (int)sim.n_segments; segment++) {
			for (enum move move = 0; move < MOVES; move++) {
				uint32_t depth = sim_depth(&sim, sim_now(&sim));
				struct reverse_target good, bad;
				struct err err = { 0 };

				sim.diverges = -1;
				assert_int_equal(reverse(&sim, move, 2, depth, &good, &err), 0);
				sim.diverges = segment;
				if (reverse(&sim, move, 2, depth, &bad, &err) < 0) {
					assert_non_null(strstr(err.what, "did not run the same way again"));
					refused++;
				} else {
					assert_int_equal(bad.segment, good.segment);
					assert_int_equal(bad.tick, good.tick);
				}
				reverse_target_free(&bad);
				reverse_target_free(&good);
				assert_int_equal(sim.live_marks, 0);
			}
		}
		sim_free(&sim);
	}
	sim_usual_limits();
	assert_true(refused > 1000);
}

/* main: n times f() in a loop, then g() { now }. */
static void long_run(struct sim *sim, size_t n)
{
	int top, g;

	sim_init_empty(sim);
	top = sim_call(sim, -1, false);
	sim_emit(sim, top, MACHINE_CALL);
	for (size_t i = 0; i < n; i++) {
		int f;

		sim_emit(sim, top, MACHINE_LINE);
		f = sim_call(sim, top, false);
		sim_emit(sim, f, MACHINE_CALL);
		sim_emit(sim, f, MACHINE_LINE);
		sim_emit(sim, f, MACHINE_RETURN);
	}
	sim_emit(sim, top, MACHINE_LINE);
	g = sim_call(sim, top, false);
	sim_emit(sim, g, MACHINE_CALL);
	sim_emit(sim, g, MACHINE_LINE);
	sim_move(sim, 0, (sim->n_stops - 1) * 8);
}

static void a_million_ticks(void **state)
{
	struct reverse_target target;
	struct machine_stop stop;
	struct err err = { 0 };
	struct sim sim;
	uint64_t began;

	long_run(&sim, 250000);
	began = clock_us();
	assert_int_equal(reverse_next(&sim.machine, 100000, &target, &err), 0);
	assert_int_equal(target.tick, 1 + 4 * (250000 - 100000 + 2));
	assert_int_equal(reverse_go(&sim.machine, &target, &stop, &err), 0);
	assert_int_equal(target.steps.n, 1);
	assert_int_equal(target.steps.runs[0].count, 150003);
	reverse_target_free(&target);
	assert_int_equal(reverse_step(&sim.machine, 999000, &target, &err), 0);
	assert_int_equal(reverse_go(&sim.machine, &target, &stop, &err), 0);
	reverse_target_free(&target);
	assert_int_equal(reverse_finish(&sim.machine, 2, 1, &target, &err), 0);
	assert_int_equal(target.tick, 1000001);
	reverse_target_free(&target);
	assert_int_equal(reverse_continue(&sim.machine, 1, &target, &err), 0);
	assert_true(target.no_more);
	reverse_target_free(&target);
	/* Four times one run, and three ways back; the time is a matter of milliseconds. */
	assert_true(sim.ran < 4 * sim.n_stops + 3 * (sim.n_stops / 8));
	assert_true(clock_us() - began < 5000000);
	assert_int_equal(sim.live_marks, 0);
	sim_free(&sim);
}

/* Whatever the length and wherever the target, going there adds an eighth of a run at most; and the user hears of it. */
static void one_run(void **state)
{
	double worst = 0;

	for (size_t loops = 25000; loops < 400000; loops += loops / 5) {
		for (unsigned i = 0; i <= 20; i++) {
			struct reverse_target target;
			struct machine_stop stop;
			struct err err = { 0 };
			struct sim sim;
			double cost;

			long_run(&sim, loops);
			assert_int_equal(reverse_next(&sim.machine, 1 + loops * i / 20, &target, &err), 0);
			assert_in_range(sim.live_marks, trail_limits.most / 2, trail_limits.most);
			assert_int_equal(reverse_go(&sim.machine, &target, &stop, &err), 0);
			assert_int_equal(sim.position, 8 * target.tick);
			assert_int_equal(sim_walk(&sim, 0, &target.steps), sim.position);
			reverse_target_free(&target);
			assert_int_equal(sim.live_marks, 0);
			cost = (double)sim.ran / (double)sim.n_stops;
			worst = cost > worst ? cost : worst;
			sim_free(&sim);
		}
	}
	print_message("reverse-next and the way there: at most %.3f runs\n", worst);
	assert_true(worst <= 1.15);
}

/* Below what a mark is worth none is taken. */
static void short_run(void **state)
{
	struct reverse_target target;
	struct err err = { 0 };
	struct sim sim;

	long_run(&sim, trail_limits.interval / 4 - 2);
	assert_int_equal(reverse_next(&sim.machine, 100, &target, &err), 0);
	assert_int_equal(sim.marks, 0);
	reverse_target_free(&target);
	sim_free(&sim);
}

/* a = f(1) + g(2): from g's first stop back to the calling line, not to f's last stop; the path says how. */
static void sibling_calls(void **state)
{
	struct reverse_target target;
	struct machine_stop stop;
	struct err err = { 0 };
	cleanup_buf struct buf words = { 0 };
	struct sim sim;
	int top, f, g;

	sim_init_empty(&sim);
	top = sim_call(&sim, -1, false);
	sim_emit(&sim, top, MACHINE_LINE);
	sim_emit(&sim, top, MACHINE_LINE);
	f = sim_call(&sim, top, false);
	sim_emit(&sim, f, MACHINE_CALL);
	sim_emit(&sim, f, MACHINE_LINE);
	sim_emit(&sim, f, MACHINE_RETURN);
	g = sim_call(&sim, top, false);
	sim_emit(&sim, g, MACHINE_CALL);
	sim_emit(&sim, g, MACHINE_LINE);
	sim_move(&sim, 0, 6 * 8);
	assert_int_equal(reverse_next(&sim.machine, 1, &target, &err), 0);
	assert_int_equal(target.tick, 5);
	assert_int_equal(reverse_go(&sim.machine, &target, &stop, &err), 0);
	path_format(&target.steps, &words);
	assert_string_equal(buf_str(&words), "next, step, next, step, step");
	reverse_target_free(&target);
	assert_int_equal(reverse_next(&sim.machine, 2, &target, &err), 0);
	assert_int_equal(target.tick, 1);
	reverse_target_free(&target);
	sim_free(&sim);
}

static void no_history(void **state)
{
	struct reverse_target target;
	struct err err = { 0 };
	struct sim sim;

	sim_init_empty(&sim);
	for (enum move move = 0; move < MOVES; move++) {
		assert_int_equal(reverse(&sim, move, 1, 1, &target, &err), 0);
		assert_true(target.no_more && !target.moved);
	}
	sim_free(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(random_programs, tell_seed),
		cmocka_unit_test(every_failure),
		cmocka_unit_test(divergence),
		cmocka_unit_test(a_million_ticks),
		cmocka_unit_test(one_run),
		cmocka_unit_test(short_run),
		cmocka_unit_test(sibling_calls),
		cmocka_unit_test(no_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
