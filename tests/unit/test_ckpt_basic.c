/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spawn, snapshot, restore in any order, drop. */
#include "tests/unit/ckpt_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void snapshot_and_restore(void **state)
{
	struct t_session t;
	char pid[32];

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	snprintf(pid, sizeof pid, "%s", t_ask(&t, "pid"));
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *one = t_snapshot(&t);
	t_expect(&t, "2", "add");
	struct ckpt_snapshot *two = t_snapshot(&t);
	t_expect(&t, "3", "add");
	t_restore(&t, one);
	t_expect(&t, "2", "add");
	t_restore(&t, two);
	t_expect(&t, "3", "add");
	t_restore(&t, one);
	t_expect(&t, "2", "add");
	if (ckpt_isolation(t.s) != CKPT_ISOLATION_NONE)
		t_expect(&t, pid, "pid");
	ckpt_drop(one);
	t_restore(&t, two);
	t_expect(&t, "3", "add");
	t_end(&t);
}

static void abandoned_is_a_snapshot(void **state)
{
	struct t_session t;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	struct ckpt_snapshot *zero = t_snapshot(&t);
	t_expect(&t, "1", "add");
	t_expect(&t, "2", "add");
	struct ckpt_snapshot *two = t_restore_keep(&t, zero);
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *one = t_restore_keep(&t, two);
	t_expect(&t, "3", "add");
	t_restore(&t, one);
	t_expect(&t, "2", "add");
	t_restore(&t, two);
	t_expect(&t, "3", "add");
	t_restore(&t, zero);
	t_expect(&t, "1", "add");
	t_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot_and_restore),
		cmocka_unit_test(abandoned_is_a_snapshot),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests_name("ckpt: basics", tests, NULL, NULL);
}
