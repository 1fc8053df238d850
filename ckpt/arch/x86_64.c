/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the engine must know of x86-64: registers, the system call instruction, and how the kernel marks a system call
 * that was interrupted.  Only the 64-bit ABI: a 32-bit program is refused where its vdso has no `syscall`. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "ckpt/arch/x86_64.h"
#include "ckpt/ckpt_priv.h"

#define SYSCALL_SIZE 2                  /* 0f 05 */

/* asm/prctl.h; the last is newer than some libc's headers. */
#define ARCH_GET_CPUID 0x1011
#define ARCH_GET_XCOMP_PERM 0x1022

void arch_ask_setting(struct batch *b, int i, uint64_t at)
{
	_Static_assert(ARCH_SETTINGS == 3, "as many as there are here");
	if (i == 0)
		batch_call(b, SYS_prctl, PR_GET_TSC, at);
	else if (i == 1)
		batch_call(b, SYS_arch_prctl, ARCH_GET_CPUID, 0);
	else
		batch_call(b, SYS_arch_prctl, ARCH_GET_XCOMP_PERM, at);
}

int arch_get_regs(pid_t tid, struct arch_regs *regs)
{
	struct iovec v = {&regs->r, sizeof regs->r};

	return (int)ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &v);
}

int arch_set_regs(pid_t tid, const struct arch_regs *regs)
{
	struct iovec v = {(void *)&regs->r, sizeof regs->r};

	return (int)ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &v);
}

int arch_get_xstate(pid_t tid, void **state, size_t *len)
{
	static size_t size = 4096;      /* 2.7 KB with AVX-512, 11 KB with AMX */

	for (;;) {
		struct iovec v = {xmalloc(size), size};
		if (ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &v) < 0) {
			free(v.iov_base);
			return -1;
		}
		if (v.iov_len < size) {
			*state = xrealloc(v.iov_base, v.iov_len);
			*len = v.iov_len;
			return 0;
		}
		free(v.iov_base);       /* filled to the brim: there may have been more */
		size *= 2;
	}
}

int arch_set_xstate(pid_t tid, const void *state, size_t len)
{
	struct iovec v = {(void *)state, len};

	return (int)ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &v);
}

static bool is_syscall(pid_t pid, uint64_t at)
{
	unsigned char insn[SYSCALL_SIZE];

	return remote_read(pid, at, insn, sizeof insn) == 0 && insn[0] == 0x0f && insn[1] == 0x05;
}

uint64_t arch_find_syscall(pid_t pid, uint64_t vdso)
{
	static uint64_t before;         /* of one kernel all vdsos are the same */
	unsigned char text[4096];

	if (before && is_syscall(pid, vdso + before))
		return vdso + before;
	/* The code is in the first pages; the vdso of Linux 6 has two.  What we put behind it must be in the same page. */
	for (uint64_t page = vdso; page < vdso + 4 * sizeof text; page += sizeof text) {
		if (remote_read(pid, page, text, sizeof text) < 0)
			return 0;
		for (unsigned i = 0; i + SYSCALL_SIZE + ARCH_CODE_SIZE <= sizeof text; i++)
			if (text[i] == 0x0f && text[i + 1] == 0x05) {
				before = page + i - vdso;
				return page + i;
			}
	}
	return 0;
}

void arch_set_call(struct arch_regs *regs, uint64_t insn, uint64_t stack, long nr, const uint64_t args[6])
{
	struct user_regs_struct *r = &regs->r;

	r->rip = insn;
	r->rsp = stack;
	r->orig_rax = -1ull;            /* not in a system call: nothing for the kernel to restart */
	r->rax = (unsigned long long)nr;
	r->rdi = args[0];
	r->rsi = args[1];
	r->rdx = args[2];
	r->r10 = args[3];
	r->r8 = args[4];
	r->r9 = args[5];
}

/* rsp points at the table of ckpt/batch.c, rbx says how many calls are in it. */
const unsigned char arch_code[ARCH_CODE_SIZE] = {
	0xcc,
	0x58,                           /* next: pop %rax */
	0x5f, 0x5e, 0x5a,               /* pop %rdi, %rsi, %rdx */
	0x41, 0x5a,                     /* pop %r10 */
	0x41, 0x58,                     /* pop %r8 */
	0x41, 0x59,                     /* pop %r9 */
	0x0f, 0x05,                     /* syscall */
	0x48, 0x89, 0x04, 0x24,         /* mov %rax,(%rsp) */
	0x59,                           /* pop %rcx */
	0xff, 0xcb,                     /* dec %ebx */
	0x75, 0xeb,                     /* jne next */
	0xcc, 0xcc,
};
#define CODE_LOOP 1
#define CODE_END 23                     /* behind the trap that ends it */

void arch_set_run(struct arch_regs *regs, uint64_t insn, uint64_t table, size_t n)
{
	regs->r.rip = arch_behind(insn) + CODE_LOOP;
	regs->r.rsp = table;
	regs->r.rbx = n;
	regs->r.orig_rax = -1ull;
}

