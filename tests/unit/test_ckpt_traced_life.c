/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions of gdb that end, that are left and come back, that cannot be copied. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/gdb_help.h"

static void start_threads(struct t_session *t)
{
	g_start(t, "threads");
	g_do(t, "break add_up");
	g_expect(t, "add_up (n=1)", "run");
}

/* Snapshots of several positions, in any order, and the positions that were left. */
static void any_order(void **state)
{
	struct ckpt_snapshot *n[4], *left[4];
	static const int order[] = {2, 0, 3, 1};
	struct t_session t;

	start_threads(&t);
	for (int i = 0; i < 4; i++) {
		n[i] = t_snapshot(&t);
		g_do(&t, "continue");
	}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 4; i++) {
			int k = order[i];
			left[i] = t_restore_keep(&t, n[k]);
			g_expect(&t, "= ", "print n");
			char want[40];
			snprintf(want, sizeof want, "$%d = %d", 2, k + 1);
			g_expect(&t, want, "print n");
			/* What was left, and what is left now: redo. */
			struct ckpt_snapshot *here = t_restore_keep(&t, left[i]);
			ckpt_drop(left[i]);
			t_restore(&t, here);
			ckpt_drop(here);
			snprintf(want, sizeof want, "$%d = %d", 3, k + 1);
			g_expect(&t, want, "print n");
			snprintf(want, sizeof want, "add_up (n=%d)", k + 2);
			g_expect(&t, want, "continue");
		}
	for (int i = 0; i < 4; i++)
		ckpt_drop(n[i]);
	g_do(&t, "delete");
	g_expect(&t, "total=355", "continue");
	g_end(&t);
}

static void redo(void **state)
{
	struct ckpt_snapshot *n, *left;
	struct t_session t;

	start_threads(&t);
	g_expect(&t, "atchpoint", "watch total");
	n = t_snapshot(&t);
	g_expect(&t, "New value = 1", "continue");
	g_expect(&t, "= 1", "print total");
	for (int i = 0; i < 3; i++) {
		left = t_restore_keep(&t, n);
		g_expect(&t, "$1 = 0", "print total");
		t_restore(&t, left);
		g_expect(&t, "= 1", "print total");
		ckpt_drop(left);
	}
	/* Dropped while it is the present. */
	ckpt_drop(n);
	g_expect(&t, "add_up (n=2)", "continue");
	g_expect(&t, "New value = 3", "continue");
	g_expect(&t, "Thread 0x", "info threads");
	g_do(&t, "delete");
	g_expect(&t, "total=355", "continue");
	g_end(&t);
}

static void ends(void **state)
{
	struct ckpt_snapshot *n, *gone;
	struct t_session t;
	int status;

	start_threads(&t);
	n = t_snapshot(&t);
	g_do(&t, "delete");
	g_expect(&t, "exited normally", "continue");
	gone = t_restore_keep(&t, n);
	g_expect(&t, "add_up (n=2)", "continue");
	t_restore(&t, gone);
	g_expect(&t, "No threads", "info threads");
	t_restore(&t, n);
	g_do(&t, "kill");
	t_restore(&t, n);
	g_do(&t, "detach");
	t_restore(&t, n);
	g_type(&t, "quit\n");
	while (!ckpt_ended(t.s, &status)) {
		struct pollfd pfd = {.fd = ckpt_event_fd(t.s), .events = POLLIN};
		poll(&pfd, 1, -1);
	}
	t_restore(&t, n);
	g_until(&t, "");
	g_expect(&t, "add_up (n=2)", "continue");
	ckpt_drop(n);
	ckpt_drop(gone);
	t_end(&t);
}

