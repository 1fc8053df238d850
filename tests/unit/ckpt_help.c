/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/ckpt_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <grp.h>

#include "base/fd.h"

#define TALK_FD 100     /* the tracee finds its end there */

static void warn(void *ctx, const char *line)
{
	struct t_session *t = ctx;
	size_t n = strlen(t->warnings);

	snprintf(t->warnings + n, sizeof t->warnings - n, "%s\n", line);
}

int t_try(struct t_session *t, char *const *argv, enum ckpt_isolation isolation)
{
	int pair[2], keep = TALK_FD;

	alarm(T_LIMIT);
	*t = (struct t_session){.master = -1};
	if (openpty(&t->master, &t->slave, NULL, NULL, NULL) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fail_msg("pty or socketpair: %s", strerror(errno));
	fcntl(t->master, F_SETFD, FD_CLOEXEC);
	fcntl(t->slave, F_SETFD, FD_CLOEXEC);
	t->talk = pair[0];
	if (dup3(pair[1], TALK_FD, O_CLOEXEC) < 0)
		fail_msg("dup3: %s", strerror(errno));
	close(pair[1]);
	struct ckpt_spawn how = {
		.argv = argv, .tty = t->slave, .stderr_fd = 2, .keep = &keep, .n_keep = 1,
		.isolation = isolation, .warn = warn, .warn_ctx = t,
	};
	int r = ckpt_spawn(&t->s, &how, &t->err);
	close(TALK_FD);
	return r;
}

void t_start_argv(struct t_session *t, char *const *argv, enum ckpt_isolation isolation)
{
	if (t_try(t, argv, isolation) < 0)
		fail_msg("%s", t->err.what);
}

void t_start(struct t_session *t, const char *role, enum ckpt_isolation isolation)
{
	char *argv[] = {"/proc/self/exe", "--tracee", (char *)role, NULL};

	t_start_argv(t, argv, isolation);
	assert_string_equal(t_receive(t), "ready");
}

void t_end(struct t_session *t)
{
	ckpt_session_free(t->s);
	close(t->master);
	close(t->slave);
	close(t->talk);
}

static void send_line(struct t_session *t, const char *fmt, va_list ap)
{
	char line[1024];
	int n = vsnprintf(line, sizeof line, fmt, ap);

	if (send(t->talk, line, (size_t)n, MSG_NOSIGNAL) != n)
		fail_msg("send %s: %s", line, strerror(errno));
}

void t_send(struct t_session *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	send_line(t, fmt, ap);
	va_end(ap);
}

const char *t_receive(struct t_session *t)
{
	static char line[1024];
	ssize_t n;

	while ((n = recv(t->talk, line, sizeof line - 1, 0)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		fail_msg("the tracee is silent: %s", n ? strerror(errno) : "end of file");
	line[n] = 0;
	return line;
}

const char *t_ask(struct t_session *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	send_line(t, fmt, ap);
	va_end(ap);
	return t_receive(t);
}

void t_expect(struct t_session *t, const char *answer, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	send_line(t, fmt, ap);
	va_end(ap);
	assert_string_equal(t_receive(t), answer);
}

bool t_based;

bool t_stand_on_others(void)
{
	struct err err;

	t_based = ckpt_base_probe(&err) == 0;
	if (!t_based)
		print_message("not on another's twin: %s\n", err.what);
	return t_based;
}

static struct ckpt_snapshot *snapshot(struct t_session *t)
{
	struct ckpt_snapshot *n = NULL;

	if (ckpt_snapshot(t->s, &n, &t->err) < 0)
		fail_msg("%s", t->err.what);
	return n;
}

struct ckpt_snapshot *t_snapshot(struct t_session *t)
{
	struct ckpt_info info;
	struct ckpt_snapshot *n = snapshot(t);

	if (!t_based || ckpt_isolation(t->s) == CKPT_ISOLATION_NONE)
		return n;
	ckpt_info(n, &info);
	if (info.stands)
		return n;
	n = snapshot(t);
	ckpt_info(n, &info);
	assert_true(info.stands);
	return n;
}

void t_restore(struct t_session *t, struct ckpt_snapshot *n)
{
	if (ckpt_restore(t->s, n, NULL, &t->err) < 0)
		fail_msg("%s", t->err.what);
}

struct ckpt_snapshot *t_restore_keep(struct t_session *t, struct ckpt_snapshot *n)
{
	struct ckpt_snapshot *abandoned = NULL;

	if (ckpt_restore(t->s, n, &abandoned, &t->err) < 0)
		fail_msg("%s", t->err.what);
	return abandoned;
}

/* Threads are numbered in the order of their making. */
static pid_t thread_of(struct t_session *t, int k)
{
	char path[64];
	pid_t tids[64];
	int n = 0;

	snprintf(path, sizeof path, "/proc/%d/task", ckpt_leader(t->s));
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && n < 64 && (e = readdir(dir));)
		if (e->d_name[0] != '.')
			tids[n++] = atoi(e->d_name);
	if (dir)
		closedir(dir);
	if (k >= n)
		fail_msg("there is no thread %d", k);
	return tids[k];
}

void t_wait_in_syscall(struct t_session *t, int k, long nr)
{
	char path[64];
	long in;

	snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", ckpt_leader(t->s), thread_of(t, k));
	/* There is no event for "asleep in a call"; yielding until the kernel says so hides no race. */
	for (;;) {
		char *text = fd_slurp(path, NULL);
		if (text && sscanf(text, "%ld", &in) == 1 && (in == nr || in == SYS_restart_syscall)) {
			free(text);
			return;
		}
		if (!text)
			fail_msg("%s: %s", path, strerror(errno));
		free(text);
		sched_yield();
	}
}

void t_start_or_skip(struct t_session *t, enum ckpt_isolation isolation)
{
	struct err err;

	if (ckpt_probe(isolation, &err) < 0) {
		print_message("[  SKIPPED ] here this cannot run: %s\n", err.what);
		skip();
	}
	t_start(t, "serve", isolation);
}

/* A failed check jumps to the runner: the child needs one of its own. */
static _Noreturn void run_alone(CMUnitTestFunction body)
{
	const struct CMUnitTest tests[] = {{.name = "in a child process", .test_func = body}};

	cmocka_set_test_filter(NULL);
	_exit(cmocka_run_group_tests(tests, NULL, NULL));
}

pid_t t_fork(CMUnitTestFunction body)
{
	pid_t pid = fork();

	if (pid == 0)
		run_alone(body);
	return pid;
}

static char fault_name[64];
static CMUnitTestFunction faulty;

static void with_fault(void **state)
{
	setenv("FRED_FAULT", fault_name, 1);
	faulty(state);
}

void t_with_fault(CMUnitTestFunction body, const char *name, int nth)
{
	int status;

	snprintf(fault_name, sizeof fault_name, "%s:%d", name, nth);
	faulty = body;
	pid_t pid = t_fork(with_fault);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("with FRED_FAULT=%s", fault_name);
}

int t_as_nobody(CMUnitTestFunction body)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setgid(65534) < 0 || setuid(65534) < 0))
			_exit(2);
		/* A process that changed its user cannot write its own uid_map otherwise. */
		prctl(PR_SET_DUMPABLE, 1);
		run_alone(body);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}
