/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugged program of the ckpt tests: `TEST --tracee ROLE` in any test binary.  It gets commands on a socket, does
 * them, answers.  All state that a test looks at is made and shown by such commands; "@K COMMAND" is done by thread K.
 * A command that blocks says nothing until it is over. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tracee.h"

#define TALK_FD 100
#define MAX_WORKERS 16
#define SIGNAL_STACK 65536

static __thread int counter;
static int shared_counter;
static struct worker { pthread_t thread; int to[2]; } workers[MAX_WORKERS + 1];
static int gate[2];                     /* what blocked threads wait for */
static int gate_poll;
static atomic_int gate_word;
static pthread_mutex_t robust;
static volatile sig_atomic_t handled;
static char signal_stack[SIGNAL_STACK];

void tell(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (send(TALK_FD, line, (size_t)n, MSG_NOSIGNAL) < 0)
		_exit(3);
}

void tell_result(long r)
{
	if (r < 0)
		tell("%s", strerrorname_np(errno));
	else
		tell("%ld", r);
}

/* ---- vector registers: a thread that spins without calling anything ---- */

static uint8_t vector_in[32], vector_out[32];
static atomic_int vector_stop, vector_beat;

static void *spin(void *unused)
{
#ifdef __x86_64__
	__asm__ volatile("vmovdqu %[in], %%ymm7\n"
			 "vmovdqu %[in], %%ymm15\n"
			 "1: lock incl %[beat]\n"
			 "pause\n"
			 "cmpl $0, %[stop]\n"
			 "je 1b\n"
			 "vpand %%ymm7, %%ymm15, %%ymm7\n"
			 "vmovdqu %%ymm7, %[out]\n"
			 : [out] "=m"(vector_out), [beat] "+m"(vector_beat)
			 : [in] "m"(vector_in), [stop] "m"(vector_stop)
			 : "xmm7", "xmm15", "cc");
#endif
	return NULL;
}

static pthread_t spinner;

static void vector_start(void)
{
	for (int i = 0; i < 32; i++)
		vector_in[i] = (uint8_t)(7 * i + 1);
	pthread_create(&spinner, NULL, spin, NULL);
	while (!vector_beat)
		sched_yield();
	tell("spinning");
}

static void vector_check(void)
{
	vector_stop = 1;
	pthread_join(spinner, NULL);
	tell("%s", memcmp(vector_in, vector_out, 32) ? "lost" : "kept");
}

/* ---- threads ---- */

static void command(char *c);

static void *work(void *arg)
{
	struct worker *w = arg;
	char line[1024];

	for (;;) {
		ssize_t n = read(w->to[0], line, sizeof line - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		line[n] = 0;
		if (!strcmp(line, "end"))
			return NULL;
		command(line);
	}
}

static void start_workers(int n)
{
	for (int i = 1; i <= n; i++) {
		if (pipe2(workers[i].to, O_CLOEXEC) < 0 ||
		    pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			_exit(4);
	}
	tell("started");
}

/* ---- blocking calls ---- */

static void block(const char *how)
{
	char c;
	struct pollfd pfd = {.fd = gate[0], .events = POLLIN};
	struct epoll_event ev;

	if (!strcmp(how, "read")) {
		/* Not read(), which is how it waits for commands. */
		tell_result(readv(gate[0], &(struct iovec){&c, 1}, 1));
		return;
	}
	if (!strcmp(how, "poll"))
		tell_result(syscall(SYS_poll, &pfd, 1, -1));
	else if (!strcmp(how, "poll-timeout"))
		tell_result(syscall(SYS_poll, &pfd, 1, 1000000));
	else if (!strcmp(how, "epoll"))
		tell_result(epoll_wait(gate_poll, &ev, 1, -1));
	else if (!strcmp(how, "epoll-timeout"))
		tell_result(epoll_wait(gate_poll, &ev, 1, 1000000));
	else if (!strcmp(how, "futex"))
		tell_result(syscall(SYS_futex, &gate_word, FUTEX_WAIT, 0, NULL, NULL, 0));
	else if (!strcmp(how, "futex-timeout"))
		tell_result(syscall(SYS_futex, &gate_word, FUTEX_WAIT, 0, &(struct timespec){1000, 0}, NULL, 0));
	else if (!strcmp(how, "nanosleep")) {
		struct timespec t = {0, 300000000};
		tell_result(syscall(SYS_nanosleep, &t, &t));
		return;
	} else if (!strcmp(how, "nanosleep-null")) {
		struct timespec t = {0, 300000000};
		tell_result(syscall(SYS_nanosleep, &t, NULL));
		return;
	} else if (!strcmp(how, "sigwait")) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		tell_result(sigtimedwait(&set, NULL, &(struct timespec){1000, 0}));
		return;
	}
	if (strncmp(how, "futex", 5) && read(gate[0], &c, 1) != 1)
		_exit(5);
}

static void open_gate(void)
{
	gate_word = 1;
	syscall(SYS_futex, &gate_word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	if (write(gate[1], "x", 1) != 1)
		_exit(5);
}

static void close_gate(void)
{
	char c[16];

	gate_word = 0;
	fcntl(gate[0], F_SETFL, O_NONBLOCK);
	while (read(gate[0], c, sizeof c) > 0)
		;
	fcntl(gate[0], F_SETFL, 0);
	tell("closed");
}

/* ---- signals ---- */

static void on_stack(int sig)
{
	char here;

	handled = &here >= signal_stack && &here < signal_stack + sizeof signal_stack ? 1 : 2;
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMIN + 3);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	tell("blocked");
}

static void show_mask(void)
{
	uint64_t mask;

	syscall(SYS_rt_sigprocmask, 0, NULL, &mask, sizeof mask);
	tell("%llx", (unsigned long long)mask);
}

static void make_pending(void)
{
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 11});
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 22});
	kill(getpid(), SIGUSR2);
	pthread_kill(pthread_self(), SIGUSR1);
	tell("queued");
}

