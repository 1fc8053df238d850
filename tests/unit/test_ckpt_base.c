/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots that stand on the twin of an earlier one: that they do, and that what differs from the twin is not lost. */
#include "tests/unit/gdb_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct t_session t;

static int begin(void **state)
{
	struct err err;

	if (ckpt_base_probe(&err) < 0)
		print_message("[  SKIPPED ] %s\n", err.what);
	else
		t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	return 0;
}

static int end(void **state)
{
	if (t.s)
		t_end(&t);
	return 0;
}

static bool stands(const struct ckpt_snapshot *n)
{
	struct ckpt_info info;

	ckpt_info(n, &info);
	return info.stands;
}

#define NEEDS_BASE() do { if (!t.s) skip(); } while (0)

static void memory(void **state)
{
	NEEDS_BASE();
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *first = t_snapshot(&t);
	t_expect(&t, "2", "add");
	struct ckpt_snapshot *second = t_snapshot(&t);
	assert_false(stands(first));
	assert_true(stands(second));
	t_expect(&t, "3", "add");
	struct ckpt_snapshot *third = t_snapshot(&t);
	ckpt_tidy(t.s);
	t_expect(&t, "4", "add");
	t_restore(&t, second);
	t_expect(&t, "3", "add");
	t_restore(&t, third);
	t_expect(&t, "4", "add");
	t_restore(&t, first);
	t_expect(&t, "2", "add");
}

/* The twin lives as long as one stands on it. */
static void dropped_first(void **state)
{
	NEEDS_BASE();
	struct ckpt_snapshot *first = t_snapshot(&t);
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *second = t_snapshot(&t);
	t_expect(&t, "2", "add");
	ckpt_drop(first);
	t_restore(&t, second);
	t_expect(&t, "2", "add");
	/* The restored one was copied from that twin, too. */
	struct ckpt_snapshot *third = t_snapshot(&t);
	assert_true(stands(third));
	t_expect(&t, "3", "add");
	ckpt_drop(second);
	t_restore(&t, third);
	t_expect(&t, "3", "add");
	ckpt_drop(third);
	assert_false(stands(t_snapshot(&t)));
}

static void on_the_present_that_was_kept(void **state)
{
	NEEDS_BASE();
	struct ckpt_snapshot *first = t_snapshot(&t);
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *kept = t_restore_keep(&t, first);
	t_expect(&t, "1", "add");
	t_restore(&t, kept);
	t_expect(&t, "2", "add");
	struct ckpt_snapshot *n = t_snapshot(&t);
	assert_true(stands(n));
	t_expect(&t, "0", "signal-stack");
	t_expect(&t, "3", "add");
	t_restore(&t, n);
	t_expect(&t, "3", "add");
}

/* As large as the memory that a snapshot may keep beside a twin, and larger. */
static void much_is_written(void **state)
{
	NEEDS_BASE();
	t_expect(&t, "made", "big 16");
	t_snapshot(&t);
	t_expect(&t, "written", "rewrite 50");
	struct ckpt_snapshot *little = t_snapshot(&t);
	assert_true(stands(little));
	t_expect(&t, "written", "rewrite 1");
	struct ckpt_snapshot *much = t_snapshot(&t);
	assert_false(stands(much));
	char before[64];
	strcpy(before, t_ask(&t, "check"));
	t_restore(&t, little);
	assert_string_not_equal(t_ask(&t, "check"), before);
	t_restore(&t, much);
	t_expect(&t, before, "check");
}

static void threads(void **state)
{
	NEEDS_BASE();
	t_expect(&t, "started", "threads 2");
	t_snapshot(&t);
	t_expect(&t, "1", "@1 add");
	struct ckpt_snapshot *n = t_snapshot(&t);
	assert_true(stands(n));
	t_expect(&t, "2", "@1 add");
	t_expect(&t, "1", "@2 add");
	t_restore(&t, n);
	t_expect(&t, "2", "@1 add");
	t_expect(&t, "1", "@2 add");
}

