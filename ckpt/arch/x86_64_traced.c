/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is particular to x86-64 in a thread that a debugger has stopped: debug registers, faults, half-done system calls. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ckpt/arch/x86_64.h"
#include "ckpt/ckpt_priv.h"

size_t arch_debug_offset(unsigned i)
{
	return offsetof(struct user, u_debugreg) + i * sizeof(((struct user *)0)->u_debugreg[0]);
}

int arch_debug_get(const struct tracer *t, pid_t ns_tid, struct arch_debug *d)
{
	static const unsigned others[] = {0, 1, 2, 3, 6};

	if (tracer_get(t, PTRACE_PEEKUSER, ns_tid, arch_debug_offset(ARCH_DEBUG_CONTROL), &d->r[ARCH_DEBUG_CONTROL], sizeof d->r[ARCH_DEBUG_CONTROL]) < 0)
		return -1;
	for (size_t i = 0; d->r[ARCH_DEBUG_CONTROL] && i < sizeof others / sizeof *others; i++)
		if (tracer_get(t, PTRACE_PEEKUSER, ns_tid, arch_debug_offset(others[i]), &d->r[others[i]],
			       sizeof d->r[0]) < 0)
			return -1;
	return 0;
}

int arch_debug_set(pid_t tid, const struct arch_debug *d)
{
	static const unsigned order[] = {0, 1, 2, 3, 6, ARCH_DEBUG_CONTROL};       /* what DR7 enables has to be there */

	for (size_t i = 0; d->r[ARCH_DEBUG_CONTROL] && i < sizeof order / sizeof *order; i++)
		if (ptrace(PTRACE_POKEUSER, tid, arch_debug_offset(order[i]), d->r[order[i]]) < 0)
			return -1;
	return 0;
}

bool arch_is_fault(const siginfo_t *info)
{
	int sig = info->si_signo;

	return info->si_code > 0 && (sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL);
}

/* The call's registers stay as the debugger may have seen them; the kernel winds it back when the thread goes on, as it
 * would have.  Except a timed wait's: what the kernel knows of that stays with the thread that began it. */
void arch_resumable(struct arch_regs *regs)
{
	struct arch_regs again = *regs;

	if ((long)regs->r.orig_rax < 0 || (long)regs->r.rax != -ERESTART_RESTARTBLOCK)
		return;
	arch_rewind(&again);
	regs->r.rdi = again.r.rdi;      /* the time that remains, where the kernel told it */
	regs->r.rdx = again.r.rdx;
	regs->r.rax = (unsigned long long)-ERESTARTNOHAND;
}

static volatile long watched;

/* Traced by us, and writes what is watched once. */
_Noreturn static void write_watched(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 && raise(SIGSTOP) == 0)
		watched = 1;
	_exit(0);
}

/* DR0 at it, DR7: enabled for this task, for writes of 8 bytes (Intel SDM 3B, 18.2.4). */
static bool triggers(pid_t pid)
{
	int status = 0;

	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) &&
	       ptrace(PTRACE_POKEUSER, pid, arch_debug_offset(0), &watched) == 0 &&
	       ptrace(PTRACE_POKEUSER, pid, arch_debug_offset(ARCH_DEBUG_CONTROL), 1ul | (1ul | 2ul << 2) << 16) == 0 &&
	       ptrace(PTRACE_CONT, pid, 0, 0) == 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
}

int ckpt_watch_probe(struct err *err)
{
	pid_t pid = fork();

	if (pid == 0)
		write_watched();
	if (pid < 0)
		return err_sys(err, "fork");
	bool works = triggers(pid) && !fault("no-debug-registers");
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return works ? 0 : err_set(err, "the debug registers of this machine do nothing");
}

void arch_set_entry(struct arch_regs *regs, uint64_t insn)
{
	regs->r.rip = insn;
	regs->r.rax = regs->r.orig_rax;
	regs->r.orig_rax = -1ull;
}