bool arch_is_at(const struct arch_regs *regs, uint64_t address)
{
	return regs->r.rip == address;
}

uint64_t arch_run_end(uint64_t insn)
{
	return arch_behind(insn) + CODE_END;
}

uint64_t arch_behind(uint64_t insn)
{
	return insn + SYSCALL_SIZE;
}

bool arch_call_done(const struct arch_regs *regs, uint64_t insn, long *result)
{
	*result = (long)regs->r.rax;
	/* Stepped over it, or past the trap behind it. */
	return regs->r.rip == insn + SYSCALL_SIZE || regs->r.rip == insn + SYSCALL_SIZE + 1;
}

uint64_t arch_tls(const struct arch_regs *regs)
{
	return regs->r.fs_base;
}

static void again(struct user_regs_struct *r)
{
	r->rip -= SYSCALL_SIZE;
	r->rax = r->orig_rax;
	r->orig_rax = -1ull;
}

/* A relative wait goes on with what remains of it, where the kernel tells: it wrote that to the address that the program
 * gave for it before the freeze was visible (kernel/time/hrtimer.c, nanosleep_copyout).  Where the program gave none
 * (nanosleep with NULL, poll, FUTEX_WAIT with a timeout) nothing outside the kernel knows, and the wait begins anew. */
static void remaining_time(struct user_regs_struct *r)
{
	if (r->orig_rax == SYS_nanosleep && r->rsi)
		r->rdi = r->rsi;
	else if (r->orig_rax == SYS_clock_nanosleep && r->r10)
		r->rdx = r->r10;
}

/* glibc's way: mov $number,%eax; syscall. */
static long number_before(pid_t pid, uint64_t rip)
{
	unsigned char code[5 + SYSCALL_SIZE];
	uint32_t number;

	if (remote_read(pid, rip - sizeof code, code, sizeof code) < 0 || code[0] != 0xb8)
		return -1;
	memcpy(&number, code + 1, sizeof number);
	return number;
}

static bool same_call(const struct user_regs_struct *a, const struct user_regs_struct *b)
{
	return a->rip == b->rip && a->rsp == b->rsp && a->rdi == b->rdi && a->rsi == b->rsi;
}

void arch_name_restarted(pid_t pid, struct arch_regs *regs, struct arch_regs *seen)
{
	struct user_regs_struct *r = &regs->r;

	if ((long)r->orig_rax >= 0 && (long)r->rax == -ERESTART_RESTARTBLOCK && r->orig_rax == SYS_restart_syscall) {
		long number = number_before(pid, r->rip);
		if (number < 0 && seen && same_call(r, &seen->r))
			number = (long)seen->r.orig_rax;
		if (number >= 0)
			r->orig_rax = (unsigned long long)number;
	}
	if (seen)
		*seen = *regs;
}

bool arch_waits(const struct arch_regs *regs)
{
	if ((long)regs->r.orig_rax < 0)
		return false;
	switch (-(long)regs->r.rax) {
	case ERESTART_RESTARTBLOCK:
	case ERESTARTSYS:
	case ERESTARTNOINTR:
	case ERESTARTNOHAND:
		return true;
	default:
		return false;
	}
}

void arch_rewind(struct arch_regs *regs)
{
	struct user_regs_struct *r = &regs->r;

	if ((long)r->orig_rax < 0)
		return;
	if (!arch_waits(regs)) {
		r->orig_rax = -1ull;
		return;
	}
	if (-(long)r->rax == ERESTART_RESTARTBLOCK)
		remaining_time(r);
	again(r);
}

/* signal(7), "Interruption of system calls and library functions by stop signals". */
static bool ends_with_eintr(long nr)
{
	static const long calls[] = {
		SYS_epoll_wait, SYS_epoll_pwait, 441 /* epoll_pwait2 */, SYS_semop, SYS_semtimedop,
		SYS_rt_sigtimedwait, SYS_io_getevents, 333 /* io_pgetevents */,
	};

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i] == nr)
			return true;
	return false;
}

bool arch_rewind_eintr(pid_t tid, struct arch_regs *regs, uint64_t *until, uint64_t *timeout)
{
	struct user_regs_struct *r = &regs->r;
	/* If a handler had run, or was about to, these would be the handler's registers: not right after a syscall. */
	if ((long)r->orig_rax < 0 || (long)r->rax != -EINTR || !ends_with_eintr((long)r->orig_rax))
		return false;
	if (!is_syscall(tid, r->rip - SYSCALL_SIZE))
		return false;
	bool milliseconds = r->orig_rax == SYS_epoll_wait || r->orig_rax == SYS_epoll_pwait;
	again(r);
	if (!milliseconds || (int)r->r10 <= 0) {
		*until = 0;
		return true;
	}
	/* When the wait began is not known, only when we first saw it: it may last up to twice as long, but however
	 * often it is frozen it ends. */
	uint64_t now = clock_us();
	if (!*until || *timeout != r->r10)
		*until = now + (uint64_t)r->r10 * 1000;
	r->r10 = *until > now ? (*until - now + 999) / 1000 : 0;
	*timeout = r->r10;
	return true;
}