/* Every pending signal, in the order of delivery. */
static void take_pending(void)
{
	char text[256] = "";
	siginfo_t info;
	sigset_t set;

	sigfillset(&set);
	/* Not sigtimedwait(): glibc disguises SI_TKILL. */
	while (syscall(SYS_rt_sigtimedwait, &set, &info, &(struct timespec){0, 0}, 8) > 0)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%d:%d:%d ", info.si_signo, info.si_code,
			 info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
	tell("%s.", text);
}

static void use_signal_stack(void)
{
	stack_t st = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
	struct sigaction sa = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};

	sigaction(SIGUSR1, &sa, NULL);
	tell_result(sigaltstack(&st, NULL));
}

static void count_signal(int number)
{
	handled++;
}

static void catch_signal(int number)
{
	handled = 0;
	tell_result(signal(number, count_signal) == SIG_ERR ? -1 : 0);
}

static void try_signal_stack(void)
{
	handled = 0;
	pthread_kill(pthread_self(), SIGUSR1);
	tell("%s", handled == 1 ? "on it" : "elsewhere");
}

/* ---- what glibc registers for each thread ---- */

static void check_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	/* EBUSY: already registered, at this very place. */
	tell("%s", syscall(SYS_rseq, area, 32, 0, RSEQ_SIG) < 0 ? strerrorname_np(errno) : "it was not registered");
}

static void lock_robust(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	pthread_mutex_lock(&robust);
	tell("locked");
}

static void try_robust(void)
{
	int r = pthread_mutex_trylock(&robust);

	tell("%s", r ? strerrorname_np(r) : "0");
}

/* ---- the table of commands ---- */

static int child_status(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

/* How many of so many children do not have the number behind the last one's?  Who is restored may have no child to wait for. */
static int count_gaps(int n)
{
	int gaps = 0;

	tell("forks");
	for (pid_t last = 0; n > 0; n--) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		gaps += last && pid != last + 1;
		last = pid;
		(void)!waitpid(pid, NULL, 0);
	}
	return gaps;
}

