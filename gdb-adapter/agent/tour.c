/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/tour.h"

#include <signal.h>
#include <string.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { BREAKPOINT = 0xcc, TOURS = 256, FROM = 64, GUARDS = 256 };

static struct tour {
	uint64_t first, last;           /* its span */
	uint64_t from[FROM], exits[TOUR_EXITS];
	size_t n_from, n_exits;
} tours[TOURS];
static size_t n_tours;
static unsigned long made;

static uint64_t guards[GUARDS];         /* addresses of gdb's breakpoints */
static size_t n_guards;                 /* GUARDS: and more */

void tours_forget(void)
{
	n_tours = 0;
}

uint64_t tour_pc(ptrace_function *real, pid_t tid)
{
	return (uint64_t)real(PTRACE_PEEKUSER, tid, (void *)offsetof(struct user, regs.rip), NULL);
}

/* The program goes on until it stops, for whatever reason.  The breakpoint of ours that it is at, or 0. */
static uint64_t run_to(ptrace_function *real, pid_t tid, const uint64_t *to, size_t n)
{
	siginfo_t info = { 0 };
	uint64_t at;

	if (real(PTRACE_CONT, tid, NULL, NULL) < 0)
		return 0;
	while (waitid(P_PID, (id_t)tid, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL) < 0)
		;
	if (info.si_code != CLD_TRAPPED || info.si_status != SIGTRAP)
		return 0;
	at = tour_pc(real, tid) - 1;
	for (size_t i = 0; i < n; i++)
		if (to[i] == at)
			return at;
	return 0;
}

/* It is there before the breakpoint.  stepped: gdb is to wait for it, and to hear that a step has led there, which is told by siginfo (gdb's
 * linux-nat.c, save_stop_reason()); else it does not hear of it. */
static void settle(ptrace_function *real, pid_t tid, uint64_t at, bool stepped)
{
	siginfo_t info = { .si_signo = SIGTRAP, .si_code = TRAP_TRACE, .si_addr = (void *)at };
	int status;

	real(PTRACE_POKEUSER, tid, (void *)offsetof(struct user, regs.rip), (void *)at);
	if (stepped)
		real(PTRACE_SETSIGINFO, tid, NULL, &info);
	else
		waitpid(tid, &status, __WALL);
}

/* The last one first: words overlap. */
static void take_out(ptrace_function *real, pid_t tid, const uint64_t *to, const long *words, size_t n)
{
	while (n-- > 0)
		real(PTRACE_POKETEXT, tid, (void *)to[n], (void *)words[n]);
}

/* False: where gdb has a breakpoint itself, or nothing can be read, it comes step by step. */
static bool put_in(ptrace_function *real, pid_t tid, const uint64_t *to, long *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		words[i] = real(PTRACE_PEEKTEXT, tid, (void *)to[i], NULL);
		if ((words[i] & 0xff) != BREAKPOINT && words[i] != -1 &&
		    real(PTRACE_POKETEXT, tid, (void *)to[i], (void *)((words[i] & ~0xffL) | BREAKPOINT)) >= 0)
			continue;
		take_out(real, tid, to, words, i);
		return false;
	}
	return true;
}

enum tour_end tour_run(ptrace_function *real, pid_t tid, const uint64_t *to, size_t n, bool stepped)
{
	long words[TOUR_EXITS];
	sigset_t child, before;
	uint64_t at;

	if (!put_in(real, tid, to, words, n))
		return TOUR_NONE;
	/* Its handler would wake gdb for what it shall not see. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	at = run_to(real, tid, to, n);
	take_out(real, tid, to, words, n);
	if (at != 0)
		settle(real, tid, at, stepped);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return at != 0 ? TOUR_OURS : TOUR_GDBS;
}

static bool is_guarded(const struct tour *t)
{
	for (size_t i = 0; i < n_guards; i++)
		if (guards[i] >= t->first && guards[i] <= t->last)
			return true;
	return n_guards == GUARDS;
}

static bool begins(const struct tour *t, uint64_t pc)
{
	for (size_t i = 0; i < t->n_from; i++)
		if (t->from[i] == pc)
			return true;
	return false;
}

bool tour_from(ptrace_function *real, pid_t tid, uint64_t pc)
{
	enum tour_end end = TOUR_NONE;

	for (size_t i = 0; i < n_tours && end == TOUR_NONE; i++)
		if (begins(&tours[i], pc) && !is_guarded(&tours[i]))
			end = tour_run(real, tid, tours[i].exits, tours[i].n_exits, true);
	made += end == TOUR_OURS;
	return end != TOUR_NONE;
}

static bool learn(uint64_t first, uint64_t last, const uint64_t *from, size_t n_from, const uint64_t *exits, size_t n_exits)
{
	struct tour *t = &tours[n_tours];

	if (n_tours == TOURS)
		return false;
	if (n_from > FROM)
		n_from = FROM;          /* a tour begins a little later */
	if (n_exits == 0 || n_exits > TOUR_EXITS)
		return true;
	*t = (struct tour){ .first = first, .last = last, .n_from = n_from, .n_exits = n_exits };
	memcpy(t->from, from, n_from * sizeof *from);
	memcpy(t->exits, exits, n_exits * sizeof *exits);
	n_tours++;
	return true;
}

static void guard(const uint64_t *at, size_t n)
{
	n_guards = n < GUARDS ? n : GUARDS;
	memcpy(guards, at, n_guards * sizeof *at);
}

/* For the tests' harness, as in stride.c. */
__attribute__((visibility("default"))) int fred_stride_tour(uint64_t, uint64_t, const uint64_t *, size_t, const uint64_t *, size_t);
int fred_stride_tour(uint64_t first, uint64_t last, const uint64_t *from, size_t n_from, const uint64_t *exits, size_t n_exits)
{
	return learn(first, last, from, n_from, exits, n_exits);
}

__attribute__((visibility("default"))) void fred_stride_guard(const uint64_t *at, size_t n);
void fred_stride_guard(const uint64_t *at, size_t n)
{
	guard(at, n);
}

__attribute__((visibility("default"))) unsigned long fred_tours(void);
unsigned long fred_tours(void)
{
	return made;
}

/* How many there are; at most `room` of them are taken. */
static size_t take_list(object *list, uint64_t *at, size_t room)
{
	ssize_t n = list != NULL ? PyList_Size(list) : 0;

	for (ssize_t i = 0; i < n && (size_t)i < room; i++)
		at[i] = (uint64_t)PyLong_AsLong(PyList_GetItem(list, i));
	return n > 0 ? (size_t)n : 0;
}

static uint64_t address(object *args, int n)
{
	return (uint64_t)PyLong_AsLong(PyTuple_GetItem(args, n));
}

object *py_stride_tour(object *self, object *args)
{
	uint64_t from[FROM] = {0}, exits[TOUR_EXITS] = {0};
	size_t n_from = take_list(PyTuple_GetItem(args, 2), from, FROM), n_exits = take_list(PyTuple_GetItem(args, 3), exits, TOUR_EXITS);
	bool room = learn(address(args, 0), address(args, 1), from, n_from, exits, n_exits);

	return PyErr_Occurred() ? NULL : boolean(room);
}

object *py_stride_guard(object *self, object *args)
{
	uint64_t at[GUARDS] = {0};

	guard(at, take_list(PyTuple_GetItem(args, 0), at, GUARDS));
	return PyErr_Occurred() ? NULL : none();
}
