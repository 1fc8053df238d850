/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a session: how it starts, ends, is killed; the three isolations; size; thousands of rounds. */
#include "tests/unit/ckpt_help.h"

#include <dirent.h>
#include <errno.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

static void cannot_run(void **state)
{
	struct t_session t;
	char *argv[] = {"/nonexistent/debugger", NULL};

	assert_int_equal(t_try(&t, argv, CKPT_ISOLATION_AUTO), -1);
	assert_string_equal(t.err.what, "cannot run /nonexistent/debugger: No such file or directory");
	assert_int_equal(t.err.sys, ENOENT);
	argv[0] = "/etc/passwd";
	assert_int_equal(t_try(&t, argv, CKPT_ISOLATION_NONE), -1);
	assert_string_equal(t.err.what, "cannot run /etc/passwd: Permission denied");
}

static int wait_end(struct t_session *t)
{
	int status = -1;

	while (!ckpt_ended(t->s, &status)) {
		struct pollfd pfd = {.fd = ckpt_event_fd(t->s), .events = POLLIN};
		poll(&pfd, 1, -1);
	}
	return status;
}

static void ends(void **state)
{
	struct t_session t;
	struct ckpt_snapshot *none;
	int status;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	assert_false(ckpt_ended(t.s, &status));
	t_expect(&t, "1", "add");
	struct ckpt_snapshot *n = t_snapshot(&t);
	for (int i = 0; i < 3; i++) {
		t_send(&t, "exit 7");
		status = wait_end(&t);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 7);
		assert_int_equal(ckpt_leader(t.s), 0);
		assert_int_equal(ckpt_snapshot(t.s, &none, &t.err), -1);
		assert_null(t_restore_keep(&t, n));
		assert_false(ckpt_ended(t.s, &status));
		t_expect(&t, "2", "add");
	}
	t_send(&t, "kill 9");
	status = wait_end(&t);
	assert_true(WIFSIGNALED(status));
	t_restore(&t, n);
	t_expect(&t, "2", "add");
	t_end(&t);
}

/* The leader ends, and nobody asked before the restore. */
static void ends_unseen(void **state)
{
	struct t_session t;
	int status;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	struct ckpt_snapshot *n = t_snapshot(&t);
	for (int i = 0; i < 50; i++) {
		t_send(&t, "exit 7");
		t_restore(&t, n);
		/* Whether the command was obeyed before the restore or not: the present is the snapshot's. */
		if (ckpt_ended(t.s, &status))
			assert_int_equal(WEXITSTATUS(status), 7);       /* it read the command after the restore */
		else
			assert_true(ckpt_leader(t.s) > 0);
	}
	t_end(&t);
}

static void children_are_warned_of(void **state)
{
	struct t_session t;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	ckpt_drop(t_snapshot(&t));
	assert_string_equal(t.warnings, "");
	t_ask(&t, "child");
	ckpt_drop(t_snapshot(&t));
	assert_non_null(strstr(t.warnings, "child processes"));
	t_end(&t);
}

/* ---- the isolations ---- */

static void works(struct t_session *t, enum ckpt_isolation got)
{
	assert_int_equal(ckpt_isolation(t->s), got);
	t_expect(t, "started", "threads 2");
	t_expect(t, "1", "@1 add");
	struct ckpt_snapshot *n = t_snapshot(t);
	char child[16] = "";
	for (int i = 0; i < 3; i++) {
		t_expect(t, "2", "@1 add");
		const char *number = t_ask(t, "child");
		if (child[0] && got != CKPT_ISOLATION_NONE)
			assert_string_equal(number, child);     /* what the program starts again has the number that it had */
		snprintf(child, sizeof child, "%s", number);
		ckpt_drop(t_restore_keep(t, n));
	}
	t_send(t, "@1 end");
	t_expect(t, "0", "join 1");
	t_end(t);
}

static void isolation_root(void **state)
{
	struct t_session t;

	t_start_or_skip(&t, CKPT_ISOLATION_ROOT);
	works(&t, CKPT_ISOLATION_ROOT);
}

static void isolation_user(void **state)
{
	struct t_session t;

	t_start_or_skip(&t, CKPT_ISOLATION_USER);
	works(&t, CKPT_ISOLATION_USER);
}

