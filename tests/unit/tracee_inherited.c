/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugged program of the ckpt tests: what fork() hands down, and memory that moves. */
#include "tests/unit/tracee.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* ---- settings: `set NAME VALUE`, `get NAME` ---- */

static void one(int sig) {}
static void two(int sig) {}

static void set_handler(int value)
{
	signal(SIGUSR2, value == 0 ? SIG_IGN : value == 1 ? one : two);
}

static int get_handler(void)
{
	struct sigaction now;

	sigaction(SIGUSR2, NULL, &now);
	return now.sa_handler == SIG_IGN ? 0 : now.sa_handler == one ? 1 : now.sa_handler == two ? 2 : -1;
}

/* SA_NOCLDWAIT means something without a handler. */
static void set_nocldwait(int value)
{
	struct sigaction act = {.sa_handler = SIG_DFL, .sa_flags = value ? SA_NOCLDWAIT : 0};

	sigaction(SIGCHLD, &act, NULL);
}

static int get_nocldwait(void)
{
	struct sigaction now;

	sigaction(SIGCHLD, NULL, &now);
	return !!(now.sa_flags & SA_NOCLDWAIT);
}

static void set_limit(int value)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = (rlim_t)value;
	setrlimit(RLIMIT_NOFILE, &l);
}

static int get_limit(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	return (int)l.rlim_cur;
}

static void set_nice(int value) { setpriority(PRIO_PROCESS, 0, value); }
static int get_nice(void) { return getpriority(PRIO_PROCESS, 0); }
static void set_slack(int value) { prctl(PR_SET_TIMERSLACK, value); }
static int get_slack(void) { return prctl(PR_GET_TIMERSLACK); }
static void set_dumpable(int value) { prctl(PR_SET_DUMPABLE, value); }
static int get_dumpable(void) { return prctl(PR_GET_DUMPABLE); }
static void set_huge(int value) { prctl(PR_SET_THP_DISABLE, value, 0, 0, 0); }
static int get_huge(void) { return prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0); }
static void set_persona(int value) { personality((unsigned long)value); }
static int get_persona(void) { return personality(0xffffffff); }

/* Which of three devices it is: the number stays the same. */
static void set_device(int value)
{
	static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full"};
	int fd = open(names[value], O_RDWR);

	dup2(fd, 90);
	close(fd);
}

static int get_device(void)
{
	struct stat st;

	return fstat(90, &st) < 0 ? -1 : (int)minor(st.st_rdev);
}

static void set_cloexec(int value)
{
	if (fcntl(90, F_GETFD) < 0)
		set_device(0);
	fcntl(90, F_SETFD, value);
}

static int get_cloexec(void) { return fcntl(90, F_GETFD); }

static void set_oom(int value)
{
	char text[16];
	int fd = open("/proc/self/oom_score_adj", O_WRONLY), n = snprintf(text, sizeof text, "%d", value);

	(void)!write(fd, text, (size_t)n);
	close(fd);
}

static int get_oom(void)
{
	char text[16] = "";
	int fd = open("/proc/self/oom_score_adj", O_RDONLY);

	(void)!read(fd, text, sizeof text - 1);
	close(fd);
	return atoi(text);
}

/* The end of the heap, which the memory map shows in whole pages. */
static uintptr_t heap_end;

static void set_heap(int value)
{
	if (!heap_end)
		heap_end = ((uintptr_t)sbrk(0) + 4095) & ~(uintptr_t)4095;
	(void)!brk((void *)(heap_end + (uintptr_t)value));
}

static int get_heap(void) { return (int)((uintptr_t)sbrk(0) - heap_end); }

static const struct {
	const char *name;
	void (*set)(int);
	int (*get)(void);
} settings[] = {
	{"handler", set_handler, get_handler}, {"nocldwait", set_nocldwait, get_nocldwait}, {"limit", set_limit, get_limit},
	{"nice", set_nice, get_nice}, {"slack", set_slack, get_slack}, {"dumpable", set_dumpable, get_dumpable},
	{"huge", set_huge, get_huge}, {"persona", set_persona, get_persona}, {"device", set_device, get_device},
	{"cloexec", set_cloexec, get_cloexec}, {"oom", set_oom, get_oom}, {"heap", set_heap, get_heap},
};

static void setting(const char *arg, int set)
{
	size_t len = strcspn(arg, " ");

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (strlen(settings[i].name) == len && !memcmp(settings[i].name, arg, len)) {
			if (set)
				settings[i].set(atoi(arg + len));
			tell("%d", settings[i].get());
			return;
		}
	tell("no setting %s", arg);
}

/* ---- memory: pages that lie each for itself, so that the map looks the same when they have changed places ---- */

#define PAGE 4096
#define PAGES 4

static char *pages;

static int *page(int i)
{
	return (int *)(pages + (2 * i + 1) * PAGE);
}

static void make_pages(void)
{
	pages = mmap(NULL, (2 * PAGES + 1) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < PAGES; i++) {
		mmap(page(i), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		*page(i) = i + 1;
	}
}

static void swap_pages(int a, int b)
{
	void *aside = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mremap(page(a), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, aside);
	mremap(page(b), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(a));
	mremap(aside, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page(b));
}

static void write_protected(int i, int value)
{
	mprotect(page(i), PAGE, PROT_READ | PROT_WRITE);
	*page(i) = value;
	mprotect(page(i), PAGE, PROT_READ);
}

static void show_pages(void)
{
	tell("%d %d %d %d", *page(0), *page(1), *page(2), *page(3));
}

int inherited_command(char *c, char *arg)
{
	if (!strcmp(c, "set"))
		setting(arg, 1);
	else if (!strcmp(c, "get"))
		setting(arg, 0);
	else if (!strcmp(c, "pages")) {
		if (!pages)
			make_pages();
		show_pages();
	} else if (!strcmp(c, "swap-pages")) {
		swap_pages(0, 1);
		show_pages();
	} else if (!strcmp(c, "give-back-page"))        /* nobody looks at it: then it would be there again */
		tell("%d", madvise(page(2), PAGE, MADV_DONTNEED));
	else if (!strcmp(c, "write-page")) {
		*page(1) = atoi(arg);
		tell("%d", *page(1));
	} else if (!strcmp(c, "write-protected")) {
		write_protected(3, atoi(arg));
		show_pages();
	} else
		return 0;
	return 1;
}