static void simple_command(char *c, char *arg)
{
	char path[PATH_MAX];

	if (!strcmp(c, "add"))
		tell("%d", ++counter);
	else if (!strcmp(c, "add-shared"))
		tell("%d", ++shared_counter);
	else if (!strcmp(c, "pid"))
		tell("%d %d %s", getpid(), gettid(), getpgrp() == getpid() ? "leads" : "follows");
	else if (!strcmp(c, "threads"))
		start_workers(atoi(arg));
	else if (!strcmp(c, "join"))
		tell_result(pthread_join(workers[atoi(arg)].thread, NULL));
	else if (!strcmp(c, "try-join")) {
		int r = pthread_tryjoin_np(workers[atoi(arg)].thread, NULL);
		tell("%s", r ? strerrorname_np(r) : "0");
	} else if (!strcmp(c, "name"))
		tell_result(prctl(PR_SET_NAME, arg));
	else if (!strcmp(c, "my-name")) {
		prctl(PR_GET_NAME, path);
		tell("%s", path);
	} else if (!strcmp(c, "exit"))
		_exit(atoi(arg));       /* not exit(): the leak sanitizer would trace us there */
	else if (!strcmp(c, "kill"))
		raise(atoi(arg));
	else if (!strcmp(c, "umask")) {
		mode_t old = umask((mode_t)strtol(arg, NULL, 8));
		tell("%o", old);
	} else if (!strcmp(c, "chdir"))
		tell_result(chdir(arg));
	else if (!strcmp(c, "cwd"))
		tell("%s", getcwd(path, sizeof path));
	else if (!strcmp(c, "child"))
		tell("%d", child_status());
	else if (!strcmp(c, "forks"))
		tell("%d gaps", count_gaps(atoi(arg)));
	else if (!strcmp(c, "pdeath"))
		tell_result(prctl(PR_SET_PDEATHSIG, atoi(arg)));
	else if (!strcmp(c, "take-orphans"))
		tell_result(prctl(PR_SET_CHILD_SUBREAPER, atoi(arg)));
	else if (!strcmp(c, "takes-orphans")) {
		int takes = 0;
		prctl(PR_GET_CHILD_SUBREAPER, &takes);
		tell_result(takes);
	} else if (!strcmp(c, "my-pdeath")) {
		int sig;
		prctl(PR_GET_PDEATHSIG, &sig);
		tell("%d", sig);
	} else
		tell("what? %s", c);
}

static int state_command(char *c, char *arg)
{
	if (!strcmp(c, "block"))
		block(arg);
	else if (!strcmp(c, "open-gate"))
		open_gate();
	else if (!strcmp(c, "close-gate"))
		close_gate();
	else if (!strcmp(c, "signal"))
		kill(getpid(), atoi(arg));
	else if (!strcmp(c, "catch"))
		catch_signal(atoi(arg));
	else if (!strcmp(c, "caught"))
		tell("%d", (int)handled);
	else if (!strcmp(c, "mask"))
		show_mask();
	else if (!strcmp(c, "block-signals"))
		block_signals();
	else if (!strcmp(c, "make-pending"))
		make_pending();
	else if (!strcmp(c, "take-pending"))
		take_pending();
	else if (!strcmp(c, "signal-stack"))
		use_signal_stack();
	else if (!strcmp(c, "try-signal-stack"))
		try_signal_stack();
	else if (!strcmp(c, "rseq"))
		check_rseq();
	else if (!strcmp(c, "lock-robust"))
		lock_robust();
	else if (!strcmp(c, "try-robust"))
		try_robust();
	else if (!strcmp(c, "vector-start"))
		vector_start();
	else if (!strcmp(c, "vector-check"))
		vector_check();
	else
		return 0;
	return 1;
}

static void command(char *c)
{
	char *arg = strchr(c, ' ');

	if (*c == '@') {
		struct worker *w = &workers[atoi(c + 1)];
		if (write(w->to[1], arg + 1, strlen(arg + 1)) < 0)
			_exit(6);
		return;
	}
	if (arg)
		*arg++ = 0;
	if (!state_command(c, arg ? arg : "") && !resource_command(c, arg ? arg : "") && !inherited_command(c, arg ? arg : ""))
		simple_command(c, arg ? arg : "");
}

static void serve(void)
{
	char line[1024];

	if (pipe2(gate, O_CLOEXEC) < 0 || (gate_poll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		_exit(7);
	epoll_ctl(gate_poll, EPOLL_CTL_ADD, gate[0], &(struct epoll_event){.events = EPOLLIN});
	tell("ready");
	for (;;) {
		ssize_t n = recv(TALK_FD, line, sizeof line - 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			exit(0);
		line[n] = 0;
		command(line);
	}
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "--tracee"))
		return;
	serve();
	exit(0);
}
