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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TALK_FD 100
#define MAX_WORKERS 16
#define SIGNAL_STACK 65536

static __thread int counter;
static int shared_counter;
static struct worker { pthread_t thread; int to[2]; } workers[MAX_WORKERS + 1];
static int gate[2];                     /* what blocked threads wait for */
static int gate_poll;
static atomic_int gate_word;
static int file = -1;
static int *shared;
static char *big;
static size_t big_size;
static pthread_mutex_t robust;
static volatile sig_atomic_t handled;
static char signal_stack[SIGNAL_STACK];

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (send(TALK_FD, line, (size_t)n, MSG_NOSIGNAL) < 0)
		_exit(3);
}

static void say_result(long r)
{
	if (r < 0)
		say("%s", strerrorname_np(errno));
	else
		say("%ld", r);
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
	say("spinning");
}

static void vector_check(void)
{
	vector_stop = 1;
	pthread_join(spinner, NULL);
	say("%s", memcmp(vector_in, vector_out, 32) ? "lost" : "kept");
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
	say("started");
}

/* ---- blocking calls ---- */

static void block(const char *how)
{
	char c;
	struct pollfd pfd = {.fd = gate[0], .events = POLLIN};
	struct epoll_event ev;

	if (!strcmp(how, "read")) {
		/* Not read(), which is how it waits for commands. */
		say_result(readv(gate[0], &(struct iovec){&c, 1}, 1));
		return;
	}
	if (!strcmp(how, "poll"))
		say_result(syscall(SYS_poll, &pfd, 1, -1));
	else if (!strcmp(how, "poll-timeout"))
		say_result(syscall(SYS_poll, &pfd, 1, 1000000));
	else if (!strcmp(how, "epoll"))
		say_result(epoll_wait(gate_poll, &ev, 1, -1));
	else if (!strcmp(how, "epoll-timeout"))
		say_result(epoll_wait(gate_poll, &ev, 1, 1000000));
	else if (!strcmp(how, "futex"))
		say_result(syscall(SYS_futex, &gate_word, FUTEX_WAIT, 0, NULL, NULL, 0));
	else if (!strcmp(how, "futex-timeout"))
		say_result(syscall(SYS_futex, &gate_word, FUTEX_WAIT, 0, &(struct timespec){1000, 0}, NULL, 0));
	else if (!strcmp(how, "nanosleep")) {
		struct timespec t = {0, 300000000};
		say_result(syscall(SYS_nanosleep, &t, &t));
		return;
	} else if (!strcmp(how, "nanosleep-null")) {
		struct timespec t = {0, 300000000};
		say_result(syscall(SYS_nanosleep, &t, NULL));
		return;
	} else if (!strcmp(how, "sigwait")) {
		sigset_t set;
		sigemptyset(&set);
		sigaddset(&set, SIGUSR2);
		say_result(sigtimedwait(&set, NULL, &(struct timespec){1000, 0}));
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
	say("closed");
}

/* ---- signals ---- */

static void handler(int sig)
{
	handled = sig;
}

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
	say("blocked");
}

static void show_mask(void)
{
	uint64_t mask;

	syscall(SYS_rt_sigprocmask, 0, NULL, &mask, sizeof mask);
	say("%llx", (unsigned long long)mask);
}

static void make_pending(void)
{
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 11});
	sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 22});
	kill(getpid(), SIGUSR2);
	pthread_kill(pthread_self(), SIGUSR1);
	say("queued");
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
	say("%s.", text);
}

static void use_signal_stack(void)
{
	stack_t st = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
	struct sigaction sa = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};

	sigaction(SIGUSR1, &sa, NULL);
	say_result(sigaltstack(&st, NULL));
}

static void try_signal_stack(void)
{
	handled = 0;
	pthread_kill(pthread_self(), SIGUSR1);
	say("%s", handled == 1 ? "on it" : "elsewhere");
}

/* ---- what glibc registers for each thread ---- */

static void check_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	/* EBUSY: already registered, at this very place. */
	say("%s", syscall(SYS_rseq, area, 32, 0, RSEQ_SIG) < 0 ? strerrorname_np(errno) : "it was not registered");
}

static void lock_robust(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attr);
	pthread_mutex_lock(&robust);
	say("locked");
}

static void try_robust(void)
{
	int r = pthread_mutex_trylock(&robust);

	say("%s", r ? strerrorname_np(r) : "0");
}

