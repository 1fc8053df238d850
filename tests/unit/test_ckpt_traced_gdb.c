/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real gdb with its program: everything that gdb can see is as it was. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/gdb_help.h"

/* What every test compares; `print $_` would show the value history's number as well. */
static const char *const everything[] = {
	"info breakpoints", "info display", "thread apply all bt", "info registers", "info all-registers", "print total",
	"info threads", "info inferiors", "print $_siginfo", "info signals SIGUSR1", "info line", "frame", "show convenience", NULL,
};

/* Takes a snapshot; goes on by `onward`, which ends with `arrival`; goes back; three times.  All that gdb shows must be the
 * same each time, before and (if it is certain) after. */
static void out_and_back(struct t_session *t, const char *onward, const char *arrival, int certain)
{
	struct ckpt_snapshot *n = t_snapshot(t);
	char *before = g_look(t, everything), *after = NULL;

	t_restore(t, n);
	for (int i = 0; i < 3; i++) {
		char *now = g_look(t, everything);
		assert_string_equal(before, now);
		free(now);
		g_expect(t, arrival, "%s", onward);
		if (certain) {
			now = g_look(t, everything);
			if (after)
				assert_string_equal(after, now);
			free(after);
			after = now;
		}
		t_restore(t, n);
	}
	free(before);
	free(after);
	ckpt_drop(n);
}

static void there_and_back(struct t_session *t, const char *onward, const char *arrival)
{
	out_and_back(t, onward, arrival, 1);
}

/* Other threads run as they like, and new processes have other numbers. */
static void elsewhere_and_back(struct t_session *t, const char *onward, const char *arrival)
{
	out_and_back(t, onward, arrival, 0);
}

static void breakpoint(void **state)
{
	struct t_session t;

	g_start(&t, "count");
	g_do(&t, "break add_up");
	g_expect(&t, "Breakpoint 1, add_up (n=1)", "run");
	there_and_back(&t, "continue", "add_up (n=2)");
	there_and_back(&t, "next", "return total");
	there_and_back(&t, "stepi", "");
	there_and_back(&t, "print twice(21)", "= 42");
	there_and_back(&t, "finish", "Value returned is $");
	there_and_back(&t, "kill", "killed");
	elsewhere_and_back(&t, "run", "add_up (n=1)");
	g_do(&t, "delete");
	there_and_back(&t, "continue", "total=55");
	g_expect(&t, "total=55", "continue");
	g_end(&t);
}

static void watchpoint(void **state)
{
	struct t_session t;

	g_start(&t, "count");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	g_expect(&t, "atchpoint 2: total", "watch total");
	there_and_back(&t, "continue", "New value = 1");
	g_do(&t, "display total");
	g_expect(&t, "New value = 1", "continue");
	there_and_back(&t, "continue", "New value = 3");
	g_expect(&t, "New value = 3", "continue");
	g_do(&t, "set can-use-hw-watchpoints 0");
	g_do(&t, "watch total if total > 5");
	there_and_back(&t, "continue", "New value = 6");
	g_end(&t);
	/* gdb leaves the debug registers and the breakpoints alone then, and counts on what is there. */
	g_start(&t, "count");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	g_do(&t, "set breakpoint always-inserted on");
	g_do(&t, "watch total");
	g_expect(&t, "New value = 1", "continue");
	there_and_back(&t, "continue", "New value = 3");
	g_expect(&t, "New value = 3", "continue");
	there_and_back(&t, "continue", "New value = 6");
	g_end(&t);
}

static void threads(void **state)
{
	struct t_session t;

	g_start(&t, "threads");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	g_expect(&t, "atchpoint 2: total", "watch total");
	elsewhere_and_back(&t, "continue", "New value = 1");
	g_expect(&t, "New value = 1", "continue");
	g_do(&t, "thread 3");
	elsewhere_and_back(&t, "next", "");
	g_do(&t, "delete");
	g_do(&t, "break worker_here");
	elsewhere_and_back(&t, "continue", "worker_here");
	g_do(&t, "delete");
	elsewhere_and_back(&t, "continue", "total=355");
	g_end(&t);
}

static void fault_stop(struct t_session *t, const char *how, const char *stop, const char *told)
{
	g_start_with(t, "fault", how, CKPT_ISOLATION_AUTO);
	g_expect(t, stop, "run");
	g_do(t, "break in_handler");
	there_and_back(t, "continue", told);
	there_and_back(t, "stepi", "on_fault");
	g_expect(t, told, "continue");
	there_and_back(t, "continue", "survived");
	g_end(t);
}

static void faults(void **state)
{
	struct t_session t;

	fault_stop(&t, "s", "SIGSEGV", "signal 11 code 1 address 0x123000 trap 14 error 6 cr2 0x123000 other stack");
	fault_stop(&t, "f", "SIGFPE", "signal 8 code 1");
}

static void handler(void **state)
{
	struct t_session t;

	g_start(&t, "handle");
	g_expect(&t, "received signal SIGUSR1", "run");
	g_do(&t, "break in_handler");
	there_and_back(&t, "continue", "in_handler (sig=10)");
	there_and_back(&t, "signal 0", "handled 0");
	g_expect(&t, "in_handler (sig=10)", "continue");
	there_and_back(&t, "continue", "handled 10");
	g_end(&t);
}

static void system_calls(void **state)
{
	struct t_session t;

	g_start(&t, "call");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	g_do(&t, "catch syscall getsid");
	g_expect(&t, "call to syscall getsid", "continue");
	there_and_back(&t, "continue", "returned from syscall getsid");
	there_and_back(&t, "stepi", "");
	g_expect(&t, "returned from syscall getsid", "continue");
	there_and_back(&t, "continue", "1\n\nCatchpoint 2 (call to syscall getsid)");
	g_do(&t, "delete");
	there_and_back(&t, "continue", "1\n1\n1\n1\n1\n");
	g_end(&t);
}

