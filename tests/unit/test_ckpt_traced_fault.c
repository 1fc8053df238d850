/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A failure at each step of a snapshot and of a restore of gdb with its program.  No test here may run in this very process:
 * faults are read from the environment once. */
#include <stdlib.h>

#include "tests/unit/gdb_help.h"

static void start_threads(struct t_session *t)
{
	g_start(t, "threads");
	g_do(t, "break add_up");
	g_expect(t, "add_up (n=1)", "run");
}

static void refused(struct t_session *t)
{
	struct ckpt_snapshot *n;

	assert_int_equal(ckpt_snapshot(t->s, &n, &t->err), -1);
}

/* The second snapshot fails; gdb and the program do not notice, and the third works. */
static void snapshot_fails(void **state)
{
	struct ckpt_snapshot *n;
	struct t_session t;

	start_threads(&t);
	g_do(&t, "watch total");
	ckpt_drop(t_snapshot(&t));
	refused(&t);
	g_expect(&t, "n=1", "frame");
	n = t_snapshot(&t);
	g_expect(&t, "New value = 1", "continue");
	t_restore(&t, n);
	g_expect(&t, "New value = 1", "continue");
	g_expect(&t, "add_up (n=2)", "continue");
	g_end(&t);
}

/* The first restore fails, with or without a process left, and the next one works. */
static void restore_fails(void **state)
{
	struct ckpt_snapshot *n, *later = NULL;
	struct t_session t;

	start_threads(&t);
	g_do(&t, "watch total");
	n = t_snapshot(&t);
	g_expect(&t, "New value = 1", "continue");
	assert_int_equal(ckpt_restore(t.s, n, &later, &t.err), -1);
	if (ckpt_leader(t.s))
		assert_null(later);
	else
		t_restore(&t, later);
	g_expect(&t, "$1 = 1", "print total");
	t_restore(&t, n);
	g_expect(&t, "$1 = 0", "print total");
	g_expect(&t, "New value = 1", "continue");
	g_end(&t);
}

/* Our code cannot be put into gdb: every call is stepped, one by one. */
static void works(void **state)
{
	struct ckpt_snapshot *n, *later;
	struct t_session t;

	start_threads(&t);
	g_do(&t, "watch total");
	n = t_snapshot(&t);
	g_expect(&t, "New value = 1", "continue");
	later = t_restore_keep(&t, n);
	g_expect(&t, "New value = 1", "continue");
	t_restore(&t, later);
	g_expect(&t, "add_up (n=2)", "continue");
	g_end(&t);
}

static void without_code(void **state)
{
	t_with_fault(works, "ckpt-code", 0);
}

/* gdb or its program is killed in the middle: an error or not, but everything returns. */
static void killed(void **state)
{
	struct ckpt_snapshot *n, *later = NULL;
	struct t_session t;

	start_threads(&t);
	if (ckpt_snapshot(t.s, &n, &t.err) == 0 &&
	    (ckpt_restore(t.s, n, &later, &t.err) == 0 || ckpt_restore(t.s, n, NULL, &t.err) == 0)) {
		g_expect(&t, "$1 = 0", "print total");
		g_expect(&t, "add_up (n=2)", "continue");
	}
	t_end(&t);
}

struct step {
	const char *name;
	int nth;
};

static void snapshots(void **state)
{
	/* Twice in each snapshot: for the program and for gdb. */
	static const struct step steps[] = {
		{"ckpt-traced-clone", 2}, {"ckpt-traced-code", 2}, {"ckpt-traced-thread", 7}, {"ckpt-timers", 3},
		{"ckpt-timers", 4}, {"ckpt-record", 2}, {"ckpt-clone", 2}, {"ckpt-twin", 3}, {"ckpt-twin", 4},
	};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		t_with_fault(snapshot_fails, steps[i].name, steps[i].nth);
		t_with_fault(restore_fails, steps[i].name, steps[i].nth);
	}
}

static void restores(void **state)
{
	static const struct step steps[] = {
		{"ckpt-restore-clone", 1}, {"ckpt-restore-clone", 2}, {"ckpt-restore-thread", 1}, {"ckpt-restore-thread", 5},
		{"ckpt-signals", 1}, {"ckpt-restore-timers", 1}, {"ckpt-restore-timers", 2}, {"ckpt-traced-park", 1},
		{"ckpt-traced-adopt", 1}, {"ckpt-traced-window", 1}, {"ckpt-let-go", 1},
	};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		t_with_fault(restore_fails, steps[i].name, steps[i].nth);
}

static void kills(void **state)
{
	for (int nth = 1; nth <= 300; nth += 13)
		t_with_fault(killed, "ckpt-kill", nth);
}

/* ... and the program with all its threads while one of them works for us. */
static void kills_program(void **state)
{
	for (int nth = 1; nth <= 40; nth++)
		t_with_fault(killed, "ckpt-traced-kill", nth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshots), cmocka_unit_test(restores), cmocka_unit_test(kills), cmocka_unit_test(kills_program),
		cmocka_unit_test(without_code),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests_name("ckpt: faults with a traced program", tests, NULL, NULL);
}