/* Pages that have changed places, or were given back, where the map looks as before. */
static void pages(void **state)
{
	NEEDS_BASE();
	t_expect(&t, "1 2 3 4", "pages");
	struct ckpt_snapshot *first = t_snapshot(&t);
	t_expect(&t, "2 1 3 4", "swap-pages");
	t_expect(&t, "0", "give-back-page");
	struct ckpt_snapshot *n = t_snapshot(&t);
	assert_true(stands(n));
	t_expect(&t, "7", "write-page 7");
	t_restore(&t, n);
	t_expect(&t, "2 1 0 4", "pages");
	t_restore(&t, first);
	t_expect(&t, "1 2 3 4", "pages");
}

static void a_new_mapping(void **state)
{
	NEEDS_BASE();
	struct ckpt_snapshot *first = t_snapshot(&t);
	t_expect(&t, "made", "big 1");
	struct ckpt_snapshot *n = t_snapshot(&t);
	assert_false(stands(n));
	t_expect(&t, "written", "rewrite 2");
	t_restore(&t, n);
	t_expect(&t, "0 changed", "check");
	t_expect(&t, "1", "add");
	t_restore(&t, first);
	t_expect(&t, "1", "add");
}

/* One that cannot be written, as it could while it was. */
static void protected_page(void **state)
{
	NEEDS_BASE();
	t_expect(&t, "1 2 3 4", "pages");
	t_expect(&t, "1 2 3 5", "write-protected 5");
	struct ckpt_snapshot *first = t_snapshot(&t);
	t_expect(&t, "1 2 3 6", "write-protected 6");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "1 2 3 7", "write-protected 7");
	t_restore(&t, n);
	t_expect(&t, "1 2 3 6", "pages");
	t_restore(&t, first);
	t_expect(&t, "1 2 3 5", "pages");
}

/* What is handed down by fork() has changed since the twin was made: it does not come from there. */
static void settings(void **state)
{
	static const struct { const char *name; int first, then, last; } each[] = {
		{"handler", 1, 2, 0}, {"handler", 0, 1, 2}, {"nocldwait", 0, 1, 0}, {"limit", 300, 200, 250}, {"nice", 1, 2, 3},
		{"slack", 60000, 70000, 80000}, {"dumpable", 1, 0, 1}, {"huge", 0, 1, 0}, {"persona", 0, 0x0040000, 0},
		{"device", 0, 1, 2}, {"cloexec", 0, 1, 0}, {"oom", 1, 2, 3}, {"heap", 16, 32, 48},
	};

	NEEDS_BASE();
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		char answer[3][16];
		snprintf(answer[0], sizeof answer[0], "%s", t_ask(&t, "set %s %d", each[i].name, each[i].first));
		struct ckpt_snapshot *first = t_snapshot(&t);
		snprintf(answer[1], sizeof answer[1], "%s", t_ask(&t, "set %s %d", each[i].name, each[i].then));
		struct ckpt_snapshot *n = t_snapshot(&t);
		snprintf(answer[2], sizeof answer[2], "%s", t_ask(&t, "set %s %d", each[i].name, each[i].last));
		if (!strcmp(answer[0], answer[1]) || !strcmp(answer[1], answer[2]))
			fail_msg("%s does not change", each[i].name);
		t_restore(&t, n);
		t_expect(&t, answer[1], "get %s", each[i].name);
		if (stands(n))
			fail_msg("%s has changed, and nobody saw it", each[i].name);
		t_restore(&t, first);
		t_expect(&t, answer[0], "get %s", each[i].name);
	}
}

static void working_directory(void **state)
{
	NEEDS_BASE();
	t_expect(&t, "0", "chdir /");
	t_ask(&t, "umask 22");
	t_snapshot(&t);
	t_expect(&t, "0", "chdir /tmp");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_ask(&t, "umask 77");
	struct ckpt_snapshot *masked = t_snapshot(&t);
	t_expect(&t, "0", "chdir /usr");
	t_expect(&t, "77", "umask 11");
	t_restore(&t, n);
	t_expect(&t, "/tmp", "cwd");
	t_expect(&t, "22", "umask 22");
	t_restore(&t, masked);
	t_expect(&t, "/tmp", "cwd");
	t_expect(&t, "77", "umask 77");
}

