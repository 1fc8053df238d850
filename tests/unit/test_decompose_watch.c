/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch on random programs and sessions, against the true value at every position.  FRED_SEED=n: that one. */
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
#include "decompose/trail.h"
#include "decompose/watch.h"
#include "tests/unit/sim.h"

#define PROGRAMS 10000
#define UNBORN 100

/* How often each kind of answer was checked: a test of nothing must not pass. */
static struct {
	unsigned found, unproven, never, undefined, by_command, in_caller, inside, unborn, latest, from_mark, observed;
} seen;

/* All places where an expression can be asked for: the positions of each segment that has some, and now. */
struct place {
	int segment;            /* the number of segments: now */
	uint64_t tick, position;
};

struct places {
	struct place *all;
	size_t n;
};

static void add_place(struct places *p, int segment, uint64_t tick, uint64_t position)
{
	array_grow(p->all, p->n);
	p->all[p->n++] = (struct place){ segment, tick, position };
}

static struct places places_of(const struct sim *sim)
{
	struct places p = { 0 };

	for (size_t i = 0; i < sim->n_segments; i++) {
		const struct sim_segment *s = &sim->segments[i];

		add_place(&p, (int)i, 0, s->from);
		for (uint64_t at = (s->from / 8 + 1) * 8; at < s->to; at += 8)
			add_place(&p, (int)i, at / 8 - s->from / 8, at);
	}
	add_place(&p, (int)sim->n_segments, 0, sim_now(sim));
	return p;
}

static int truth(const struct sim *sim, const struct place *place, int frame, bool global)
{
	if (!sim_lives(sim, frame, place->position))
		return UNBORN;
	return sim_value(sim, global ? -1 : frame, place->segment, place->position);
}

static int told(const struct machine_value *value)
{
	return value->kind == MACHINE_UNBORN ? UNBORN : value->kind == MACHINE_UNDEFINED ? SIM_UNDEFINED
		: atoi(value->text);
}

/* What the result says beyond the place: who is guilty. */
static void check_guilty(const struct sim *sim, const struct watch_result *r, const struct place *k)
{
	const struct sim_stop *stop = &sim->stops[k->position / 8];
	const struct sim_segment *s = &sim->segments[k->segment];
	bool whole = k->position % 8 == 0;
	bool ended = !s->moves || !sim_lives(sim, stop->activation, k[1].position);

	assert_int_equal(r->by_command, k[1].segment != k->segment && k->tick == 0 && !s->moves);
	if (r->by_command)
		return;
	assert_int_equal(r->inside, !whole);
	assert_int_equal(r->in_caller, whole && ended && (stop->kind == MACHINE_RETURN ||
							  stop->kind == MACHINE_EXCEPTION));
}

static unsigned log2_up(uint64_t n)
{
	unsigned log = 0;

	while ((UINT64_C(1) << log) < n)
		log++;
	return log;
}

/* more: where the start is no other than now, and marks are looked at. */
static void check_cost(const struct sim *sim, const struct watch_result *r, unsigned more)
{
	uint64_t ticks = (sim_now(sim) - sim->segments[0].from) / 8 + 1;

	assert_int_equal(r->evaluations, sim->evals);
	assert_true(r->evaluations <= 2 * log2_up(ticks) + log2_up(sim->n_segments) + 12 + more);
}

static void check_way(struct sim *sim, struct reverse_target *target, const struct place *k)
{
	struct machine_stop stop;
	struct err err = { 0 };

	sim->ran = 0;
	if (reverse_go(&sim->machine, target, &stop, &err) < 0)
		fail_msg("reverse_go: %s", err.what);
	seen.from_mark += sim->ran < target->tick;
	assert_int_equal(sim->position, k->position);
	if (k->position % 8 == 0)
		assert_int_equal(sim_walk(sim, sim->segments[target->segment].from, &target->steps), k->position);
	assert_int_equal(target->tick == 0, target->steps.n == 0);
}