static void isolation_none(void **state)
{
	struct t_session t;

	t_start_or_skip(&t, CKPT_ISOLATION_NONE);
	works(&t, CKPT_ISOLATION_NONE);
}

static enum ckpt_isolation nobodys;

static void body_nobody(void **state)
{
	struct t_session t;
	struct err err;

	if (ckpt_probe(nobodys, &err) < 0) {
		print_message("[  SKIPPED ] an ordinary user cannot do this here: %s\n", err.what);
		_exit(77);
	}
	t_start(&t, "serve", nobodys);
	works(&t, nobodys);
}

static void as_nobody(enum ckpt_isolation isolation)
{
	nobodys = isolation;
	int status = t_as_nobody(body_nobody);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void ordinary_user(void **state) { as_nobody(CKPT_ISOLATION_USER); }
static void ordinary_user_none(void **state) { as_nobody(CKPT_ISOLATION_NONE); }

static void body_nobody_auto(void **state)
{
	struct t_session t;
	struct err err;

	if (ckpt_probe(CKPT_ISOLATION_USER, &err) < 0)
		_exit(77);
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	works(&t, CKPT_ISOLATION_USER);
}

static void ordinary_user_auto(void **state)
{
	int status = t_as_nobody(body_nobody_auto);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* ---- killed ---- */

/* Not from /proc/PID/task/TID/children, which misses some while others are reaped. */
static size_t children_of(pid_t pid, pid_t *list, size_t max)
{
	DIR *dir = opendir("/proc");
	size_t n = 0;

	for (struct dirent *e; (e = readdir(dir));) {
		char path[300];
		int parent;
		snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
		char *text = atoi(e->d_name) > 0 ? fd_slurp(path, NULL) : NULL, *name_end = text ? strrchr(text, ')') : NULL;
		if (name_end && n < max && sscanf(name_end + 1, " %*c %d", &parent) == 1 && parent == pid)
			list[n++] = atoi(e->d_name);
		free(text);
	}
	closedir(dir);
	return n;
}

static enum ckpt_isolation killed_isolation;
static int killed_ready[2];

static void session_to_kill(void **state)
{
	struct t_session t;

	t_start(&t, "serve", killed_isolation);
	t_ask(&t, "child");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_snapshot(&t);
	t_restore_keep(&t, n);          /* which ends the first child */
	t_ask(&t, "child");
	t_ask(&t, "child");
	assert_int_equal(write(killed_ready[1], "x", 1), 1);
	pause();
}

/* fredapp is killed with -9: every process of the session is gone, twins and the program's children included. */
static void killed(enum ckpt_isolation isolation)
{
	int fds[64];
	pid_t all[64];
	size_t n;
	char c;

	killed_isolation = isolation;
	assert_int_equal(pipe(killed_ready), 0);
	pid_t app = t_fork(session_to_kill);
	close(killed_ready[1]);
	assert_int_equal(read(killed_ready[0], &c, 1), 1);
	close(killed_ready[0]);
	n = children_of(app, all, 8);
	assert_int_equal(n, 1);
	for (size_t i = 0; i < n && n < 48; i++)
		n += children_of(all[i], all + n, 64 - n);
	assert_true(n >= 6);            /* init, leader, the twins of three snapshots, which may be two, two children */
	for (size_t i = 0; i < n; i++)
		fds[i] = (int)syscall(SYS_pidfd_open, all[i], 0);
	kill(app, SIGKILL);
	for (size_t i = 0; i < n; i++) {
		struct pollfd pfd = {.fd = fds[i], .events = POLLIN};
		assert_int_equal(poll(&pfd, 1, 20000), 1);
		close(fds[i]);
	}
	waitpid(app, NULL, 0);
}

static void killed_in_namespaces(void **state)
{
	struct err err;

	if (ckpt_probe(CKPT_ISOLATION_ROOT, &err) < 0 && ckpt_probe(CKPT_ISOLATION_USER, &err) < 0) {
		print_message("[  SKIPPED ] no namespaces here: %s\n", err.what);
		skip();
	}
	killed(CKPT_ISOLATION_AUTO);
}

static void killed_without_namespaces(void **state)
{
	killed(CKPT_ISOLATION_NONE);
}

/* ---- size and number ---- */

static void a_gigabyte(void **state)
{
	struct t_session t;
	struct ckpt_info info;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "made", "big 1024");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "written", "rewrite 10");
	t_expect(&t, "26215 changed", "check");
	ckpt_info(n, &info);
	assert_in_range(info.private_bytes, 100u << 20, 140u << 20);
	struct ckpt_snapshot *later = t_restore_keep(&t, n);
	t_expect(&t, "0 changed", "check");
	t_restore(&t, later);
	t_expect(&t, "26215 changed", "check");
	t_end(&t);
}

