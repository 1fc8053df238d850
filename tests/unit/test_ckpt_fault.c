/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A failure at each step of a snapshot and of a restore: the program runs on, or another restore works. */
#include "tests/unit/ckpt_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The second snapshot fails; the program does not notice, and the third works. */
static void snapshot_fails(void **state)
{
	struct t_session t;
	struct ckpt_snapshot *n = NULL;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "1", "add");
	ckpt_drop(t_snapshot(&t));
	t_expect(&t, "2", "add");
	assert_int_equal(ckpt_snapshot(t.s, &n, &t.err), -1);
	assert_memory_equal(t.err.what, "snapshot: ", 10);
	assert_null(n);
	t_expect(&t, "3", "add");
	n = t_snapshot(&t);
	t_expect(&t, "4", "add");
	t_restore(&t, n);
	t_expect(&t, "4", "add");
	t_end(&t);
}

/* A copy that could not be moved away takes a while to die, and is in the group of the original until then. */
static void restore_after_failed_snapshot(void **state)
{
	struct t_session t;
	struct ckpt_snapshot *n, *second = NULL;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "made", "big 512");
	n = t_snapshot(&t);
	t_expect(&t, "1", "add");
	assert_int_equal(ckpt_snapshot(t.s, &second, &t.err), -1);
	t_restore(&t, n);
	t_expect(&t, "1", "add");
	t_end(&t);
}

/* The first restore fails, with or without a process left, and the next one works. */
static void restore_fails(void **state)
{
	struct t_session t;
	struct ckpt_snapshot *later = NULL;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "started", "threads 2");
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "2", "add");
	t_expect(&t, "1", "@2 add");
	assert_int_equal(ckpt_restore(t.s, n, &later, &t.err), -1);
	assert_memory_equal(t.err.what, "restore: ", 9);
	if (ckpt_leader(t.s)) {
		assert_null(later);
		t_expect(&t, "3", "add");
		t_expect(&t, "2", "@2 add");
	} else {
		int status;
		assert_false(ckpt_ended(t.s, &status));         /* it was us */
		t_restore(&t, later);
		t_expect(&t, "3", "add");
		t_expect(&t, "2", "@2 add");
	}
	t_restore(&t, n);
	t_expect(&t, "2", "add");
	t_expect(&t, "1", "@2 add");
	t_end(&t);
}

/* A process is killed from outside in the middle: an error or not, but everything returns, and what was kept comes back.
 * With threads, the first of which the kernel reports only after all others. */
static void killed(void **state)
{
	struct t_session t;
	struct ckpt_snapshot *n, *second = NULL, *later = NULL;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "started", "threads 2");
	t_expect(&t, "1", "add");
	if (ckpt_snapshot(t.s, &n, &t.err) < 0) {
		t_end(&t);
		return;
	}
	t_expect(&t, "2", "add");
	(void)!ckpt_snapshot(t.s, &second, &t.err);
	if (ckpt_restore(t.s, n, &later, &t.err) < 0 && ckpt_restore(t.s, n, NULL, &t.err) < 0) {
		/* It was the twin. */
		t_end(&t);
		return;
	}
	t_expect(&t, "2", "add");
	t_expect(&t, "1", "@2 add");
	t_end(&t);
}

/* Our code cannot be put into the process: every call is stepped, one by one. */
static void works(void **state)
{
	struct ckpt_snapshot *n, *later;
	struct t_session t;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "started", "threads 2");
	t_expect(&t, "1", "add");
	n = t_snapshot(&t);
	t_expect(&t, "2", "add");
	t_expect(&t, "1", "@2 add");
	later = t_restore_keep(&t, n);
	t_expect(&t, "2", "add");
	t_restore(&t, later);
	t_expect(&t, "3", "add");
	t_expect(&t, "2", "@2 add");
	t_end(&t);
}

static void without_code(void **state)
{
	t_with_fault(works, "ckpt-code", 0);
}