static void check(struct sim *sim, const struct places *p, uint32_t depth, bool global, bool last)
{
	int frame = sim_frame(sim, sim_now(sim), depth);
	int now = truth(sim, &p->all[p->n - 1], frame, global);
	struct watch_options options = { .last = last };
	struct watch_result r;
	struct err err = { 0 };
	size_t latest = p->n, k;
	int rc;

	for (size_t i = 0; i + 1 < p->n; i++)
		if (truth(sim, &p->all[i], frame, global) != now && truth(sim, &p->all[i + 1], frame, global) == now)
			latest = i;
	sim->evals = 0;
	rc = watch_search(&sim->machine, global ? "g" : "x", depth, &options, &r, &err);
	assert_true(rc == 0 || sim->live_marks == 0);
	if (now == SIM_UNDEFINED) {
		assert_int_equal(rc, -1);
		assert_non_null(strstr(err.what, "NameError"));
		seen.undefined++;
		return;
	}
	if (rc < 0)
		fail_msg("reverse-watch: %s", err.what);
	if (r.outcome != WATCH_FOUND) {
		assert_int_equal(r.outcome, last ? WATCH_NEVER_CHANGED : WATCH_UNPROVEN);
		assert_int_equal(truth(sim, &p->all[0], frame, global), now);
		assert_true(!last || latest == p->n);
		last ? seen.never++ : seen.unproven++;
	} else {
		for (k = 0; k < p->n; k++)
			if (p->all[k].segment == r.target.segment && p->all[k].tick == r.target.tick)
				break;
		assert_true(k + 1 < p->n);
		assert_int_not_equal(truth(sim, &p->all[k], frame, global), now);
		assert_int_equal(truth(sim, &p->all[k + 1], frame, global), now);
		assert_int_equal(told(&r.before), truth(sim, &p->all[k], frame, global));
		assert_true(!last || k == latest);
		assert_true(!r.latest || k == latest || sim->observer == SIM_MISLEADS);
		assert_true(!last || r.latest);
		check_guilty(sim, &r, &p->all[k]);
		check_way(sim, &r.target, &p->all[k]);
		seen.found++;
		seen.by_command += r.by_command;
		seen.in_caller += r.in_caller;
		seen.inside += r.inside;
		seen.latest += r.latest;
		seen.observed += r.target.marked;
		seen.unborn += r.before.kind == MACHINE_UNBORN;
	}
	assert_int_equal(told(&r.after), now);
	if (!last)
		check_cost(sim, &r, truth(sim, &p->all[0], frame, global) == now ? WATCH_AT_MARKS + 18 : 0);
	/* Each place once; and now, the last run's end, and the proof; and what a look that was wrong led to. */
	assert_true(r.evaluations <= p->n + 3 + (sim->observer == SIM_MISLEADS ? 2 : 0));
	watch_result_free(&r);
	assert_int_equal(sim->live_marks, 0);
}

static void check_program(uint64_t seed)
{
	struct sim sim;
	struct places p;

	if (seed % 5)
		sim_small_limits(seed);
	else
		sim_usual_limits();
	sim_init(&sim, seed, 20 + seed % 300);
	sim.observer = seed / 5 % 4;
	p = places_of(&sim);
	for (uint32_t d = sim_depth(&sim, sim_now(&sim)); d > 0; d--) {
		int frame = sim_frame(&sim, sim_now(&sim), d);

		/* When a frame without stops began cannot be known exactly. */
		if (frame < 0 || sim.activations[frame].untraced)
			continue;
		for (int global = 0; global < 2; global++) {
			check(&sim, &p, d, global, false);
			/* --last believes that nothing changed where nothing was seen to. */
			if (seed % 8 == 0 && sim.observer != SIM_MISLEADS)
				check(&sim, &p, d, global, true);
		}
	}
	free(p.all);
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
	if (one)
		return;
	assert_true(seen.found > 10000 && seen.unproven > 1000 && seen.never > 100 && seen.undefined > 1000);
	assert_true(seen.by_command > 100 && seen.in_caller > 100 && seen.inside > 100 && seen.unborn > 100);
	assert_true(seen.latest > 1000 && seen.observed > 1000 && seen.from_mark > 1000);
}

