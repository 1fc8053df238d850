/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real gdb with its program: everything that gdb can see is as it was. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/gdb_help.h"

static void breakpoint(void **state)
{
	static const char *const look[] = {"info breakpoints", "bt", "info registers", "print total", "info threads", NULL};
	struct t_session t;

	g_start(&t, "count", CKPT_ISOLATION_AUTO);
	g_do(&t, "break add");
	g_expect(&t, "Breakpoint 1, add (n=1)", "run");
	struct ckpt_snapshot *n = t_snapshot(&t);
	char *before = g_look(&t, look);
	g_expect(&t, "add (n=2)", "continue");
	for (int i = 0; i < 2; i++) {
		t_restore(&t, n);
		char *after = g_look(&t, look);
		assert_string_equal(before, after);
		free(after);
		g_expect(&t, "add (n=2)", "continue");
		g_expect(&t, "= 8", "print twice(4)");
	}
	free(before);
	ckpt_drop(n);
	t_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(breakpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