/* ---- timers ---- */

static void set_itimer(int seconds)
{
	struct itimerval it = {.it_value.tv_sec = seconds};

	say_result(setitimer(ITIMER_REAL, &it, NULL) | setitimer(ITIMER_PROF, &it, NULL));
}

static void show_itimer(void)
{
	struct itimerval real, prof;

	getitimer(ITIMER_REAL, &real);
	getitimer(ITIMER_PROF, &prof);
	/* The kernel adds a tick to the second kind. */
	say("%ld %ld", real.it_value.tv_sec + (real.it_value.tv_usec > 500000),
	    prof.it_value.tv_sec + (prof.it_value.tv_usec > 500000));
}

/* Numbers 0 to 4, of which 1 and 4 stay; 4 signals this very thread.  glibc hides the numbers, so call the kernel. */
static void make_timers(void)
{
	for (int i = 0; i < 5; i++) {
		int id;
		struct sigevent ev = {.sigev_notify = i == 4 ? SIGEV_THREAD_ID : SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
		ev._sigev_un._tid = gettid();
		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &ev, &id) < 0 || id != i)
			say("timer %d is %d", i, id);
	}
	for (int i = 0; i < 4; i++)
		if (i != 1)
			syscall(SYS_timer_delete, i);
	struct itimerspec left = {.it_value.tv_sec = 500, .it_interval.tv_sec = 7};
	syscall(SYS_timer_settime, 1, 0, &left, NULL);
	left.it_value.tv_sec = 900;
	syscall(SYS_timer_settime, 4, 0, &left, NULL);
	say("made");
}

static void show_timers(void)
{
	char text[256] = "";
	struct itimerspec left;

	for (int i = 0; i < 6; i++)
		if (syscall(SYS_timer_gettime, i, &left) == 0)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%d:%ld/%ld ", i,
				 left.it_value.tv_sec + (left.it_value.tv_nsec > 0), left.it_interval.tv_sec);
	say("%s.", text);
}

static void fire_timer(int id)
{
	struct itimerspec now = {.it_value.tv_nsec = 1};

	handled = 0;
	signal(SIGUSR2, handler);
	syscall(SYS_timer_settime, id, 0, &now, NULL);
	while (!handled)
		sched_yield();
	say("fired");
}

/* ---- files ---- */

static void show_file(void)
{
	char text[512], path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	int fd = open(path, O_RDONLY);
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	say("%ld:%s", (long)lseek(file, 0, SEEK_CUR), text);
}

static void open_file(char *arg)
{
	int append = arg[0] == 'a', write_only = arg[0] == 'w';

	file = open(arg + 2, (write_only || append ? O_WRONLY : O_RDWR) | O_CREAT | (append ? O_APPEND : 0), 0600);
	say_result(file < 0 ? -1 : 0);
}

/* ---- memory ---- */

