/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Remote system calls: a stopped thread executes one for us.
 *
 * Its registers are pointed at a `syscall` instruction of the vdso, and it runs into a trap that stands behind it (10 us), or,
 * where there is none, is single-stepped over it (twice that in a virtual machine).  Either stop is a signal-delivery stop, inside
 * the kernel's signal code: when the thread later goes on from there with its own registers, orig_rax included, the kernel
 * does with its interrupted system call exactly what it would have done (arch_do_signal_or_restart).  PTRACE_SYSCALL stops
 * elsewhere and would lose that.
 *
 * The trap, and behind it the loop for several calls in one go (batch.c), are in the process's own copy of that page of the
 * vdso, and only while the process stands still for us; twins keep them. */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

#include <elf.h>
#include <stdio.h>

int remote_read(pid_t pid, uint64_t addr, void *data, size_t n)
{
	struct iovec here = {data, n}, there = {(void *)addr, n};
	ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);

	if (got == (ssize_t)n)
		return 0;
	if (got >= 0)
		errno = EFAULT;
	return -1;
}

int remote_write(pid_t pid, uint64_t addr, const void *data, size_t n)
{
	struct iovec here = {(void *)data, n}, there = {(void *)addr, n};
	ssize_t put = process_vm_writev(pid, &here, 1, &there, 1, 0);

	if (put == (ssize_t)n)
		return 0;
	if (put >= 0)
		errno = EFAULT;
	return -1;
}

int trace_mask_get(pid_t tid, uint64_t *mask)
{
	return (int)ptrace(PTRACE_GETSIGMASK, tid, sizeof *mask, mask);
}

int trace_mask_set(pid_t tid, uint64_t mask)
{
	return (int)ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask);
}

/* The auxiliary vector says where the vdso is and (AT_EXECFN) where the top of the stack is: 5 us, whereas parsing the
 * maps of a Python with numpy takes 200. */
int place_find(pid_t pid, struct place *place, struct err *err)
{
	char path[64];
	cleanup_free Elf64_auxv_t *aux = NULL;
	size_t len;
	uint64_t vdso = 0, name = 0;

	snprintf(path, sizeof path, "/proc/%d/auxv", pid);
	aux = (Elf64_auxv_t *)fd_slurp(path, &len);
	if (!aux)
		return err_sys(err, "read %s", path);
	for (size_t i = 0; i < len / sizeof *aux; i++) {
		if (aux[i].a_type == AT_SYSINFO_EHDR)
			vdso = aux[i].a_un.a_val;
		else if (aux[i].a_type == AT_EXECFN)
			name = aux[i].a_un.a_val;
	}
	if (!vdso || !name)
		return err_set(err, "process %d shows no vdso or no stack: is it a 64-bit program that runs?", pid);
	/* The name is the last string on the stack; only 8 zero bytes follow (fs/exec.c). */
	place->scratch = ((name + 4095) & ~4095ull) - SCRATCH_SIZE;
	if (name >= place->scratch)
		place->scratch = (name & ~4095ull) - SCRATCH_SIZE;      /* keep the name itself readable */
	place->insn = arch_find_syscall(pid, vdso);
	if (!place->insn)
		return err_set(err, "the vdso of process %d has no system call instruction", pid);
	struct iovec here[2] = {{place->saved, SCRATCH_SIZE}, {place->behind, ARCH_CODE_SIZE}};
	struct iovec there[2] = {{(void *)place->scratch, SCRATCH_SIZE}, {(void *)arch_behind(place->insn), ARCH_CODE_SIZE}};
	if (process_vm_readv(pid, here, 2, there, 2, 0) != SCRATCH_SIZE + ARCH_CODE_SIZE)
		return err_sys(err, "read the top of the stack of process %d", pid);
	return 0;
}

static bool is_armed(pid_t pid, const struct place *place)
{
	unsigned char there[ARCH_CODE_SIZE];

	return remote_read(pid, arch_behind(place->insn), there, sizeof there) == 0 && !memcmp(there, arch_code, sizeof there);
}

/* The page is not writable, which only ptrace() overrides, and that a word at a time. */
static void put_behind(pid_t pid, const struct place *place, const unsigned char *bytes)
{
	_Static_assert(ARCH_CODE_SIZE % sizeof(long) == 0, "whole words");
	for (size_t i = 0; i < ARCH_CODE_SIZE; i += sizeof(long)) {
		long word;
		memcpy(&word, bytes + i, sizeof word);
		ptrace(PTRACE_POKETEXT, pid, arch_behind(place->insn) + i, word);
	}
}

