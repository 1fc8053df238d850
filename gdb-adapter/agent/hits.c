/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/hits.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { ROOM = 64, BREAKPOINT = 0xcc, CODE_BREAKPOINT = 0x80 };  /* SI_KERNEL: that of int3 on x86 */

static struct { uint64_t pc; uint8_t byte; } places[ROOM];
static int n_places;
static pid_t counting;                  /* the process, 0: none */
static unsigned long count, halt;

object *py_hits_arm(object *self, object *args)
{
	object *list = PyTuple_GetItem(args, 2);
	ssize_t n = list != NULL ? PyList_Size(list) / 2 : 0;

	counting = (pid_t)PyLong_AsLong(PyTuple_GetItem(args, 0));
	halt = (unsigned long)PyLong_AsLong(PyTuple_GetItem(args, 1));
	count = counting != 0 ? 0 : count;
	for (n_places = 0; n_places < n && n_places < ROOM; n_places++) {
		places[n_places].pc = (uint64_t)PyLong_AsLong(PyList_GetItem(list, 2 * n_places));
		places[n_places].byte = (uint8_t)PyLong_AsLong(PyList_GetItem(list, 2 * n_places + 1));
	}
	return PyErr_Occurred() ? NULL : none();
}

object *py_hits_count(object *self, object *args)
{
	count += (unsigned long)PyLong_AsLong(PyTuple_GetItem(args, 0));
	return PyErr_Occurred() ? NULL : PyLong_FromLong((long)count);
}

static void *rip(void)
{
	return (void *)offsetof(struct user, regs.rip);
}

static bool is_plain_trap(int status)
{
	return WIFSTOPPED(status) && status >> 8 == SIGTRAP;
}

/* Which of the places; -1: it is another stop. */
static int place_of(ptrace_function *real, pid_t tid, int status)
{
	siginfo_t info = { 0 };
	uint64_t pc;

	if (!is_plain_trap(status) || real(PTRACE_GETSIGINFO, tid, NULL, &info) != 0 || info.si_code != CODE_BREAKPOINT)
		return -1;
	pc = (uint64_t)real(PTRACE_PEEKUSER, tid, rip(), NULL) - 1;
	for (int i = 0; i < n_places; i++)
		if (places[i].pc == pc)
			return i;
	return -1;
}

static int wait_for(pid_t tid)
{
	int status = 0;

	/* waitpid() would come here again. */
	while (wait4(tid, &status, __WALL, NULL) < 0)
		;
	return status;
}

static bool put_byte(ptrace_function *real, pid_t tid, uint64_t at, uint8_t byte)
{
	long word = real(PTRACE_PEEKTEXT, tid, (void *)at, NULL);

	return real(PTRACE_POKETEXT, tid, (void *)at, (void *)((word & ~0xffL) | byte)) == 0;
}

/* Over the instruction, and on to the next stop, of which that is the status. */
static int step_over(ptrace_function *real, pid_t tid, uint64_t pc, uint8_t byte)
{
	siginfo_t info = { 0 };
	int status;

	put_byte(real, tid, pc, byte);
	real(PTRACE_POKEUSER, tid, rip(), (void *)pc);
	real(PTRACE_SINGLESTEP, tid, NULL, NULL);
	status = wait_for(tid);
	put_byte(real, tid, pc, BREAKPOINT);
	/* A signal has come, say, or the instruction was a fork(). */
	if (!is_plain_trap(status) || real(PTRACE_GETSIGINFO, tid, NULL, &info) != 0 || info.si_code != TRAP_TRACE)
		return status;
	real(PTRACE_CONT, tid, NULL, NULL);
	return wait_for(tid);
}

int hits_pass(ptrace_function *real, enum __ptrace_request request, pid_t tid, int status)
{
	sigset_t child, before;
	int i;

	if (counting == 0 || counting != tid || request != PTRACE_CONT)
		return status;
	/* Its handler would wake gdb for what it shall not see. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	while ((i = place_of(real, tid, status)) >= 0 && (halt == 0 || count + 1 < halt)) {
		count++;
		status = step_over(real, tid, places[i].pc, places[i].byte);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return status;
}
