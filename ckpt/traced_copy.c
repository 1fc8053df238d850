/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copying the processes that the leader traces, and putting them back to their stops.
 *
 * A copy must become ours to trace, and init's child.  So a thread makes, first, a helper that shares its memory, of which
 * nothing is to be seen afterwards: the kernel gives it to the debugger, stopped before its first instruction (CLONE_PTRACE).
 * There it is sent into pause() and let go; we seize it, have it fork the twin, and kill it. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "ckpt/ckpt_priv.h"

/* The process of this number among the children of a thread. */
static pid_t child_numbered(pid_t pid, pid_t tid, pid_t inside)
{
	cleanup_free char *list = children_of(pid, tid);

	for (char *p = list, *end; p; p = end) {
		pid_t child = (pid_t)strtol(p, &end, 10);
		if (end == p)
			break;
		if (number_inside(child) == inside)
			return child;
	}
	return 0;
}

/* Into pause() with all signals blocked, out of the debugger's hands and into ours. */
static pid_t take_over(const struct tracer *via, struct remote *r, pid_t inside, struct err *err)
{
	static const uint64_t none[6];
	struct arch_regs regs = r->regs;
	int status;

	arch_set_call(&regs, r->place->insn, r->place->scratch, SYS_pause, none);
	if (tracer_wait(via, inside, &status) < 0 || tracer_set(via, inside, &regs, NULL, ~0ull) < 0 ||
	    tracer_ptrace(via, PTRACE_DETACH, inside, 0, 0) < 0)
		return err_sys(err, "take over the copy of process %d", r->ns_tid);
	pid_t pid = child_numbered(r->tid, r->tid, inside);
	if (!pid)
		return err_set(err, "the copy of process %d is not to be found", r->ns_tid);
	if (trace_seize(pid, err) < 0)
		return -1;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	if (trace_settle(pid) < 0 || ptrace(PTRACE_SETOPTIONS, pid, 0, TRACE_OPTIONS) < 0) {
		(void)!reap_if_ours(pid);
		return err_set(err, "the copy of process %d was killed", r->ns_tid);
	}
	return pid;
}

/* It is a child of the program's, which must not learn of it. */
static void end_helper(struct remote *r, pid_t helper, pid_t inside)
{
	int status;

	if (helper > 0) {
		kill(helper, SIGKILL);
		while (trace_wait(helper, &status) == 0)
			;
	} else {
		remote_call(r->via->r, SYS_kill, (uint64_t)inside, SIGKILL);
		(void)!tracer_wait(r->via, inside, &status);
	}
	remote_call(r, SYS_wait4, (uint64_t)inside, 0, __WALL, 0);
}

static int copy_tracee(struct ckpt_session *s, struct tracee *x, bool holder, struct err *err)
{
	struct remote *r = &x->remotes[0], helper_remote;
	const struct ckpt_proc *p = &x->image.proc;
	pid_t inside = fault("ckpt-traced-clone") ? -EAGAIN : clone_numbered(s, r, CLONE_VM | CLONE_PTRACE | CLONE_UNTRACED);

	if (inside < 0) {
		errno = -inside;
		return err_sys(err, "copy process %d", p->pid);
	}
	pid_t twin = -1, helper = take_over(r->via, r, inside, err);
	if (helper > 0 && holder) {
		twin = twin_move_away(helper, p, err) < 0 ? -1 : helper;
	} else if (helper > 0 && remote_open(&helper_remote, helper, &p->place, err) == 0) {
		twin = clone_numbered(s, &helper_remote, 0);
		errno = twin < 0 ? -twin : 0;
		if (twin < 0)
			err_sys(err, "copy process %d", p->pid);
		else if (twin_move_away(twin, p, err) < 0) {
			twin_kill(s, twin);
			twin = -1;
		}
	}
	if (twin != helper || twin < 0)
		end_helper(r, helper, inside);
	else
		x->holder = inside;
	x->image.twin = twin > 0 ? twin : 0;
	for (size_t i = 0; i < p->n && twin > 0 && !holder; i++)
		fault_try(s, &x->image, i, &x->stops[i]);
	return twin > 0 ? 0 : -1;
}

int traced_copy(struct ckpt_session *s, struct traced *t, bool holder, struct err *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (copy_tracee(s, &t->list[i], holder, err) < 0)
			return -1;
	return 0;
}

/* ---- thaw ---- */

static int enter_call(struct remote *r, const struct arch_regs *regs)
{
	struct arch_regs enter = *regs, now;

	arch_set_entry(&enter, r->place->insn);
	return tracer_run(r, &enter, PTRACE_SYSCALL, &now);
}

int tracer_place(struct remote *r, const struct ckpt_thread *t, const struct stop *stop, const struct arch_regs *regs,
		 pid_t ns_pid)
{
	const struct tracer *via = r->via;

	if (stop->entry && enter_call(r, regs) < 0)
		return -1;
	if (thread_put_rseq_cs(t, r->tid) < 0)
		return -1;
	if (tracer_set(via, r->ns_tid, regs, !stop->entry && stop->have_info ? &stop->info : NULL, t->mask) < 0)
		return -1;
	if (r->stops || stop->sigstops)
		remote_call(via->r, SYS_tgkill, (uint64_t)ns_pid, (uint64_t)r->ns_tid, SIGSTOP);
	return 0;
}

static void thaw_tracee(const struct tracer *via, struct tracee *x)
{
	struct ckpt_proc *p = &x->image.proc;

	if (x->holder) {
		end_helper(&x->remotes[0], x->image.twin, x->holder);
		x->image.twin = x->holder = 0;
	}
	if (x->armed)
		tracer_disarm(via, p->ns_pid, &p->place);
	if (p->place.insn)
		(void)!remote_write(p->pid, p->place.scratch, p->place.saved, SCRATCH_SIZE);
	for (size_t i = 0; i < p->n; i++) {
		struct ckpt_thread *t = &p->threads[i];
		if (x->changed && x->changed[i]) {
			if (x->stops[i].fault == FAULT_AGAIN)
				fault_again_live(&x->remotes[i], t);
			(void)!tracer_place(&x->remotes[i], t, &x->stops[i], &t->regs, p->ns_pid);
		}
		if (CPU_COUNT(&t->affinity))
			sched_setaffinity(t->tid, sizeof t->affinity, &t->affinity);
	}
}

static void forget_news(const struct traced *t)
{
	uint64_t at = t->tracer.buffer;

	tracer_forget_news(&t->tracer);
	if (t->sigchld.si_signo && remote_write(t->tracer.r->tid, at, &t->sigchld, sizeof t->sigchld) == 0)
		remote_call(t->tracer.r, SYS_rt_sigqueueinfo, (uint64_t)t->ns_leader, SIGCHLD, at);
}

void traced_close(struct traced *t)
{
	if (!t->n)
		return;
	forget_news(t);
	tracer_close(&t->tracer);
	tracer_on_scratch(&t->tracer, t->tracer.r);
}

void traced_thaw(struct traced *t)
{
	if (!t->tracer.r)
		return;
	for (size_t i = 0; i < t->n; i++)
		thaw_tracee(&t->tracer, &t->list[i]);
	traced_close(t);
}
