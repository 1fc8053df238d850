/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program that gdb debugs in the tests: `TEST --traced ROLE` in any test binary. */
#pragma GCC optimize("O0")
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define WORKERS 4

int total;
void stop_here(void), worker_here(int k), after_fork(int child), in_handler(int sig);
int add_up(int n), twice(int n);

/* ---- where gdb sets breakpoints; each is different, or the compiler makes them one ---- */

static volatile int where;

void stop_here(void)
{
	where = 1;
}

void worker_here(int k)
{
	where = 2 + k;
}

void after_fork(int child)
{
	where = 20 + child;
}

void in_handler(int sig)
{
	where = 100 + sig;
}

int add_up(int n)
{
	total += n;
	return total;
}

int twice(int n)
{
	return 2 * n;
}

/* ---- roles ---- */

static void count_up(void)
{
	stop_here();
	for (int i = 1; i <= 10; i++)
		add_up(i);
	printf("total=%d\n", total);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready, go;
static volatile int beats;

/* One waits for a condition, one sleeps, one spins, one reads from a pipe. */
static void *work(void *arg)
{
	int k = (int)(intptr_t)arg;
	static int ends[2];
	char c;

	if (k == 3 && pipe(ends) < 0)
		abort();
	pthread_mutex_lock(&lock);
	ready++;
	pthread_cond_broadcast(&changed);
	while (k == 0 && !go)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	while (k == 1 && !go)
		usleep(50000);
	while (k == 2 && !go)
		beats++;
	if (k == 3 && read(ends[0], &c, 1) < 0)
		abort();
	worker_here(k);
	pthread_mutex_lock(&lock);
	total += 100;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void run_threads(size_t mb)
{
	pthread_t threads[WORKERS];
	char *memory = mb ? mmap(NULL, mb << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;

	if (mb)
		madvise(memory, mb << 20, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < mb << 20; i += 4096)
		memory[i] = 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
	pthread_mutex_lock(&lock);
	while (ready < WORKERS)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	stop_here();
	for (int i = 1; i <= 10; i++)
		add_up(i);
	pthread_mutex_lock(&lock);
	go = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < WORKERS - 1; i++)
		pthread_join(threads[i], NULL);
	printf("total=%d\n", total);
}

static sigjmp_buf back;
static char other_stack[65536];

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;
	char here;

	printf("signal %d code %d address %p trap %lld error %lld cr2 %#llx %s\n", sig, info->si_code, info->si_addr,
	       (long long)u->uc_mcontext.gregs[REG_TRAPNO], (long long)u->uc_mcontext.gregs[REG_ERR],
	       (long long)u->uc_mcontext.gregs[REG_CR2],
	       &here > other_stack && &here < other_stack + sizeof other_stack ? "other stack" : "own stack");
	in_handler(sig);
	siglongjmp(back, 1);
}

__attribute__((no_sanitize("address", "undefined"))) static void fault(int how)
{
	stack_t st = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	volatile int zero = 0;

	sigaltstack(&st, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGFPE, &sa, NULL);
	stop_here();
	if (sigsetjmp(back, 1) == 0) {
		if (how == 's')
			*(volatile int *)0x123000 = 7;
		total = 7 / zero;
	}
	puts("survived");
}

static void on_signal(int sig)
{
	in_handler(sig);
	total += sig;
}

static void handle(void)
{
	signal(SIGUSR1, on_signal);
	stop_here();
	raise(SIGUSR1);
	printf("handled %d\n", total);
}

static void ask(void)
{
	char line[100];

	stop_here();
	while (fgets(line, sizeof line, stdin)) {
		add_up(1);
		printf("read %s", line);
	}
}

/* Several threads reach the same breakpoint at once. */
static pthread_barrier_t barrier;

static void *rush(void *arg)
{
	for (int i = 0; i < 50; i++) {
		pthread_barrier_wait(&barrier);
		worker_here((int)(intptr_t)arg);
	}
	return NULL;
}

static void crowd(void)
{
	pthread_t threads[WORKERS];

	pthread_barrier_init(&barrier, NULL, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, rush, (void *)(intptr_t)i);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	puts("all joined");
}

static void share(void)
{
	pid_t child = vfork();

	if (child == 0) {
		after_fork(1);
		_exit(3);
	}
	stop_here();
}

static void new_session(void)
{
	pid_t old = getpgrp();

	if (setsid() < 0 && fork() != 0)
		exit(0);
	setsid();
	stop_here();
	printf("session %s\n", getsid(0) == getpid() && getpgrp() == getpid() && getpgrp() != old ? "own" : "lost");
}

static void member(void)
{
	/* In a group whose leader is no more. */
	pid_t leader = fork();
	if (leader == 0) {
		setpgid(0, 0);
		pause();
	}
	setpgid(leader, leader);
	setpgid(0, leader);
	kill(leader, SIGKILL);
	waitpid(leader, NULL, 0);
	stop_here();
	printf("group %s\n", getpgrp() == leader ? "the old one" : getpgrp() == getpid() ? "own" : "other");
}

static void change(void)
{
	char *argv[] = {"/proc/self/exe", "--traced", "count", NULL};

	stop_here();
	execv(argv[0], argv);
}

static void filter(void)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {1, all};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
	stop_here();
	puts("filtered");
}