static void make_big(size_t mb)
{
	big_size = mb << 20;
	big = mmap(NULL, big_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Small pages: the dear case, and the same everywhere. */
	madvise(big, big_size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < big_size; i += 4096)
		*(size_t *)(big + i) = i;
	say("made");
}

static void rewrite_big(int every)
{
	for (size_t i = 0; i < big_size; i += 4096 * (size_t)every)
		*(size_t *)(big + i) = i + 1;
	say("written");
}

static void check_big(void)
{
	size_t changed = 0;

	for (size_t i = 0; i < big_size; i += 4096)
		changed += *(size_t *)(big + i) != i;
	say("%zu changed", changed);
}

static void time_fork(void)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	pid_t pid = (pid_t)syscall(SYS_fork);
	if (pid == 0)
		_exit(0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	waitpid(pid, NULL, 0);
	say("%ld", (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
}

/* ---- the terminal ---- */

static void show_echo(void)
{
	struct termios t;

	tcgetattr(0, &t);
	say("%s %s", t.c_lflag & ECHO ? "echo" : "no echo", tcgetpgrp(0) == getpgrp() ? "in front" : "behind");
}

static void set_echo(int on)
{
	struct termios t;

	tcgetattr(0, &t);
	t.c_lflag = on ? t.c_lflag | ECHO : t.c_lflag & ~(tcflag_t)ECHO;
	say_result(tcsetattr(0, TCSANOW, &t));
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

static void simple_command(char *c, char *arg)
{
	char path[PATH_MAX];

	if (!strcmp(c, "add"))
		say("%d", ++counter);
	else if (!strcmp(c, "add-shared"))
		say("%d", ++shared_counter);
	else if (!strcmp(c, "pid"))
		say("%d %d %s", getpid(), gettid(), getpgrp() == getpid() ? "leads" : "follows");
	else if (!strcmp(c, "threads"))
		start_workers(atoi(arg));
	else if (!strcmp(c, "join"))
		say_result(pthread_join(workers[atoi(arg)].thread, NULL));
	else if (!strcmp(c, "try-join")) {
		int r = pthread_tryjoin_np(workers[atoi(arg)].thread, NULL);
		say("%s", r ? strerrorname_np(r) : "0");
	} else if (!strcmp(c, "name"))
		say_result(prctl(PR_SET_NAME, arg));
	else if (!strcmp(c, "my-name")) {
		prctl(PR_GET_NAME, path);
		say("%s", path);
	} else if (!strcmp(c, "exit"))
		_exit(atoi(arg));       /* not exit(): the leak sanitizer would trace us there */
	else if (!strcmp(c, "kill"))
		raise(atoi(arg));
	else if (!strcmp(c, "umask")) {
		mode_t old = umask((mode_t)strtol(arg, NULL, 8));
		say("%o", old);
	} else if (!strcmp(c, "chdir"))
		say_result(chdir(arg));
	else if (!strcmp(c, "cwd"))
		say("%s", getcwd(path, sizeof path));
	else if (!strcmp(c, "child"))
		say("%d", child_status());
	else if (!strcmp(c, "pdeath"))
		say_result(prctl(PR_SET_PDEATHSIG, atoi(arg)));
	else if (!strcmp(c, "my-pdeath")) {
		int sig;
		prctl(PR_GET_PDEATHSIG, &sig);
		say("%d", sig);
	} else
		say("what? %s", c);
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
	else if (!strcmp(c, "set-itimer"))
		set_itimer(atoi(arg));
	else if (!strcmp(c, "itimer"))
		show_itimer();
	else if (!strcmp(c, "make-timers"))
		make_timers();
	else if (!strcmp(c, "delete-timers")) {
		syscall(SYS_timer_delete, 1);
		syscall(SYS_timer_delete, 4);
		say("deleted");
	} else if (!strcmp(c, "timers"))
		show_timers();
	else if (!strcmp(c, "fire-timer"))
		fire_timer(atoi(arg));
	else
		return 0;
	return 1;
}

static int resource_command(char *c, char *arg)
{
	if (!strcmp(c, "open"))
		open_file(arg);
	else if (!strcmp(c, "write"))
		say_result(write(file, arg, strlen(arg)));
	else if (!strcmp(c, "seek"))
		say_result(lseek(file, atoi(arg), SEEK_SET));
	else if (!strcmp(c, "truncate"))
		say_result(ftruncate(file, atoi(arg)));
	else if (!strcmp(c, "file"))
		show_file();
	else if (!strcmp(c, "file-flags"))
		say("%s", fcntl(file, F_GETFL) & O_APPEND ? "append" : "plain");
	else if (!strcmp(c, "no-append"))
		say_result(fcntl(file, F_SETFL, 0));
	else if (!strcmp(c, "shared")) {
		if (!shared)
			shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		say("%d", ++*shared);
	} else if (!strcmp(c, "big"))
		make_big((size_t)atoi(arg));
	else if (!strcmp(c, "rewrite"))
		rewrite_big(atoi(arg));
	else if (!strcmp(c, "check"))
		check_big();
	else if (!strcmp(c, "time-fork"))
		time_fork();
	else if (!strcmp(c, "echo"))
		set_echo(atoi(arg));
	else if (!strcmp(c, "terminal"))
		show_echo();
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
	if (!state_command(c, arg ? arg : "") && !resource_command(c, arg ? arg : ""))
		simple_command(c, arg ? arg : "");
}

static void serve(void)
{
	char line[1024];

	if (pipe2(gate, O_CLOEXEC) < 0 || (gate_poll = epoll_create1(EPOLL_CLOEXEC)) < 0)
		_exit(7);
	epoll_ctl(gate_poll, EPOLL_CTL_ADD, gate[0], &(struct epoll_event){.events = EPOLLIN});
	say("ready");
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
