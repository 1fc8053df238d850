/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions: start, watch and end them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ckpt/ckpt_priv.h"

#define FILE_LIMIT_DEFAULT (8u << 20)
/* gdb 12 to 16 (gdb/nat/linux-ptrace.c, current_ptrace_options), for a program that it started. */
#define TRACE_OPTIONS_DEFAULT (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
			       PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE | PTRACE_O_EXITKILL)

void session_warn(struct ckpt_session *s, const char *fmt, ...)
{
	va_list ap;
	char line[400];

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < s->n_warned; i++)
		if (!strcmp(s->warned[i], line))
			return;
	array_grow(s->warned, s->n_warned);
	s->warned[s->n_warned++] = xstrdup(line);
	log_info(LOG_CKPT, "warning: %s", line);
	if (s->warn)
		s->warn(s->warn_ctx, line);
}

static void take_report(struct ckpt_session *s, const struct init_report *r)
{
	if (!r->pid) {
		s->asked = false;
		return;
	}
	log_debug(LOG_CKPT, "init reaped %d, status %#x", r->pid, r->status);
	for (size_t i = 0; i < s->n_awaited; i++)
		if (s->awaited[i] == r->pid)
			s->awaited[i--] = s->awaited[--s->n_awaited];
	if (r->pid != s->ns_leader)
		return;
	if (s->killing) {
		s->reaped = true;
	} else if (s->leader) {
		s->ended = true;
		s->status = r->status;
		s->leader = 0;
	}
}

int session_reports(struct ckpt_session *s, bool wait, struct err *err)
{
	for (;;) {
		struct init_report reports[64];
		struct pollfd pfd = {.fd = s->reports, .events = POLLIN};

		if (wait && (s->reaped || !s->leader) && !s->n_awaited && !s->asked)
			return 0;
		int n = poll(&pfd, 1, wait ? -1 : 0);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		/* Reports are written whole, and the size divides that of a pipe's page. */
		ssize_t got = n < 0 ? -1 : read(s->reports, reports, sizeof reports);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (s->leader) {
				s->ended = true;
				s->status = SIGKILL;
				s->leader = 0;
			}
			return err_set(err, "the session's init process is gone, and the debugger with it");
		}
		for (size_t i = 0; i < (size_t)got / sizeof *reports; i++)
			take_report(s, &reports[i]);
	}
}

int session_settle(struct ckpt_session *s, struct err *err)
{
	if (send(s->life, "", 1, MSG_NOSIGNAL) != 1)
		return err_sys(err, "ask the session's init process");
	s->asked = true;
	return session_reports(s, true, err);
}

void cpu_enter(struct ckpt_session *s, pid_t pid, cpu_set_t *here)
{
	char path[64];
	cleanup_free char *stat = NULL;
	int cpu = -1;

	sched_getaffinity(0, sizeof s->own_affinity, &s->own_affinity);
	aside_may_use(&s->own_affinity);
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	stat = fd_slurp(path, NULL);
	/* Field 39, counted behind the name, which may hold anything (proc_pid_stat(5)). */
	char *p = stat ? strrchr(stat, ')') : NULL;
	for (int field = 2; p && field < 39; field++)
		p = strchr(p + 1, ' ');
	if (p)
		cpu = atoi(p + 1);
	CPU_ZERO(here);
	CPU_SET(cpu >= 0 ? cpu : sched_getcpu(), here);
	/* Refused when we may not run there: then it is only slower. */
	if (sched_setaffinity(0, sizeof *here, here) < 0) {
		CPU_ZERO(here);
		CPU_SET(sched_getcpu(), here);
	}
}

void cpu_leave(struct ckpt_session *s)
{
	sched_setaffinity(0, sizeof s->own_affinity, &s->own_affinity);
}

static int read_number(const char *path, int otherwise)
{
	cleanup_free char *text = fd_slurp(path, NULL);

	return text ? atoi(text) : otherwise;
}

static unsigned long clone_flags(enum ckpt_isolation isolation)
{
	switch (isolation) {
	case CKPT_ISOLATION_ROOT:
		return CLONE_NEWPID | CLONE_NEWNS;
	case CKPT_ISOLATION_USER:
		return CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUSER;
	default:
		return 0;
	}
}

static const char *isolation_name(enum ckpt_isolation isolation)
{
	switch (isolation) {
	case CKPT_ISOLATION_ROOT:
		return "a pid namespace by privilege";
	case CKPT_ISOLATION_USER:
		return "a user namespace";
	default:
		return "a session without namespaces";
	}
}