/* All that the process and its twin are asked goes in batches, however it fills them. */
static void any_number_of_files(void **state)
{
	NEEDS_BASE();
	for (int i = 0; i < 50; i++) {
		t_expect(&t, "0", "open r /dev/null");
		t_snapshot(&t);
		assert_true(stands(t_snapshot(&t)));
	}
}

/* What is read again and again and does not change is left to a new twin some day. */
static void long_row(void **state)
{
	unsigned own = 0;

	NEEDS_BASE();
	t_expect(&t, "made", "big 16");
	t_snapshot(&t);
	t_expect(&t, "written", "rewrite 20");
	for (int i = 1; i <= 60; i++) {
		char count[16];
		snprintf(count, sizeof count, "%d", i);
		t_expect(&t, count, "add");
		struct ckpt_snapshot *n = t_snapshot(&t);
		ckpt_tidy(t.s);
		own += !stands(n);
	}
	assert_in_range(own, 1, 5);
	t_expect(&t, "61", "add");
}

/* The debugger stands on its own twin, the program that it traces has one for each snapshot. */
static void a_debugger(void **state)
{
	struct t_session g;
	struct err err;

	if (ckpt_base_probe(&err) < 0)
		skip();
	g_start(&g, "count");
	g_do(&g, "break stop_here");
	g_do(&g, "run");
	t_snapshot(&g);
	g_expect(&g, "$1 = 5", "print 5");
	struct ckpt_snapshot *five = t_snapshot(&g);
	g_expect(&g, "$2 = 6", "print 6");
	struct ckpt_snapshot *six = t_snapshot(&g);
	assert_true(stands(five) && stands(six));
	g_do(&g, "finish");
	g_do(&g, "next");
	t_restore(&g, five);
	g_expect(&g, "$2 = 7", "print 7");
	t_restore(&g, six);
	g_expect(&g, "$3 = 8", "print 8");
	g_expect(&g, "stop_here", "where");
	g_expect(&g, "Run till exit", "finish");
	g_end(&g);
}

static void cannot_be_written(void **state)
{
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	struct ckpt_snapshot *first = t_snapshot(&t);
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *second = t_snapshot(&t);
	assert_int_equal(ckpt_restore(t.s, second, NULL, &t.err), -1);
	assert_int_equal(ckpt_leader(t.s), 0);
	t_restore(&t, first);
	t_expect(&t, "1", "add");
	t_restore(&t, second);
	t_expect(&t, "2", "add");
	t_end(&t);
}

static void restore_fails(void **state)
{
	struct err err;

	if (ckpt_base_probe(&err) < 0)
		skip();
	t_with_fault(cannot_be_written, "ckpt-pages", 1);
}

/* Who is not shown page frames has a twin for each snapshot. */
static void as_nobody(void **state)
{
	struct ckpt_snapshot *n;
	struct err err;

	if (ckpt_probe(CKPT_ISOLATION_USER, &err) < 0)
		return;
	assert_int_equal(ckpt_base_probe(&err), -1);
	assert_non_null(strstr(err.what, "CAP_SYS_ADMIN"));
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_snapshot(&t);
	t_expect(&t, "1", "add");
	n = t_snapshot(&t);
	assert_false(stands(n));
	t_expect(&t, "2", "add");
	t_restore(&t, n);
	t_expect(&t, "2", "add");
	t_end(&t);
}

static void ordinary_user(void **state)
{
	assert_int_equal(t_as_nobody(as_nobody), 0);
}

int main(void)
{
#define BASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_user), cmocka_unit_test(restore_fails), BASE(memory), BASE(dropped_first),
		BASE(on_the_present_that_was_kept), BASE(much_is_written), BASE(a_new_mapping),
		BASE(threads), BASE(pages), BASE(protected_page), BASE(settings), BASE(working_directory), BASE(any_number_of_files),
		BASE(long_row),
		cmocka_unit_test(a_debugger),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests_name("ckpt: snapshots on another's twin", tests, NULL, NULL);
}