static size_t count_fds(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void no_growth(void **state)
{
	struct t_session t;
	pid_t list[64], init;
	size_t fds = 0, processes = 0;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_expect(&t, "started", "threads 2");
	assert_int_equal(children_of(getpid(), &init, 1), 1);
	struct ckpt_snapshot *first = t_snapshot(&t);
	for (int i = 0; i < 300; i++) {
		struct ckpt_snapshot *n = t_snapshot(&t);
		t_expect(&t, "1", "add");
		struct ckpt_snapshot *later = t_restore_keep(&t, n);
		t_expect(&t, "1", "add");
		t_restore(&t, first);
		ckpt_drop(n);
		ckpt_drop(later);
		if (i == 10) {
			fds = count_fds();
			processes = children_of(init, list, 64);
		}
	}
	assert_int_equal(count_fds(), fds);
	/* Dropped ones die on their own time: at most those of the last rounds. */
	assert_in_range(children_of(init, list, 64), 2, processes + 4);
	ckpt_drop(first);
	t_end(&t);
}

/* ---- a real program ---- */

static void python_with_numpy(void **state)
{
	static char *argv[] = {"/usr/bin/python3", "-c",
		"import socket, sys\n"
		"s = socket.socket(fileno=100)\n"
		"import numpy\n"
		"a = numpy.arange(100000.0).reshape(100, 1000)\n"
		"s.send(b'ready')\n"
		"while True:\n"
		"    line = s.recv(1000).decode()\n"
		"    if not line: break\n"
		"    try: s.send(str(eval(line)).encode())\n"
		"    except SyntaxError: exec(line); s.send(b'done')\n", NULL};
	struct t_session t;

	if (system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
		print_message("[  SKIPPED ] python3-numpy is not installed (apt-get install python3-numpy)\n");
		skip();
	}
	t_start_argv(&t, argv, CKPT_ISOLATION_AUTO);
	assert_string_equal(t_receive(&t), "ready");
	t_expect(&t, "4999950000.0", "float(a.sum())");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "done", "a *= 2");
	t_expect(&t, "9999900000.0", "float(a.sum())");
	struct ckpt_snapshot *doubled = t_restore_keep(&t, n);
	t_expect(&t, "4999950000.0", "float(a.sum())");
	/* BLAS has threads of its own, which have to be there again. */
	t_expect(&t, "True", "bool(abs((a @ a.T).trace() - (a * a).sum()) < 1e3)");
	t_restore(&t, doubled);
	t_expect(&t, "9999900000.0", "float(a.sum())");
	t_expect(&t, "True", "bool(abs((a @ a.T).trace() - (a * a).sum()) < 1e3)");
	t_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cannot_run), cmocka_unit_test(ends), cmocka_unit_test(ends_unseen),
		cmocka_unit_test(children_are_warned_of), cmocka_unit_test(isolation_root),
		cmocka_unit_test(isolation_user), cmocka_unit_test(isolation_none), cmocka_unit_test(ordinary_user),
		cmocka_unit_test(ordinary_user_none), cmocka_unit_test(ordinary_user_auto),
		cmocka_unit_test(killed_in_namespaces), cmocka_unit_test(killed_without_namespaces),
		cmocka_unit_test(a_gigabyte), cmocka_unit_test(no_growth), cmocka_unit_test(python_with_numpy),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return cmocka_run_group_tests_name("ckpt: life", tests, NULL, NULL);
}