/* A process in namespaces of its own: as fork(). */
static pid_t fork_into(enum ckpt_isolation isolation)
{
	struct clone_args args = {.flags = clone_flags(isolation), .exit_signal = SIGCHLD};

	if (isolation == CKPT_ISOLATION_ROOT && fault("no-root-namespaces")) {
		errno = EPERM;
		return -1;
	}
	if (isolation == CKPT_ISOLATION_USER && fault("no-user-namespaces")) {
		errno = EPERM;
		return -1;
	}
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid < 0 && errno == ENOSYS)
		pid = (pid_t)syscall(SYS_clone, args.flags | SIGCHLD, 0, 0, 0, 0);
	return pid;
}

struct pipes {
	int life[2], reports[2], start[2];
};

static void pipes_close(struct pipes *p)
{
	int *all = (int *)p;

	for (size_t i = 0; i < sizeof *p / sizeof *all; i++)
		if (all[i] >= 0)
			close(all[i]);
}

static int pipes_open(struct pipes *p, struct err *err)
{
	int on = 1;

	*p = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p->life) < 0 || pipe2(p->reports, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->start) < 0 ||
	    setsockopt(p->start[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) {
		err_sys(err, "open the pipes to a new session");
		pipes_close(p);
		return -1;
	}
	return 0;
}

/* One message; 0 at the end.  *from is the sender's pid. */
static ssize_t receive(int fd, struct init_message *m, pid_t *from)
{
	union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(struct ucred))]; } control = {0};
	struct iovec v = {m, sizeof *m};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c && n > 0; c = CMSG_NXTHDR(&msg, c)) {
		struct ucred cred;
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&cred, CMSG_DATA(c), sizeof cred);
		*from = cred.pid;
	}
	return n;
}

/* 0; -1 for an error that is the user's; -2 when this isolation does not work here. */
static int hear_start(struct ckpt_session *s, int fd, const struct ckpt_spawn *how, struct err *err)
{
	struct init_message m;
	pid_t from = 0;
	ssize_t n;

	while ((n = receive(fd, &m, &from)) == sizeof m) {
		switch ((enum init_word)m.word) {
		case INIT_HELLO:
			s->leader = from;
			s->ns_leader = m.pid;
			break;
		case INIT_SETUP_FAILED:
			errno = m.sys;
			err_sys(err, "%s", m.what);
			return -2;
		case INIT_EXEC_FAILED:
			errno = m.sys;
			return err_sys(err, "cannot run %s", how->argv[0]);
		}
	}
	if (!s->leader) {
		err_set(err, "the session's init process ended before the debugger was started");
		return -2;
	}
	return 0;
}

static void end_init(struct ckpt_session *s)
{
	int status;

	if (s->life >= 0)
		close(s->life);
	s->life = -1;
	if (s->init > 0)
		trace_wait(s->init, &status);
	s->init = 0;
}

static int start(struct ckpt_session *s, const struct ckpt_spawn *how, enum ckpt_isolation isolation, struct err *err)
{
	struct pipes p;
	struct init_setup setup = {how, isolation, -1, -1, -1, geteuid(), getegid()};

	if (pipes_open(&p, err) < 0)
		return -1;
	setup.life = p.life[0];
	setup.reports = p.reports[1];
	setup.start = p.start[1];
	s->isolation = isolation;
	s->init = fork_into(isolation);
	if (s->init < 0) {
		err_sys(err, "start %s", isolation_name(isolation));
		pipes_close(&p);
		return -2;
	}
	if (s->init == 0) {
		close(p.life[1]);
		close(p.start[0]);
		init_main(&setup);
	}
	s->life = steal_fd(&p.life[1]);
	close(steal_fd(&p.start[1]));
	s->leader = 0;
	int r = hear_start(s, p.start[0], how, err);
	if (r < 0)
		end_init(s);
	else
		s->reports = steal_fd(&p.reports[0]);
	if (r == -2)
		err_context(err, "start %s", isolation_name(isolation));
	pipes_close(&p);
	return r;
}

static int start_best(struct ckpt_session *s, const struct ckpt_spawn *how, struct err *err)
{
	int r = -2;

	if (how->isolation != CKPT_ISOLATION_AUTO)
		return start(s, how, how->isolation, err);
	for (int i = CKPT_ISOLATION_ROOT; i <= CKPT_ISOLATION_NONE && r == -2; i++) {
		r = start(s, how, (enum ckpt_isolation)i, err);
		if (r < 0)
			log_info(LOG_CKPT, "%s", err->what);
	}
	return r;
}

