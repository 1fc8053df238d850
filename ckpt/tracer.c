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

/* The vector registers do not fit into the scratch bytes.  Mapped for the operation only: the program's memory map is not
 * changed. */
static long lend(struct remote *r, uint64_t protection)
{
	return remote_call(r, SYS_mmap, 0, TRACER_BUFFER, protection, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1);
}

int tracer_open(struct tracer *t, struct remote *r, struct err *err)
{
	bool code = true;
	long at = lend(r, PROT_READ | PROT_WRITE | PROT_EXEC);

	/* SELinux and the like may forbid memory that is both written and executed. */
	if (at < 0 && at >= -4095) {
		code = false;
		at = lend(r, PROT_READ | PROT_WRITE);
	}
	*t = (struct tracer){0};
	if (at < 0 && at >= -4095) {
		errno = (int)-at;
		return err_sys(err, "get %d bytes of memory in process %d", TRACER_BUFFER, r->tid);
	}
	*t = (struct tracer){.r = r, .buffer = (uint64_t)at, .size = TRACER_BUFFER, .mapped = true};
	uint64_t code_at = t->buffer + TRACER_BUFFER - 128;
	if (code && remote_write(r->tid, code_at, arch_batch_code, arch_batch_size) == 0)
		t->code = code_at;
	return 0;
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

/* Sets the registers, if there are any; steps or runs to the next stop; reads the registers there. */
static int to_next_stop(struct remote *r, const struct arch_regs *set, int how, struct arch_regs *got)
{
	struct batch b;
	struct regset_box box = {.v = {NULL, sizeof *got}};
	struct iovec *v;

	batch_begin(&b, r->via);
	uint64_t regs = set ? batch_put(&b, set, sizeof *set) : 0;
	struct iovec in = {(void *)regs, sizeof *set};
	uint64_t in_at = set ? batch_put(&b, &in, sizeof in) : 0;
	uint64_t out_at = batch_put(&b, &box.v, sizeof box.v);
	uint64_t out = batch_put(&b, &box.regs, sizeof box.regs);
	v = batch_at(&b, out_at);
	v->iov_base = (void *)out;
	uint64_t status = batch_room(&b, sizeof r->status);
	if (set)
		batch_call(&b, SYS_ptrace, PTRACE_SETREGSET, (uint64_t)r->ns_tid, NT_PRSTATUS, in_at);
	batch_call(&b, SYS_ptrace, (uint64_t)how, (uint64_t)r->ns_tid, 0, 0);
	size_t waited = batch_call(&b, SYS_wait4, (uint64_t)r->ns_tid, status, __WALL, 0);
	batch_call(&b, SYS_ptrace, PTRACE_GETREGSET, (uint64_t)r->ns_tid, NT_PRSTATUS, out_at);
	if (batch_run(&b) < 0)
		return -1;
	memcpy(&r->status, batch_at(&b, status), sizeof r->status);
	memcpy(got, batch_at(&b, out), sizeof *got);
	return batch_check(&b, 0, b.n) < 0 || b.calls[waited].result != r->ns_tid || !WIFSTOPPED(r->status) ? -1 : 0;
}

int tracer_run(struct remote *r, const struct arch_regs *set, int how, struct arch_regs *got)
{
	for (;;) {
		if (to_next_stop(r, set, how, got) < 0)
			return -1;
		/* It cannot be blocked.  A debugger may have sent one that has not come yet, and wait for it. */
		if (r->status >> 8 != SIGSTOP)
			return 0;
		r->stops++;
		set = NULL;
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
	struct arch_regs call = r->regs, now;
	const struct arch_regs *set = &call;
	long result = -ESRCH;

	if (r->dead)
		return -ESRCH;
	arch_set_call(&call, r->place->insn, r->place->scratch, nr, args);
	while (tracer_run(r, set, PTRACE_SINGLESTEP, &now) == 0) {
		if (arch_call_done(&now, r->place->insn, &result))
			return result;
		set = NULL;
	}
	r->dead = true;
	return -ESRCH;
}
