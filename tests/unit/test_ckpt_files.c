/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regular files go back: position, flags, and what the program wrote. */
#include "tests/unit/ckpt_help.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct t_session t;
static char path[64];

static int begin(void **state)
{
	snprintf(path, sizeof path, "/tmp/fred-test-XXXXXX");
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, "0123456789", 10) != 10)
		return -1;
	close(fd);
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	return 0;
}

static int end(void **state)
{
	t_end(&t);
	unlink(path);
	return 0;
}

static void offset(void **state)
{
	t_expect(&t, "0", "open r %s", path);
	t_expect(&t, "4", "seek 4");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "7", "seek 7");
	t_restore(&t, n);
	t_expect(&t, "4:0123456789", "file");
}

/* Restored to any of them in any order, the file is as it was. */
static void content(void **state)
{
	t_expect(&t, "0", "open r %s", path);
	struct ckpt_snapshot *fresh = t_snapshot(&t);
	t_expect(&t, "3", "write abc");
	struct ckpt_snapshot *overwritten = t_snapshot(&t);
	t_expect(&t, "10", "seek 10");
	t_expect(&t, "3", "write xyz");
	struct ckpt_snapshot *appended = t_snapshot(&t);
	t_expect(&t, "0", "truncate 2");
	struct ckpt_snapshot *cut = t_snapshot(&t);
	t_expect(&t, "0", "truncate 0");
	for (int i = 0; i < 2; i++) {
		t_restore(&t, appended);
		t_expect(&t, "13:abc3456789xyz", "file");
		t_restore(&t, fresh);
		t_expect(&t, "0:0123456789", "file");
		t_restore(&t, cut);
		t_expect(&t, "13:ab", "file");
		t_restore(&t, overwritten);
		t_expect(&t, "3:abc3456789", "file");
	}
}

/* A change of the same size within the tick of the file system's clock. */
static void content_of_the_same_instant(void **state)
{
	struct ckpt_snapshot *n[10];
	char text[32];

	t_expect(&t, "0", "open r %s", path);
	for (int i = 0; i < 10; i++) {
		t_expect(&t, "0", "seek 0");
		t_expect(&t, "1", "write %c", 'a' + i);
		n[i] = t_snapshot(&t);
	}
	for (int i = 9; i >= 0; i--) {
		t_restore(&t, n[i]);
		snprintf(text, sizeof text, "1:%c123456789", 'a' + i);
		t_expect(&t, text, "file");
	}
}

static void append(void **state)
{
	t_expect(&t, "0", "open a %s", path);
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "3", "write xyz");
	struct ckpt_snapshot *later = t_restore_keep(&t, n);
	t_expect(&t, "0:0123456789", "file");
	t_restore(&t, later);
	t_expect(&t, "13:0123456789xyz", "file");
	t_expect(&t, "append", "file-flags");
	t_expect(&t, "0", "no-append");
	t_restore(&t, n);
	t_expect(&t, "append", "file-flags");
	t_expect(&t, "1", "write !");
	t_expect(&t, "11:0123456789!", "file");
}

static void write_only(void **state)
{
	t_expect(&t, "0", "open w %s", path);
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "3", "write abc");
	t_restore(&t, n);
	t_expect(&t, "0:0123456789", "file");
}

static void too_large(void **state)
{
	t_expect(&t, "0", "open r %s", path);
	t_expect(&t, "0", "truncate 9000000");
	t_expect(&t, "4", "seek 4");
	struct ckpt_snapshot *n = t_snapshot(&t);
	ckpt_drop(t_snapshot(&t));
	assert_non_null(strstr(t.warnings, "is larger than 8 MB"));
	assert_null(strstr(strstr(t.warnings, "is larger") + 1, "is larger"));  /* said once */
	t_expect(&t, "7", "seek 7");
	t_restore(&t, n);
	assert_memory_equal(t_ask(&t, "file"), "4:", 2);
}

int main(void)
{
#define FILES(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		FILES(offset), FILES(content), FILES(content_of_the_same_instant), FILES(append), FILES(write_only),
		FILES(too_large),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return t_run_both("ckpt: files", tests);
}