static int tell_seed(void **state)
{
	if (seed_at_work)
		print_error("replay with FRED_SEED=%" PRIu64 "\n", seed_at_work);
	seed_at_work = 0;
	return 0;
}

static void every_failure(void **state)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct sim sim;

		sim_small_limits(seed);
		sim_init(&sim, seed, 150);
		sim.observer = seed / 2 % 4;
		for (unsigned n = 1; ; n++) {
			struct watch_options options = { .last = seed % 2 };
			struct watch_result r;
			struct err err = { 0 };
			int rc;

			sim.ops = 0;
			sim.fail_at = n;
			sim.cancel = n % 2;
			rc = watch_search(&sim.machine, "g", 1, &options, &r, &err);
			if (rc == 0)
				watch_result_free(&r);
			assert_int_equal(sim.live_marks, 0);
			if (sim.ops < n)
				break;
			assert_int_equal(rc, -1);
			assert_int_equal(err.sys, sim.cancel ? ECANCELED : EIO);
		}
		sim_free(&sim);
	}
	sim_usual_limits();
}

/* An error that says so, or a result that is right of the program as it ran the first time. */
static void divergence(void **state)
{
	unsigned refused = 0;

	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct sim sim;

		if (seed % 3)
			sim_small_limits(seed);
		else
			sim_usual_limits();
		sim_init(&sim, seed, 60);
		for (int segment = 0; segment < (int)sim.n_segments; segment++) {
			struct watch_options options = { .last = segment % 2 };
			struct watch_result good, bad;
			struct err err = { 0 };

			sim.diverges = -1;
			if (watch_search(&sim.machine, "g", 1, &options, &good, &err) < 0)
				continue;
			sim.diverges = segment;
			if (watch_search(&sim.machine, "g", 1, &options, &bad, &err) < 0) {
				assert_non_null(strstr(err.what, "did not run the same way again"));
				refused++;
			} else {
				assert_int_equal(bad.outcome, good.outcome);
				assert_int_equal(bad.target.segment, good.target.segment);
				assert_int_equal(bad.target.tick, good.target.tick);
				watch_result_free(&bad);
			}
			watch_result_free(&good);
			assert_int_equal(sim.live_marks, 0);
		}
		sim_free(&sim);
	}
	sim_usual_limits();
	assert_true(refused > 300);
}

/* The last evaluation is the proof that the statement found gives the present value: when it does not, no result. */
static void verified(void **state)
{
	unsigned refused = 0;

	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct watch_options options = { .last = seed % 2 };
		struct watch_result r;
		struct err err = { 0 };
		struct sim sim;

		sim_init(&sim, seed, 60);
		if (watch_search(&sim.machine, "g", 1, &options, &r, &err) == 0) {
			sim.lies_at = sim.evals;
			sim.evals = 0;
			watch_result_free(&r);
			if (r.outcome == WATCH_FOUND && !r.by_command) {
				assert_int_equal(watch_search(&sim.machine, "g", 1, &options, &r, &err), -1);
				assert_non_null(strstr(err.what, "did not run the same way again"));
				assert_int_equal(sim.live_marks, 0);
				refused++;
			}
		}
		sim_free(&sim);
	}
	assert_true(refused > 50);
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
	options.last = true;
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

static void no_frame(void **state)
{
	struct watch_result r;
	struct err err = { 0 };
	struct sim sim;

	sim_init(&sim, 3, 100);
	assert_int_equal(watch_search(&sim.machine, "g", 99, NULL, &r, &err), -1);
	assert_int_equal(watch_search(&sim.machine, "g", 0, NULL, &r, &err), -1);
	sim_free(&sim);
	sim_init_empty(&sim);
	assert_int_equal(watch_search(&sim.machine, "g", 1, NULL, &r, &err), -1);
	sim_free(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(random_programs, tell_seed),
		cmocka_unit_test(every_failure),
		cmocka_unit_test(divergence),
		cmocka_unit_test(verified),
		cmocka_unit_test(one_run),
		cmocka_unit_test(many_segments),
		cmocka_unit_test(a_million_ticks),
		cmocka_unit_test(no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
