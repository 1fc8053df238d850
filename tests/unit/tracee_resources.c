/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the debugged program of the ckpt tests does with timers, files, memory and the terminal. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tracee.h"

static int file = -1;
static int *shared;
static char *big;
static size_t big_size;
static volatile sig_atomic_t fired;

/* ---- timers ---- */

static void set_itimer(int seconds)
{
	struct itimerval it = {.it_value.tv_sec = seconds};

	tell_result(setitimer(ITIMER_REAL, &it, NULL) | setitimer(ITIMER_PROF, &it, NULL));
}

static void show_itimer(void)
{
	struct itimerval real, prof;

	getitimer(ITIMER_REAL, &real);
	getitimer(ITIMER_PROF, &prof);
	/* The kernel adds a tick to the second kind. */
	tell("%ld %ld", real.it_value.tv_sec + (real.it_value.tv_usec > 500000),
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
			tell("timer %d is %d", i, id);
	}
	for (int i = 0; i < 4; i++)
		if (i != 1)
			syscall(SYS_timer_delete, i);
	struct itimerspec left = {.it_value.tv_sec = 500, .it_interval.tv_sec = 7};
	syscall(SYS_timer_settime, 1, 0, &left, NULL);
	left.it_value.tv_sec = 900;
	syscall(SYS_timer_settime, 4, 0, &left, NULL);
	tell("made");
}

static void show_timers(void)
{
	char text[256] = "";
	struct itimerspec left;

	for (int i = 0; i < 6; i++)
		if (syscall(SYS_timer_gettime, i, &left) == 0)
			snprintf(text + strlen(text), sizeof text - strlen(text), "%d:%ld/%ld ", i,
				 left.it_value.tv_sec + (left.it_value.tv_nsec > 0), left.it_interval.tv_sec);
	tell("%s.", text);
}

static void timer_fires(int sig)
{
	fired = sig;
}

static void fire_timer(int id)
{
	struct itimerspec now = {.it_value.tv_nsec = 1};

	fired = 0;
	signal(SIGUSR2, timer_fires);
	syscall(SYS_timer_settime, id, 0, &now, NULL);
	while (!fired)
		sched_yield();
	tell("fired");
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
	tell("%ld:%s", (long)lseek(file, 0, SEEK_CUR), text);
}

static void open_file(char *arg)
{
	int append = arg[0] == 'a', write_only = arg[0] == 'w';

	file = open(arg + 2, (write_only || append ? O_WRONLY : O_RDWR) | O_CREAT | (append ? O_APPEND : 0), 0600);
	tell_result(file < 0 ? -1 : 0);
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
	tell("made");
}

static void rewrite_big(int every)
{
	for (size_t i = 0; i < big_size; i += 4096 * (size_t)every)
		*(size_t *)(big + i) = i + 1;
	tell("written");
}

static void check_big(void)
{
	size_t changed = 0;

	for (size_t i = 0; i < big_size; i += 4096)
		changed += *(size_t *)(big + i) != i;
	tell("%zu changed", changed);
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
	tell("%ld", (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
}

/* ---- the terminal ---- */

static void show_echo(void)
{
	struct termios t;

	tcgetattr(0, &t);
	tell("%s %s", t.c_lflag & ECHO ? "echo" : "no echo", tcgetpgrp(0) == getpgrp() ? "in front" : "behind");
}

static void set_echo(int on)
{
	struct termios t;

	tcgetattr(0, &t);
	t.c_lflag = on ? t.c_lflag | ECHO : t.c_lflag & ~(tcflag_t)ECHO;
	tell_result(tcsetattr(0, TCSANOW, &t));
}

int resource_command(char *c, char *arg)
{
	if (!strcmp(c, "set-itimer"))
		set_itimer(atoi(arg));
	else if (!strcmp(c, "itimer"))
		show_itimer();
	else if (!strcmp(c, "make-timers"))
		make_timers();
	else if (!strcmp(c, "delete-timers")) {
		syscall(SYS_timer_delete, 1);
		syscall(SYS_timer_delete, 4);
		tell("deleted");
	} else if (!strcmp(c, "timers"))
		show_timers();
	else if (!strcmp(c, "fire-timer"))
		fire_timer(atoi(arg));
	else if (!strcmp(c, "open"))
		open_file(arg);
	else if (!strcmp(c, "write"))
		tell_result(write(file, arg, strlen(arg)));
	else if (!strcmp(c, "seek"))
		tell_result(lseek(file, atoi(arg), SEEK_SET));
	else if (!strcmp(c, "truncate"))
		tell_result(ftruncate(file, atoi(arg)));
	else if (!strcmp(c, "file"))
		show_file();
	else if (!strcmp(c, "file-flags"))
		tell("%s", fcntl(file, F_GETFL) & O_APPEND ? "append" : "plain");
	else if (!strcmp(c, "no-append"))
		tell_result(fcntl(file, F_SETFL, 0));
	else if (!strcmp(c, "shared")) {
		if (!shared)
			shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		tell("%d", ++*shared);
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