static void forks(void **state)
{
	struct t_session t;

	g_start(&t, "branch");
	g_do(&t, "catch fork");
	g_expect(&t, "forked process", "run");
	/* The child's new parent is the session's first process: its own no longer has it. */
	elsewhere_and_back(&t, "continue", "the child was lost");
	g_do(&t, "set detach-on-fork off");
	g_do(&t, "break after_fork");
	elsewhere_and_back(&t, "continue", "after_fork");
	g_expect(&t, "after_fork (child=0)", "continue");
	g_do(&t, "print total = 17");
	elsewhere_and_back(&t, "inferior 2", "");
	g_do(&t, "inferior 2");
	g_expect(&t, "= 0", "print total");
	elsewhere_and_back(&t, "continue", "after_fork (child=1)");
	g_end(&t);
}

/* Orphans come to the program: those of its own, and no copy of FReD's. */
static void orphans(void **state)
{
	struct t_session t;

	g_start(&t, "orphans");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	elsewhere_and_back(&t, "continue", "the orphan was taken in\nand no other");
	g_do(&t, "set detach-on-fork off");
	g_do(&t, "break after_fork");
	elsewhere_and_back(&t, "continue", "after_fork");
	g_expect(&t, "after_fork (child=0)", "continue");
	elsewhere_and_back(&t, "inferior 2", "");
	elsewhere_and_back(&t, "print total = 17", "17");
	t_end(&t);
}

/* Programs that change what they are. */
static void changes(void **state)
{
	struct t_session t;

	g_start(&t, "session");
	g_do(&t, "set follow-fork-mode child");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	elsewhere_and_back(&t, "continue", "session own");
	t_end(&t);
	g_start(&t, "change");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	g_do(&t, "catch exec");
	elsewhere_and_back(&t, "continue", "exec'd");
	g_expect(&t, "exec'd", "continue");
	elsewhere_and_back(&t, "continue", "Breakpoint 1, stop_here");
	g_do(&t, "delete");
	elsewhere_and_back(&t, "continue", "total=55");
	g_end(&t);
}

/* A group of which nobody is left cannot be made again: the program gets one of its own, and the user is told. */
static void member(void **state)
{
	struct t_session t;

	g_start(&t, "member");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	elsewhere_and_back(&t, "continue", "group own");
	assert_non_null(strstr(t.warnings, "process group"));
	t_end(&t);
}

/* Threads whose event gdb has kept for later, and others that it has sent a SIGSTOP which has not come yet. */
static void crowd(void **state)
{
	struct t_session t;

	g_start(&t, "crowd");
	g_do(&t, "break worker_here");
	g_do(&t, "run");
	for (int i = 0; i < 6; i++) {
		elsewhere_and_back(&t, "continue", "Breakpoint 1, worker_here");
		g_expect(&t, "Breakpoint 1, worker_here", "continue");
	}
	/* 4 threads, 50 times; 7 of them have been. */
	g_do(&t, "ignore 1 180");
	elsewhere_and_back(&t, "continue", "Breakpoint 1, worker_here");
	g_do(&t, "delete");
	elsewhere_and_back(&t, "continue", "all joined");
	g_end(&t);
}

/* In a system call that waits, interrupted by ^C; the program is in the terminal's foreground while it runs. */
static void reading(void **state)
{
	struct ckpt_snapshot *n;
	struct t_session t;

	g_start(&t, "ask");
	g_type(&t, "run\n");
	g_until(&t, "libthread_db.so.1\".\n");
	/* The breakpoint-less program says nothing before it reads; gdb has given it the terminal when it runs. */
	g_type(&t, "one\n");
	g_until(&t, "read one\n");
	g_type(&t, "\003");
	g_until(&t, "SIGINT");
	g_until(&t, "(gdb) ");
	n = t_snapshot(&t);
	for (int i = 0; i < 3; i++) {
		g_expect(&t, "read", "bt");
		g_type(&t, "continue\n");
		g_until(&t, "Continuing.\n");
		g_type(&t, "two\n");
		g_until(&t, "read two\n");
		if (i == 2)
			break;
		g_type(&t, "\003");
		g_until(&t, "(gdb) ");
		g_expect(&t, "= 2", "print total");
		t_restore(&t, n);
		g_expect(&t, "= 1", "print total");
	}
	g_type(&t, "\004");
	g_until(&t, "exited normally");
	g_until(&t, "(gdb) ");
	ckpt_drop(n);
	g_end(&t);
}

static void resources(void **state)
{
	char name[] = "/tmp/fred-test-XXXXXX";
	struct t_session t;

	close(mkstemp(name));
	g_start_with(&t, "file", name, CKPT_ISOLATION_AUTO);
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	g_do(&t, "continue");
	there_and_back(&t, "continue", "Breakpoint 1");
	g_do(&t, "delete");
	there_and_back(&t, "continue", "file abcde");
	g_end(&t);
	unlink(name);
	g_start(&t, "tick");
	g_do(&t, "break stop_here");
	g_do(&t, "run");
	there_and_back(&t, "continue", "left 1, pending");
	g_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breakpoint), cmocka_unit_test(watchpoint), cmocka_unit_test(threads), cmocka_unit_test(faults),
		cmocka_unit_test(handler), cmocka_unit_test(system_calls), cmocka_unit_test(forks), cmocka_unit_test(orphans), cmocka_unit_test(resources), cmocka_unit_test(crowd), cmocka_unit_test(changes),
		cmocka_unit_test(member),
		cmocka_unit_test(reading),
	};

	cmocka_set_test_filter(getenv("CMOCKA_FILTER"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
