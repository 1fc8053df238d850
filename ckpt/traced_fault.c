/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Threads that stand at a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL) which their handler has not seen yet.
 *
 * The handler's ucontext tells the processor's trap number, error code and cr2.  No ptrace request shows or sets them: the
 * kernel keeps those of the thread's last exception, and what we do with a thread is an exception as well.  So it executes the
 * faulting instruction once more.  The user may have changed registers or memory since, and then the instruction might not
 * fault but do something; that is tried with a copy first. */
#include <string.h>

#include "ckpt/ckpt_priv.h"

/* A fault whose signal is blocked is fatal, so those are let through, and nothing else. */
#define LET_FAULTS (~(1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGFPE - 1) | 1ull << (SIGILL - 1) | \
		      1ull << (SIGTRAP - 1)))

static bool same_fault(const siginfo_t *a, const siginfo_t *b)
{
	return a->si_signo == b->si_signo && a->si_code == b->si_code && a->si_addr == b->si_addr;
}

int fault_again(pid_t tid, const struct ckpt_thread *t, const struct stop *stop)
{
	siginfo_t info;
	int status;

	if (arch_set_xstate(tid, t->xstate, t->xstate_len) < 0 || arch_set_regs(tid, &t->regs) < 0 ||
	    trace_mask_set(tid, LET_FAULTS) < 0 || ptrace(PTRACE_SINGLESTEP, tid, 0, 0) < 0 || trace_wait(tid, &status) < 0 ||
	    ptrace(PTRACE_GETSIGINFO, tid, 0, &info) < 0)
		return -1;
	return same_fault(&info, &stop->info) ? 0 : -1;
}

bool fault_try(struct ckpt_session *s, const struct image *m, size_t i, struct stop *stop)
{
	struct remote r;
	struct err ignored;

	if (stop->fault != FAULT_UNTRIED)
		return stop->fault == FAULT_AGAIN;
	stop->fault = FAULT_PAST;
	if (remote_open(&r, m->twin, &m->proc.place, &ignored) < 0)
		return false;
	pid_t copy = clone_numbered(s, &r, CLONE_PARENT);
	if (copy <= 0)
		return false;
	if (fault_again(copy, &m->proc.threads[i], stop) == 0)
		stop->fault = FAULT_AGAIN;
	twin_kill(s, copy);
	return stop->fault == FAULT_AGAIN;
}

void fault_again_live(struct remote *r, const struct ckpt_thread *t)
{
	struct arch_regs now;

	if (tracer_set_mask(r->via, r->ns_tid, LET_FAULTS) == 0)
		(void)!tracer_run(r, &t->regs, PTRACE_SINGLESTEP, &now);
}
