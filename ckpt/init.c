/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first process of a session: parent of the debugger and of every twin, owner of the terminal.
 *
 * It starts the debugger, then reaps for ever and reports each reaped process.  That report is the one reliable sign that
 * a process number is free again: /proc/PID vanishes earlier.  When fredapp goes away, however it goes, everything below
 * goes too: in a pid namespace the kernel sees to that when init dies; without one init kills what is below itself.
 *
 * This runs in a child made by a bare clone3(): async-signal-safe calls only until exec. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

static void tell(int fd, enum init_word word, const char *what)
{
	struct init_message m = {.word = word, .sys = errno};

	snprintf(m.what, sizeof m.what, "%s", what);
	if (send(fd, &m, sizeof m, MSG_NOSIGNAL) < 0)
		_exit(126);
}

static _Noreturn void give_up(const struct init_setup *setup, enum init_word word, const char *what)
{
	tell(setup->start, word, what);
	_exit(127);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, strlen(text));
	int saved = errno;
	close(fd);
	errno = saved;
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* The same user inside as outside: files, $HOME and `ps` look as they always do. */
static void map_user(const struct init_setup *setup)
{
	char line[64];

	/* user_namespaces(7): without privilege outside, setgroups() has to be given up before gid_map can be written. */
	if (put("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
		give_up(setup, INIT_SETUP_FAILED, "write /proc/self/setgroups");
	snprintf(line, sizeof line, "%u %u 1", setup->uid, setup->uid);
	if (put("/proc/self/uid_map", line) < 0)
		give_up(setup, INIT_SETUP_FAILED, "write /proc/self/uid_map");
	snprintf(line, sizeof line, "%u %u 1", setup->gid, setup->gid);
	if (put("/proc/self/gid_map", line) < 0)
		give_up(setup, INIT_SETUP_FAILED, "write /proc/self/gid_map");
}

/* set_tid wants CAP_CHECKPOINT_RESTORE in the namespace, and exec of an ordinary user's program would drop it.  Ambient
 * capabilities survive exec; they count in our namespaces only. */
static void keep_capabilities(void)
{
	static const int wanted[] = {CAP_CHECKPOINT_RESTORE, CAP_SYS_PTRACE};
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct caps[2] = {0};

	if (syscall(SYS_capget, &head, caps) < 0)
		return;
	for (size_t i = 0; i < 2; i++)
		caps[wanted[i] / 32].inheritable |= 1u << (wanted[i] % 32) & caps[wanted[i] / 32].permitted;
	if (syscall(SYS_capset, &head, caps) < 0)
		return;
	for (size_t i = 0; i < 2; i++)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, wanted[i], 0, 0);
}

static void default_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The kernel puts the sender's pid, translated for the receiver, into the message. */
static void say_hello(int fd)
{
	struct init_message m = {.word = INIT_HELLO, .pid = getpid()};

	if (send(fd, &m, sizeof m, MSG_NOSIGNAL) < 0)
		_exit(126);
}

static _Noreturn void become_debugger(const struct init_setup *setup)
{
	const struct ckpt_spawn *how = setup->how;

	/* Signals are still blocked: SIGTTOU would stop us here, in the background of the terminal. */
	setpgid(0, 0);
	tcsetpgrp(how->tty, getpid());
	if (setup->isolation != CKPT_ISOLATION_NONE)
		keep_capabilities();
	for (size_t i = 0; i < how->n_keep; i++)
		if (fcntl(how->keep[i], F_SETFD, 0) < 0)
			give_up(setup, INIT_SETUP_FAILED, "keep a descriptor for the debugger");
	int err_fd = how->stderr_fd >= 0 ? how->stderr_fd : how->tty;
	if (dup2(how->tty, 0) < 0 || dup2(err_fd, 2) < 0 || dup2(how->tty, 1) < 0)
		give_up(setup, INIT_SETUP_FAILED, "connect the debugger to its terminal");
	default_signals();
	say_hello(setup->start);
	/* The descriptor `start` closes on exec, and that is how success is told. */
	execvpe(how->argv[0], how->argv, how->envp ? how->envp : environ);
	give_up(setup, INIT_EXEC_FAILED, how->argv[0]);
}

/* Everything but the descriptors in keep (n of them), which is sorted here. */
static void close_others(int *keep, size_t n)
{
	unsigned from = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (keep[j] < keep[i]) {
				int t = keep[i];
				keep[i] = keep[j];
				keep[j] = t;
			}
	for (size_t i = 0; i < n; i++) {
		if ((unsigned)keep[i] > from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	close_range(from, ~0u, 0);
}

/* Kill all that is below us: what a killed process leaves behind becomes our child, and what it forked meanwhile is found
 * in the next round.  Ends when there is no child any more. */
static _Noreturn void kill_all_below(void)
{
	char path[64], list[4096];

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, list, sizeof list - 1);
		if (fd >= 0)
			close(fd);
		list[n > 0 ? n : 0] = 0;
		for (char *p = list, *end; *p; p = end) {
			long pid = strtol(p, &end, 10);
			if (end == p)
				break;
			kill((pid_t)pid, SIGKILL);
		}
		if (waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD)
			_exit(0);
	}
}

static void reap(const struct init_setup *setup)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		struct init_report report = {pid, status};
		/* When nobody reads any more, `life` says so. */
		if (write(setup->reports, &report, sizeof report) < 0)
			return;
	}
}

/* To a byte, which asks for a sign that all is finished that was begun before.  False: `life` has ended. */
static bool answer(const struct init_setup *setup)
{
	struct init_report here = {0};
	char c;

	return read(setup->life, &c, 1) == 1 && write(setup->reports, &here, sizeof here) == sizeof here;
}

static _Noreturn void watch(const struct init_setup *setup, int signals)
{
	struct pollfd pfd[2] = {{.fd = setup->life, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(pfd, 2, -1) < 0)
			continue;
		if (pfd[1].revents && read(signals, &info, sizeof info) > 0)
			reap(setup);
		if (!pfd[0].revents || answer(setup))
			continue;
		if (setup->isolation == CKPT_ISOLATION_NONE)
			kill_all_below();
		_exit(0);       /* and the kernel kills the whole namespace */
	}
}

static void own_proc(void)
{
	/* SLAVE: what is mounted here is not seen outside, what is mounted outside later is seen here. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		/* Refused in some containers; then the debugger sees the outer /proc, with other process numbers. */
		(void)!mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

_Noreturn void init_main(const struct init_setup *setup)
{
	sigset_t all, chld;
	int keep[4] = {setup->life, setup->reports};

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (setup->isolation == CKPT_ISOLATION_USER)
		map_user(setup);
	if (setup->isolation == CKPT_ISOLATION_NONE) {
		if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
			give_up(setup, INIT_SETUP_FAILED, "become the parent of orphans");
	} else {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		own_proc();
	}
	prctl(PR_SET_NAME, "fred-init");
	if (setsid() < 0 || ioctl(setup->how->tty, TIOCSCTTY, 0) < 0)
		give_up(setup, INIT_SETUP_FAILED, "take the terminal");
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	keep[2] = signalfd(-1, &chld, SFD_NONBLOCK | SFD_CLOEXEC);
	if (keep[2] < 0)
		give_up(setup, INIT_SETUP_FAILED, "signalfd");
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	int signals = keep[2];
	pid_t child = fork();
	if (child < 0)
		give_up(setup, INIT_SETUP_FAILED, "fork the debugger");
	if (child == 0)
		become_debugger(setup);
	close_others(keep, 3);
	watch(setup, signals);
}