void place_arm(pid_t pid, const struct place *place)
{
	if (!fault("ckpt-code"))
		put_behind(pid, place, arch_code);
}

void place_disarm(pid_t pid, const struct place *place)
{
	put_behind(pid, place, place->behind);
}

int remote_open(struct remote *r, pid_t tid, const struct place *place, struct err *err)
{
	*r = (struct remote){.tid = tid, .place = place};
	if (arch_get_regs(tid, &r->regs) < 0)
		return err_sys(err, "read the registers of thread %d", tid);
	if (trace_mask_set(tid, ~(1ull << (SIGTRAP - 1))) < 0)
		return err_sys(err, "block the signals of thread %d", tid);
	r->code = is_armed(tid, place);
	return 0;
}

static long gone(struct remote *r)
{
	r->dead = true;
	return -ESRCH;
}

long remote_syscall(struct remote *r, long nr, const uint64_t args[6])
{
	struct arch_regs regs = r->regs;
	long result = -ESRCH;

	if (r->via)
		return tracer_syscall(r, nr, args);
	if (r->dead)
		return -ESRCH;
	fault_kill(r->tid);
	/* A stack pointer elsewhere than on the program's alternate stack: sigaltstack() refuses to change that one. */
	arch_set_call(&regs, r->place->insn, r->place->scratch, nr, args);
	if (arch_set_regs(r->tid, &regs) < 0)
		return gone(r);
	r->child = 0;
	do {
		if (ptrace(r->code ? PTRACE_CONT : PTRACE_SINGLESTEP, r->tid, 0, 0) < 0 || trace_wait(r->tid, &r->status) < 0)
			return gone(r);
		int event = r->status >> 16;
		if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) {
			unsigned long pid = 0;
			ptrace(PTRACE_GETEVENTMSG, r->tid, 0, &pid);
			r->child = (pid_t)pid;
			continue;       /* still inside the call */
		}
		if (arch_get_regs(r->tid, &regs) < 0)
			return gone(r);
	} while (r->status >> 16 || !arch_call_done(&regs, r->place->insn, &result));
	return result;
}

int remote_run(struct remote *r, uint64_t table, size_t n)
{
	struct arch_regs regs = r->regs;
	uint64_t end = arch_run_end(r->place->insn);

	if (r->via)
		return tracer_run_code(r, table, n);
	if (r->dead)
		return -1;
	fault_kill(r->tid);
	arch_set_run(&regs, r->place->insn, table, n);
	if (arch_set_regs(r->tid, &regs) < 0)
		return (int)gone(r);
	do {
		if (ptrace(PTRACE_CONT, r->tid, 0, 0) < 0 || trace_wait(r->tid, &r->status) < 0)
			return (int)gone(r);
		errno = 0;      /* another stop is a SIGSTOP from outside; a number that is no address, an error */
	} while ((uint64_t)ptrace(PTRACE_PEEKUSER, r->tid, ARCH_PC_OFFSET, 0) != end && !errno);
	return errno ? (int)gone(r) : 0;
}

pid_t remote_clone(struct remote *r, const struct remote_clone *how)
{
	struct { struct clone_args args; pid_t want[2]; } box = {0};
	int status;

	_Static_assert(sizeof box <= SCRATCH_SIZE, "clone arguments fit the scratch bytes");
	box.args.flags = how->flags;
	box.args.tls = how->tls;
	box.args.child_tid = how->child_tid;
	if (how->want) {
		box.want[0] = how->want;
		box.args.set_tid = r->place->scratch + ((char *)box.want - (char *)&box);
		box.args.set_tid_size = 1;
	}
	if (remote_write(r->tid, r->place->scratch, &box, sizeof box) < 0)
		return -errno;
	long result = remote_call(r, SYS_clone3, r->place->scratch, sizeof box.args);
	/* Containers answer clone3 with ENOSYS so that libc falls back to clone, whose flags a filter can read. */
	if (result == -ENOSYS && !how->want)
		result = remote_call(r, SYS_clone, how->flags, 0, 0, how->child_tid, how->tls);
	if (result < 0 || r->via)
		return (pid_t)result;
	if (!r->child)
		return -ECHILD;
	if (trace_wait(r->child, &status) < 0)
		return -ESRCH;
	return r->child;
}