static void call(void)
{
	stop_here();
	for (int i = 0; i < 5; i++)
		printf("%ld\n", syscall(SYS_getsid, 0) > 0 ? 1L : 0L);
}

static void branch(void)
{
	stop_here();
	pid_t child = fork();
	after_fork(child == 0);
	if (child == 0)
		_exit(7);
	int status;
	printf("the child was %s\n", waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7 ? "ours" : "lost");
}

/* Takes in the orphans of its children. */
static void take_in(void)
{
	int ends[2], status;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	stop_here();
	if (pipe(ends) < 0)
		abort();
	pid_t child = fork();
	after_fork(child == 0);
	if (child == 0) {
		close(ends[1]);
		if (fork() == 0)
			_exit(read(ends[0], &status, 1) == 0 ? 9 : 1);
		_exit(0);
	}
	close(ends[0]);
	waitpid(child, NULL, 0);
	close(ends[1]);
	printf("the orphan was %s\n", wait(&status) > 0 && WEXITSTATUS(status) == 9 ? "taken in" : "lost");
	printf("and %s\n", wait(NULL) < 0 ? "no other" : "another");
}

static void write_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (int i = 0; i < 5; i++) {
		stop_here();
		if (write(fd, &"abcde"[i], 1) != 1)
			abort();
	}
	char text[10] = "";
	printf("file %s\n", pread(fd, text, 9, 0) == 5 ? text : "lost");
}

static void tick(void)
{
	timer_t timer;
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec left = {.it_value.tv_sec = 1000};

	signal(SIGUSR1, on_signal);
	timer_create(CLOCK_MONOTONIC, &ev, &timer);
	timer_settime(timer, 0, &left, NULL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	stop_here();
	timer_gettime(timer, &left);
	printf("left %ld, %s\n", left.it_value.tv_sec > 900 ? 1L : 0L,
	       sigtimedwait(&set, NULL, &(struct timespec){0}) == SIGUSR2 ? "pending" : "lost");
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "--traced"))
		return;
	setvbuf(stdout, NULL, _IOLBF, 0);
	const char *role = argv[2];
	if (!strcmp(role, "count"))
		count_up();
	else if (!strcmp(role, "threads"))
		run_threads(argc > 3 ? (size_t)atoi(argv[3]) : 0);
	else if (!strcmp(role, "fault"))
		fault(argv[3][0]);
	else if (!strcmp(role, "handle"))
		handle();
	else if (!strcmp(role, "ask"))
		ask();
	else if (!strcmp(role, "crowd"))
		crowd();
	else if (!strcmp(role, "share"))
		share();
	else if (!strcmp(role, "session"))
		new_session();
	else if (!strcmp(role, "member"))
		member();
	else if (!strcmp(role, "change"))
		change();
	else if (!strcmp(role, "filter"))
		filter();
	else if (!strcmp(role, "call"))
		call();
	else if (!strcmp(role, "branch"))
		branch();
	else if (!strcmp(role, "orphans"))
		take_in();
	else if (!strcmp(role, "file"))
		write_file(argv[3]);
	else if (!strcmp(role, "tick"))
		tick();
	fflush(stdout);
	_exit(0);       /* not exit(): the leak sanitizer would trace us there */
}
