/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What reverse-watch costs in long runs: ticks run, evaluations, marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "decompose/trail.h"
#include "decompose/watch.h"
#include "tests/unit/sim.h"

static unsigned log2_up(uint64_t n)
{
	unsigned log = 0;

	while ((UINT64_C(1) << log) < n)
		log++;
	return log;
}

/* One function with that many statements, one of which changes g.  In a machine without leaps: where there are some, a tick is
 * dear, and marks are close together. */
static void statements(struct sim *sim, uint64_t n, uint64_t change)
{
	int top;

	sim_init_empty(sim);
	sim->machine.leap = NULL;
	top = sim_call(sim, -1, false);
	for (uint64_t i = 0; i <= n; i++) {
		sim_emit(sim, top, MACHINE_LINE);
		if (i == change)
			sim_change(sim, -1, 3);
	}
}

/* Wherever the change is, and however long the segment: one run, and a third of one for all the rest. */
static void one_run(void **state)
{
	double worst = 0;

	for (uint64_t n = 100000; n < 1500000; n += n / 5) {
		for (uint64_t i = 0; i < 24; i++) {
			uint64_t change = i == 0 ? 0 : i == 1 ? n - 1 : n / 22 * (i - 1) - i;
			struct watch_result r;
			struct machine_stop stop;
			struct err err = { 0 };
			struct sim sim;
			double cost;

			statements(&sim, n, change);
			sim_move(&sim, 0, 8 * n);
			assert_int_equal(watch_search(&sim.machine, "g", 1, NULL, &r, &err), 0);
			assert_int_equal(r.outcome, WATCH_FOUND);
			assert_int_equal(r.target.tick, change);
			assert_true(r.evaluations <= log2_up(n) + 6);
			assert_int_equal(r.snapshots, sim.marks);
			assert_int_equal(reverse_go(&sim.machine, &r.target, &stop, &err), 0);
			assert_true(sim.longest <= trail_limits.piece || sim.longest <= n / 8);
			cost = (double)sim.ran / (double)n;
			worst = cost > worst ? cost : worst;
			watch_result_free(&r);
			assert_int_equal(sim.live_marks, 0);
			sim_free(&sim);
		}
	}
	print_message("reverse-watch and the way there: at most %.3f runs\n", worst);
	assert_true(worst <= 1.3);
}

/* Many segments: not all their trails are held, and still little is run twice. */
static void many_segments(void **state)
{
	double worst = 0;
	int most = 0;

	for (uint64_t i = 0; i < 40; i++) {
		uint64_t n = 1600000, at = 0, change = n / 40 * i + 777;
		struct watch_result r;
		struct machine_stop stop;
		struct err err = { 0 };
		struct sim sim;
		double cost;

		statements(&sim, n, change);
		for (int k = 1; at < n; k++) {
			uint64_t to = at + 20000 + 15000 * (k * 7 % 5);

			sim_move(&sim, 8 * at, 8 * (to < n ? to : n));
			at = to;
		}
		assert_int_equal(watch_search(&sim.machine, "g", 1, NULL, &r, &err), 0);
		assert_int_equal(r.outcome, WATCH_FOUND);
		assert_int_equal(sim.segments[r.target.segment].from / 8 + r.target.tick, change);
		most = sim.most_marks > most ? sim.most_marks : most;
		assert_int_equal(reverse_go(&sim.machine, &r.target, &stop, &err), 0);
		assert_int_equal(sim.position, 8 * change);
		cost = (double)sim.ran / (double)n;
		worst = cost > worst ? cost : worst;
		watch_result_free(&r);
		assert_int_equal(sim.live_marks, 0);
		sim_free(&sim);
	}
	print_message("in %s segments: at most %.3f runs, %d marks at a time\n", "many", worst, most);
	assert_true(worst <= 1.3);
	assert_true((size_t)most <= (trail_limits.trails + 1) * trail_limits.most + 2);
}

static void a_million_ticks(void **state)
{
	struct watch_options options = { 0 };
	struct watch_result r;
	struct err err = { 0 };
	struct sim sim;

	statements(&sim, 1000000, 777777);
	sim_move(&sim, 0, 8000000);
	assert_int_equal(watch_search(&sim.machine, "g", 1, &options, &r, &err), 0);
	assert_int_equal(r.outcome, WATCH_FOUND);
	assert_int_equal(r.target.tick, 777777);
	watch_result_free(&r);

	/* Changed and changed back near the end: only a look at every stop finds it. */
	sim.events[0].position = 8 * 999000 + 4;
	sim.events[0].value = 1;
	sim.n_stops -= 500;
	sim_change(&sim, -1, 0);
	sim.n_stops += 500;
	assert_int_equal(watch_search(&sim.machine, "g", 1, &options, &r, &err), 0);
	assert_int_equal(r.outcome, WATCH_UNPROVEN);
	watch_result_free(&r);
	options.which = WATCH_LAST;
	sim.ran = 0;
	assert_int_equal(watch_search(&sim.machine, "g", 1, &options, &r, &err), 0);
	assert_int_equal(r.outcome, WATCH_FOUND);
	assert_int_equal(r.target.tick, 999500);
	assert_true(r.latest);
	/* Of all stretches only the last was scanned. */
	print_message("reverse-watch --last: %.3f runs\n", (double)sim.ran / 1e6);
	assert_true(sim.ran < 1300000);
	watch_result_free(&r);
	assert_int_equal(sim.live_marks, 0);
	sim_free(&sim);
}

/* In the outermost frame nothing behind the first change is run, and each stop before it is evaluated once. */
static void the_first(void **state)
{
	struct watch_options options = { .which = WATCH_FIRST, .anywhere = true };
	struct machine_stop stop;
	struct watch_result r;
	struct err err = { 0 };
	struct sim sim;

	statements(&sim, 1000000, 3000);
	for (uint64_t i = 0; i < 1000; i++)
		sim_move(&sim, 8000 * i, 8000 * (i + 1));
	assert_int_equal(watch_search(&sim.machine, "g", 1, &options, &r, &err), 0);
	assert_int_equal(r.outcome, WATCH_FOUND);
	assert_int_equal(r.target.segment, 3);
	assert_int_equal(r.target.tick, 0);
	assert_int_equal(reverse_go(&sim.machine, &r.target, &stop, &err), 0);
	assert_in_range(r.evaluations, 3000, 3010);
	print_message("reverse-watch --first: %.1f ticks run for each stop\n", (double)sim.ran / 3000);
	assert_true(sim.ran < 30 * 3000 && sim.marks < 3000 / 20);
	watch_result_free(&r);
	assert_int_equal(sim.live_marks, 0);
	sim_free(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run),
		cmocka_unit_test(many_segments),
		cmocka_unit_test(a_million_ticks),
		cmocka_unit_test(the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