/* The program is killed from outside, and gdb; a snapshot is none the worse. */
static void killed(void **state)
{
	struct ckpt_snapshot *n;
	struct t_session t;
	int status;

	start_threads(&t);
	n = t_snapshot(&t);
	g_expect(&t, "", "shell kill -9 $(pgrep -P $PPID -f traced)");
	g_do(&t, "continue");
	t_restore(&t, n);
	g_expect(&t, "add_up (n=2)", "continue");
	kill(ckpt_leader(t.s), SIGKILL);
	while (!ckpt_ended(t.s, &status)) {
		struct pollfd pfd = {.fd = ckpt_event_fd(t.s), .events = POLLIN};
		poll(&pfd, 1, -1);
	}
	t_restore(&t, n);
	g_expect(&t, "add_up (n=2)", "continue");
	ckpt_drop(n);
	g_end(&t);
}

static void refused(struct t_session *t, const char *why)
{
	struct ckpt_snapshot *n;

	assert_int_equal(ckpt_snapshot(t->s, &n, &t->err), -1);
	if (!strstr(t->err.what, why))
		fail_msg("%s: not in: %s", why, t->err.what);
}

static void running(void **state)
{
	struct t_session t;

	g_start(&t, "threads");
	g_do(&t, "set non-stop on");
	g_do(&t, "break stop_here");
	g_type(&t, "run\n");
	g_until(&t, "hit Breakpoint 1");
	g_until(&t, "(gdb) ");
	refused(&t, "runs");
	g_expect(&t, "stop_here", "bt");
	g_do(&t, "interrupt -a");
	t_end(&t);
}

/* A child of vfork() shares its parent's memory, and its parent waits for it. */
static void shared(void **state)
{
	struct t_session t;

	g_start(&t, "share");
	g_do(&t, "catch vfork");
	g_expect(&t, "vforked", "run");
	refused(&t, "vfork");
	g_do(&t, "delete");
	g_do(&t, "set follow-fork-mode child");
	g_do(&t, "break after_fork");
	g_expect(&t, "after_fork", "continue");
	refused(&t, "vfork");
	g_expect(&t, "exited with code 03", "continue");
	t_end(&t);
}

static void filtered(void **state)
{
	struct t_session t;

	g_start(&t, "filter");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	refused(&t, "seccomp");
	g_expect(&t, "filtered", "continue");
	t_end(&t);
}

static void without_namespaces(void **state)
{
	struct ckpt_snapshot *n;
	struct t_session t;

	g_start_with(&t, "count", NULL, CKPT_ISOLATION_NONE);
	n = t_snapshot(&t);
	g_do(&t, "break add_up");
	g_do(&t, "run");
	refused(&t, "namespaces");
	g_expect(&t, "add_up (n=2)", "continue");
	t_restore(&t, n);
	g_expect(&t, "Breakpoint 1", "break add_up");
	ckpt_drop(n);
	g_end(&t);
}

static void user_body(void **state)
{
	struct ckpt_snapshot *n, *left;
	struct t_session t;

	g_start_with(&t, "threads", NULL, CKPT_ISOLATION_USER);
	g_do(&t, "break add_up");
	g_expect(&t, "add_up (n=1)", "run");
	n = t_snapshot(&t);
	g_expect(&t, "add_up (n=2)", "continue");
	left = t_restore_keep(&t, n);
	g_expect(&t, "add_up (n=2)", "continue");
	t_restore(&t, left);
	g_expect(&t, "add_up (n=3)", "continue");
	ckpt_drop(left);
	ckpt_drop(n);
	g_do(&t, "delete");
	g_expect(&t, "total=355", "continue");
	g_end(&t);
}

static void ordinary_user(void **state)
{
	assert_int_equal(t_as_nobody(user_body), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order), cmocka_unit_test(redo), cmocka_unit_test(ends), cmocka_unit_test(killed),
		cmocka_unit_test(running), cmocka_unit_test(shared), cmocka_unit_test(filtered), cmocka_unit_test(without_namespaces), cmocka_unit_test(ordinary_user),
	};

	cmocka_set_test_filter(getenv("CMOCKA_FILTER"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