static void snapshots(void **state)
{
	static const char *const steps[] = {
		"ckpt-freeze", "ckpt-thread", "ckpt-record", "ckpt-timers", "ckpt-terminal", "ckpt-files", "ckpt-clone",
		"ckpt-twin", "no-ptrace",
	};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		char name[64];
		if (strcmp(steps[i], "ckpt-clone") && strcmp(steps[i], "ckpt-twin"))
			t_with_fault(snapshot_fails, steps[i], 2);
		snprintf(name, sizeof name, "ckpt-base,%s", steps[i]);
		t_with_fault(snapshot_fails, name, 2);
	}
	t_with_fault(restore_after_failed_snapshot, "ckpt-base,ckpt-twin", 2);
}

static void restores(void **state)
{
	static const char *const freezing[] = {
		"ckpt-freeze", "ckpt-record", "ckpt-timers", "ckpt-terminal", "ckpt-files", "ckpt-clone", "ckpt-twin",
	}, *const rebuilding[] = {
		"ckpt-restore-clone", "ckpt-restore-thread", "ckpt-signals", "ckpt-restore-files",
		"ckpt-restore-terminal", "ckpt-restore-timers", "ckpt-let-go",
	};

	for (size_t i = 0; i < sizeof freezing / sizeof *freezing; i++)
		t_with_fault(restore_fails, freezing[i], 2);
	t_with_fault(restore_fails, "ckpt-thread", 5);          /* of three threads, the second one at the second freeze */
	t_with_fault(restore_fails, "no-ptrace", 5);
	for (size_t i = 0; i < sizeof rebuilding / sizeof *rebuilding; i++)
		t_with_fault(restore_fails, rebuilding[i], 1);
	t_with_fault(restore_fails, "ckpt-restore-thread", 2);
	t_with_fault(restore_fails, "ckpt-signals", 3);
}

static void kills(void **state)
{
	for (int nth = 1; nth <= 120; nth += 3)
		t_with_fault(killed, nth % 2 ? "ckpt-kill" : "ckpt-base,ckpt-kill", nth);
}

static void no_ptrace(void **state)
{
	struct t_session t;
	struct ckpt_snapshot *n;

	setenv("FRED_FAULT", "no-ptrace", 1);
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	assert_int_equal(ckpt_snapshot(t.s, &n, &t.err), -1);
	assert_non_null(strstr(t.err.what, "/proc/sys/kernel/yama/ptrace_scope"));
	t_expect(&t, "1", "add");
	t_end(&t);
}

static void no_namespaces(void **state)
{
	struct t_session t;

	setenv("FRED_FAULT", "no-root-namespaces,no-user-namespaces", 1);
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	assert_int_equal(ckpt_isolation(t.s), CKPT_ISOLATION_NONE);
	t_end(&t);
}

/* The disk is full: the snapshot succeeds, with a line that says what does not go back. */
static void no_room_for_a_copy(void **state)
{
	struct t_session t;
	char path[] = "/tmp/fred-test-XXXXXX";

	setenv("FRED_FAULT", "file-copy", 1);
	close(mkstemp(path));
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "0", "open r %s", path);
	t_expect(&t, "3", "write abc");
	struct ckpt_snapshot *n = t_snapshot(&t);
	assert_non_null(strstr(t.warnings, "No space left on device"));
	assert_non_null(strstr(t.warnings, "set TMPDIR"));
	t_expect(&t, "3", "write def");
	t_restore(&t, n);
	t_expect(&t, "3:abcdef", "file");
	t_end(&t);
	remove(path);
}

static void alone(CMUnitTestFunction body)
{
	int status;
	pid_t pid = t_fork(body);

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void ptrace_refused(void **state) { alone(no_ptrace); }
static void namespaces_refused(void **state) { alone(no_namespaces); }
static void disk_full(void **state) { alone(no_room_for_a_copy); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshots), cmocka_unit_test(restores), cmocka_unit_test(kills), cmocka_unit_test(without_code),
		cmocka_unit_test(ptrace_refused),
		cmocka_unit_test(namespaces_refused), cmocka_unit_test(disk_full),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests_name("ckpt: faults", tests, NULL, NULL);
}
