/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ptrace() of a process that the leader traces, through the leader.
 *
 * A process has one tracer, and here it is the debugger.  So the debugger's thread, frozen by us, makes the ptrace() and
 * wait4() calls.  A remote system call in the traced thread then is four such calls, each a remote call in the debugger.
 * The step over the system call ends, as in remote.c, in a signal-delivery stop: given back its registers and its siginfo
 * there, the thread goes on as it would have from the stop that its debugger knows. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

#ifndef PTRACE_GETSIGMASK
#define PTRACE_GETSIGMASK 0x420a
#define PTRACE_SETSIGMASK 0x420b
#endif

int tracer_open(struct tracer *t, struct remote *r, struct err *err)
{
	/* The vector registers do not fit into the scratch bytes.  Mapped for the operation only: the program's memory map
	 * is not changed. */
	long at = remote_call(r, SYS_mmap, 0, TRACER_BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      (uint64_t)-1);

	*t = (struct tracer){.r = r, .buffer = (uint64_t)at, .size = TRACER_BUFFER, .mapped = true};
	if (at >= 0 || at < -4095)
		return 0;
	*t = (struct tracer){0};
	errno = (int)-at;
	return err_sys(err, "get %d bytes of memory in process %d", TRACER_BUFFER, r->tid);
}

void tracer_close(struct tracer *t)
{
	if (t->mapped)
		remote_call(t->r, SYS_munmap, t->buffer, t->size);
	t->mapped = false;
}

void tracer_on_scratch(struct tracer *t, struct remote *r)
{
	*t = (struct tracer){.r = r, .buffer = r->place->scratch, .size = SCRATCH_SIZE};
}

int tracer_ptrace(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, uint64_t data)
{
	long result = remote_call(t->r, SYS_ptrace, (uint64_t)request, (uint64_t)ns_tid, addr, data);

	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return (int)result;
}

int tracer_get(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, void *data, size_t n)
{
	int result = tracer_ptrace(t, request, ns_tid, addr, t->buffer);

	if (result >= 0 && remote_read(t->r->tid, t->buffer, data, n) < 0)
		return -1;
	return result;
}

int tracer_put(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, const void *data, size_t n)
{
	if (remote_write(t->r->tid, t->buffer, data, n) < 0)
		return -1;
	return tracer_ptrace(t, request, ns_tid, addr, t->buffer);
}

int tracer_wait(const struct tracer *t, pid_t ns_tid, int *status)
{
	long result = remote_call(t->r, SYS_wait4, (uint64_t)ns_tid, t->buffer, __WALL, 0);

	if (result != ns_tid) {
		errno = result < 0 ? (int)-result : ECHILD;
		return -1;
	}
	return remote_read(t->r->tid, t->buffer, status, sizeof *status);
}

struct regset_box {
	struct iovec v;
	struct arch_regs regs;
};

int tracer_get_regs(const struct tracer *t, pid_t ns_tid, struct arch_regs *regs)
{
	struct regset_box box = {.v = {(void *)(t->buffer + offsetof(struct regset_box, regs)), sizeof *regs}};

	if (tracer_put(t, PTRACE_GETREGSET, ns_tid, NT_PRSTATUS, &box.v, sizeof box.v) < 0 ||
	    remote_read(t->r->tid, t->buffer, &box, sizeof box) < 0)
		return -1;
	if (box.v.iov_len != sizeof *regs) {
		errno = ENOEXEC;        /* a 32-bit program: fewer and smaller registers */
		return -1;
	}
	*regs = box.regs;
	return 0;
}

int tracer_set_regs(const struct tracer *t, pid_t ns_tid, const struct arch_regs *regs)
{
	struct regset_box box = {
		.v = {(void *)(t->buffer + offsetof(struct regset_box, regs)), sizeof *regs},
		.regs = *regs,
	};

	return tracer_put(t, PTRACE_SETREGSET, ns_tid, NT_PRSTATUS, &box, sizeof box);
}

int tracer_get_xstate(const struct tracer *t, pid_t ns_tid, void **state, size_t *len)
{
	struct iovec v = {(void *)(t->buffer + sizeof v), t->size - sizeof v};

	if (tracer_put(t, PTRACE_GETREGSET, ns_tid, NT_X86_XSTATE, &v, sizeof v) < 0 ||
	    remote_read(t->r->tid, t->buffer, &v, sizeof v) < 0)
		return -1;
	*len = v.iov_len;
	*state = xmalloc(*len);
	return remote_read(t->r->tid, t->buffer + sizeof v, *state, *len);
}

int tracer_get_mask(const struct tracer *t, pid_t ns_tid, uint64_t *mask)
{
	return tracer_get(t, PTRACE_GETSIGMASK, ns_tid, sizeof *mask, mask, sizeof *mask);
}

int tracer_set_mask(const struct tracer *t, pid_t ns_tid, uint64_t mask)
{
	return tracer_put(t, PTRACE_SETSIGMASK, ns_tid, sizeof mask, &mask, sizeof mask);
}

int tracer_resume(struct remote *r, int how)
{
	for (;;) {
		if (tracer_ptrace(r->via, how, r->ns_tid, 0, 0) < 0 || tracer_wait(r->via, r->ns_tid, &r->status) < 0 ||
		    !WIFSTOPPED(r->status))
			return -1;
		/* It cannot be blocked.  A debugger may have sent one that has not come yet, and wait for it. */
		if (r->status >> 8 != SIGSTOP)
			return 0;
		r->stops++;
	}
}

int tracer_remote(struct remote *r, const struct tracer *via, pid_t tid, pid_t ns_tid, const struct place *place,
		  struct err *err)
{
	*r = (struct remote){.tid = tid, .ns_tid = ns_tid, .place = place, .via = via};
	if (tracer_get_regs(via, ns_tid, &r->regs) < 0)
		return err_sys(err, "read the registers of thread %d", tid);
	if (tracer_set_mask(via, ns_tid, ~(1ull << (SIGTRAP - 1))) < 0)
		return err_sys(err, "block the signals of thread %d", tid);
	return 0;
}

long tracer_syscall(struct remote *r, long nr, const uint64_t args[6])
{
	struct arch_regs regs = r->regs;
	long result = -ESRCH;

	if (r->dead)
		return -ESRCH;
	arch_set_call(&regs, r->place->insn, r->place->scratch, nr, args);
	if (tracer_set_regs(r->via, r->ns_tid, &regs) < 0)
		r->dead = true;
	while (!r->dead) {
		if (tracer_resume(r, PTRACE_SINGLESTEP) < 0 || tracer_get_regs(r->via, r->ns_tid, &regs) < 0)
			r->dead = true;
		else if (arch_call_done(&regs, r->place->insn, &result))
			return result;
	}
	return -ESRCH;
}
