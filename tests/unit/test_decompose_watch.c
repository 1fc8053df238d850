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
	unsigned firsts, firsts_observed, firsts_anywhere, late, counted, counted_many;
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

static size_t place_of(const struct places *p, const struct reverse_target *target)
{
	for (size_t k = 0; k < p->n; k++)
		if (p->all[k].segment == target->segment && p->all[k].tick == target->tick)
			return k;
	fail_msg("segment %d has no statement %" PRIu64, target->segment, target->tick);
	return 0;
}

static bool has_value(int value) { return value != UNBORN && value != SIM_UNDEFINED; }

/* The first place with a value; *change: the last one up to which it is always that, p->n: it is so for ever. */
static size_t first_truth(const struct sim *sim, const struct places *p, int frame, bool global, size_t *change)
{
	size_t base = 0;

	while (!has_value(truth(sim, &p->all[base], frame, global)))
		base++;
	*change = base;
	while (*change + 1 < p->n && truth(sim, &p->all[*change + 1], frame, global) ==
				     truth(sim, &p->all[base], frame, global))
		++*change;
	*change = *change + 1 == p->n ? p->n : *change;
	return base;
}

/* What is said of how often it changed: nothing, or the truth. */
static void check_count(const struct sim *sim, const struct places *p, int frame, bool global, const struct watch_result *r)
{
	size_t change, base = first_truth(sim, p, frame, global, &change);
	uint64_t changes = 0;

	if (!r->counted || sim->observer == SIM_MISLEADS)
		return;
	for (size_t k = base; k + 1 < p->n; k++)
		changes += truth(sim, &p->all[k], frame, global) != truth(sim, &p->all[k + 1], frame, global);
	assert_int_equal(r->changes, changes);
	assert_int_equal(r->late, base > 0);
	seen.counted++;
	seen.counted_many += changes > 1;
}

/* In a frame, or in whatever frame there is, which for the outermost is the same. */
static void check_first(struct sim *sim, const struct places *p, uint32_t depth, bool global, bool anywhere)
{
	struct watch_options options = { .which = WATCH_FIRST, .anywhere = anywhere };
	int frame = sim_frame(sim, sim_now(sim), depth);
	struct watch_result r;
	struct err err = { 0 };
	size_t k, change, base;

	sim->evals = 0;
	if (watch_search(&sim->machine, global ? "g" : "x", depth, &options, &r, &err) < 0) {
		assert_int_equal(truth(sim, &p->all[p->n - 1], frame, global), SIM_UNDEFINED);
		assert_non_null(strstr(err.what, "NameError"));
		assert_int_equal(sim->live_marks, 0);
		return;
	}
	base = first_truth(sim, p, frame, global, &change);
	assert_int_equal(r.late, base > 0);
	assert_int_equal(r.outcome, change < p->n ? WATCH_FOUND : WATCH_NEVER_CHANGED);
	assert_int_equal(r.evaluations, sim->evals);
	assert_true(r.evaluations <= (change < p->n ? change + 2 : p->n) + 3 + sim->n_segments);
	if (r.outcome == WATCH_FOUND) {
		k = place_of(p, &r.target);
		assert_int_equal(k, change);
		assert_int_equal(told(&r.before), truth(sim, &p->all[k], frame, global));
		assert_int_equal(told(&r.after), truth(sim, &p->all[k + 1], frame, global));
		check_guilty(sim, &r, &p->all[k]);
		check_way(sim, &r.target, &p->all[k]);
		seen.firsts++;
		seen.firsts_observed += r.evaluations < 10 && k > 20;
		seen.firsts_anywhere += anywhere;
		seen.late += r.late;
	}
	check_count(sim, p, frame, global, &r);
	watch_result_free(&r);
	assert_int_equal(sim->live_marks, 0);
}

static void check(struct sim *sim, const struct places *p, uint32_t depth, bool global, bool last)
{
	int frame = sim_frame(sim, sim_now(sim), depth);
	int now = truth(sim, &p->all[p->n - 1], frame, global);
	struct watch_options options = { .which = last ? WATCH_LAST : WATCH_ANY };
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
		bool never = r.outcome == WATCH_NEVER_CHANGED;
		assert_true(never || (!last && r.outcome == WATCH_UNPROVEN));
		assert_int_equal(truth(sim, &p->all[0], frame, global), now);
		assert_true(!never || latest == p->n || sim->observer == SIM_MISLEADS);
		never ? seen.never++ : seen.unproven++;
	} else {
		k = place_of(p, &r.target);
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
	check_count(sim, p, frame, global, &r);
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
	if (seed / 20 % 2)
		sim.machine.leap = NULL;        /* then a search by halves observes, too */
	p = places_of(&sim);
	for (uint32_t d = sim_depth(&sim, sim_now(&sim)); d > 0; d--) {
		int frame = sim_frame(&sim, sim_now(&sim), d);

		/* When a frame without stops began cannot be known exactly. */
		if (frame < 0 || sim.activations[frame].untraced)
			continue;
		for (int global = 0; global < 2; global++) {
			check(&sim, &p, d, global, false);
			/* Both believe that nothing changed where nothing was seen to. */
			if (sim.observer == SIM_MISLEADS)
				continue;
			if (seed % 8 == 0)
				check(&sim, &p, d, global, true);
			if (seed % 2)
				check_first(&sim, &p, d, global, global && d == 1 && seed % 4 == 1);
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
	assert_true(seen.firsts > 5000 && seen.firsts_observed > 500 && seen.firsts_anywhere > 500 && seen.late > 1000);
	assert_true(seen.counted > 3000 && seen.counted_many > 300);
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
			struct watch_options options = { .which = seed % 3, .anywhere = seed % 5 < 2 };
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
			struct watch_options options = { .which = segment % 3, .anywhere = seed % 2 };
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
		struct watch_options options = { .which = seed % 3 };
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
		cmocka_unit_test(no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