int ckpt_spawn(struct ckpt_session **session, const struct ckpt_spawn *how, struct err *err)
{
	struct ckpt_session *s = xcalloc(1, sizeof *s);
	const char *tmpdir = how->tmpdir ? how->tmpdir : getenv("TMPDIR");

	s->began = clock_us();
	s->life = s->reports = -1;
	s->tmpdir = xstrdup(tmpdir && *tmpdir ? tmpdir : "/tmp");
	s->file_limit = how->file_limit ? how->file_limit : FILE_LIMIT_DEFAULT;
	s->trace_options = how->trace_options ? how->trace_options : TRACE_OPTIONS_DEFAULT;
	s->warn = how->warn;
	s->warn_ctx = how->warn_ctx;
	s->between = how->between;
	s->between_ctx = how->between_ctx;
	s->pid_max = read_number("/proc/sys/kernel/pid_max", 32768);
	s->last_number = s->pid_max;
	s->tty = fcntl(how->tty, F_DUPFD_CLOEXEC, 3);
	if (s->tty < 0)
		err_sys(err, "use descriptor %d as the debugger's terminal", how->tty);
	if (s->tty < 0 || start_best(s, how, err) < 0) {
		ckpt_session_free(s);
		return -1;
	}
	log_info(LOG_CKPT, "session: leader %d (%d inside), %s", s->leader, s->ns_leader, isolation_name(s->isolation));
	*session = s;
	return 0;
}

void ckpt_session_free(struct ckpt_session *s)
{
	if (!s)
		return;
	/* The kernel kills all when init goes; but what we trace, only we can reap, and init waits for that. */
	while (s->snapshots)
		ckpt_drop(s->snapshots);
	twins_reap(s, true);
	reap_strays(s);
	end_init(s);
	if (s->reports >= 0)
		close(s->reports);
	if (s->tty >= 0)
		close(s->tty);
	files_session_free(s);
	for (size_t i = 0; i < s->n_warned; i++)
		free(s->warned[i]);
	free(s->warned);
	free(s->waits);
	free(s->awaited);
	free(s->dying);
	free(s->tmpdir);
	free(s);
}

enum ckpt_isolation ckpt_isolation(const struct ckpt_session *s)
{
	return s->isolation;
}

pid_t ckpt_leader(const struct ckpt_session *s)
{
	return s->leader;
}

int check_handler(pid_t pid, int number, struct err *err)
{
	cleanup_free char *status = pid ? status_read(pid) : NULL;

	if (!status || !status_has_signal(status, "\nSigCgt:", number))
		return err_set(err, "the debugger has no handler for signal %d", number);
	return 0;
}

int ckpt_signal(const struct ckpt_session *s, int number, struct err *err)
{
	if (check_handler(s->leader, number, err))
		return -1;
	return kill(s->leader, number) < 0 ? err_sys(err, "kill") : 0;
}

int ckpt_event_fd(const struct ckpt_session *s)
{
	return s->reports;
}

bool ckpt_ended(struct ckpt_session *s, int *status)
{
	struct err ignored;

	if (!s->ended)
		(void)!session_reports(s, false, &ignored);
	if (s->ended)
		*status = s->status;
	return s->ended;
}

int ckpt_probe(enum ckpt_isolation isolation, struct err *err)
{
	int status, r = 0;
	int on[2];

	if (isolation == CKPT_ISOLATION_AUTO) {
		for (int i = CKPT_ISOLATION_ROOT; i <= CKPT_ISOLATION_NONE; i++)
			if ((r = ckpt_probe((enum ckpt_isolation)i, err)) >= 0)
				break;
		return r;
	}
	if (pipe2(on, O_CLOEXEC) < 0)
		return err_sys(err, "pipe");
	pid_t pid = fork_into(isolation);
	if (pid == 0) {
		char c;
		close(on[1]);
		_exit(read(on[0], &c, 1) < 0);
	}
	close(on[0]);
	if (pid < 0) {
		r = err_sys(err, "start %s", isolation_name(isolation));
	} else {
		if (trace_seize(pid, err) < 0)
			r = -1;
		kill(pid, SIGKILL);
		trace_wait(pid, &status);
	}
	close(on[1]);
	return r < 0 ? -1 : (int)isolation;
}
