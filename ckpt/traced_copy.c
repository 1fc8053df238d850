/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copying the processes that the leader traces, and putting them back to their stops.
 *
 * A copy must become ours to trace, and init's child; neither the program nor its debugger may see anything of it.  So a
 * thread makes a helper that shares its memory, which makes the copy, ends, and is waited for: all that in one go.  A child
 * goes on in our code with a table of its own, and the copy's is one call of pause(): there it stays, with all signals
 * blocked, until we seize it, which can be after the program has gone on. */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "ckpt/ckpt_priv.h"

/* In the program's memory.  A child's stack begins with the result of the call that made it: arch_code. */
struct plan {
	struct clone_args make_helper, make_copy;
	pid_t helper, copy;
	struct { uint64_t born; struct batch_call make, end; } of_helper;
	struct { uint64_t born; struct batch_call pause; } of_copy;
};

static struct clone_args child(uint64_t flags, uint64_t number, uint64_t table)
{
	return (struct clone_args){
		.flags = flags, .set_tid = number, .set_tid_size = 1, .stack = table - 16, .stack_size = 16,
	};
}

static void make_plan(struct plan *p, uint64_t at, bool holder)
{
#define ADDRESS(field) (at + offsetof(struct plan, field))
	p->make_helper = child(CLONE_VM | CLONE_UNTRACED, ADDRESS(helper), ADDRESS(of_helper));
	p->make_copy = child(holder ? CLONE_VM : 0, ADDRESS(copy), ADDRESS(of_copy));
	p->of_helper.make = (struct batch_call){SYS_clone3, {ADDRESS(make_copy), sizeof p->make_copy}, 0};
	p->of_helper.end = (struct batch_call){SYS_exit, {0}, 0};
	p->of_copy.pause = (struct batch_call){SYS_pause, {0}, 0};
#undef ADDRESS
}

/* The copy's number inside, or -errno. */
static pid_t make_copy(struct remote *r, pid_t helper, pid_t copy, bool holder)
{
	cleanup_batch struct batch b = {0};
	struct plan plan = {.helper = helper, .copy = copy};

	batch_begin(&b, r);
	uint64_t at = batch_put(&b, &plan, sizeof plan);
	make_plan(batch_at(&b, at), at, holder);
	size_t made = batch_call(&b, SYS_clone3, at + offsetof(struct plan, make_helper), sizeof plan.make_helper);
	batch_call(&b, SYS_wait4, (uint64_t)helper, 0, __WALL, 0);
	/* A child begins with as many calls to make as are left, and the helper has two. */
	batch_call(&b, SYS_getpid, 0);
	if (batch_run(&b) < 0)
		return -errno;
	struct plan *after = batch_at(&b, at);
	if (b.calls[made].result < 0)
		return (pid_t)b.calls[made].result;
	return (pid_t)(int64_t)after->of_helper.make.result;
}

static int copy_tracee(struct ckpt_session *s, struct tracee *x, bool holder, struct err *err)
{
	pid_t copy = fault("ckpt-traced-clone") ? -EAGAIN : -EEXIST;

	for (pid_t tries = 0; copy == -EEXIST && tries < s->pid_max / 4; tries++) {
		pid_t helper = twin_number(s);
		copy = make_copy(&x->remotes[0], helper, twin_number(s), holder);
	}
	if (copy > 0) {
		x->parked = copy;
		return 0;
	}
	errno = -copy;
	return err_sys(err, "copy process %d", x->image.proc.ns_pid);
}

/* A process that takes in the orphans below it would take in the copies, for none of which it is to care. */
static void take_orphans(const struct traced *t, bool again)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].image.proc.subreaper)
			remote_call(&t->list[i].remotes[0], SYS_prctl, PR_SET_CHILD_SUBREAPER, again);
}

int traced_copy(struct ckpt_session *s, struct traced *t, bool holder, struct err *err)
{
	int result = 0;

	take_orphans(t, false);
	for (size_t i = 0; i < t->n && result == 0; i++)
		result = copy_tracee(s, &t->list[i], holder, err);
	take_orphans(t, true);
	return result;
}

/* ---- the copy becomes ours ---- */

/* An orphan that has just come is the last of the children. */
static pid_t child_numbered(const struct ckpt_session *s, pid_t parent, pid_t inside)
{
	cleanup_free char *list = children_of(parent, parent);

	while (list && *list) {
		char *space = strrchr(list, ' ');
		pid_t pid = (pid_t)atoi(space ? space + 1 : list);
		if (pid > 0 && !is_twin(s, pid) && number_inside(pid) == inside)
			return pid;
		*(space ? space : list) = 0;
	}
	return 0;
}

static int hold(struct ckpt_session *s, struct tracee *x, bool holder, struct err *err)
{
	const struct ckpt_proc *p = &x->image.proc;
	pid_t pid = child_numbered(s, s->init, x->parked);

	x->parked = 0;
	if (!pid)
		return err_set(err, "the copy of process %d is not to be found", p->ns_pid);
	if (trace_seize(pid, err) < 0)
		return -1;
	ptrace(PTRACE_INTERRUPT, pid, 0, 0);
	if (trace_settle(pid) < 0 || ptrace(PTRACE_SETOPTIONS, pid, 0, TRACE_OPTIONS) < 0) {
		(void)!reap_if_ours(pid);
		return err_set(err, "the copy of process %d was killed", p->ns_pid);
	}
	x->image.twin = pid;
	if (twin_move_away(pid, p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n && !holder; i++)
		fault_try(s, &x->image, i, &x->stops[i]);
	return 0;
}

int traced_hold(struct ckpt_session *s, struct traced *t, bool holder, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].parked && hold(s, &t->list[i], holder, err) < 0)
			r = -1;
	return r;
}

/* ---- thaw ---- */

static int enter_call(struct remote *r, const struct arch_regs *regs)
{
	struct arch_regs enter = *regs, now;

	arch_set_entry(&enter, r->place->insn);
	return tracer_run(r, &enter, PTRACE_SYSCALL, &now);
}

static void add_place(struct batch *b, const struct remote *r, const struct ckpt_thread *t, const struct stop *stop, bool made,
		      pid_t ns_pid)
{
	struct arch_regs regs = t->regs;

	if (made) {
		arch_name_restarted(r->tid, &regs, NULL);
		arch_resumable(&regs);
	}
	tracer_add_set(b, r->ns_tid, &regs, !stop->entry && stop->have_info ? &stop->info : NULL, t->mask);
	if (r->stops || stop->sigstops)
		batch_call(b, SYS_tgkill, (uint64_t)ns_pid, (uint64_t)r->ns_tid, SIGSTOP);
}

int tracer_place(struct remote *r, size_t n, const struct ckpt_thread *threads, const struct stop *stops, bool made,
		 pid_t ns_pid)
{
	int result = 0;

	for (size_t i = 0; i < n; i++)
		if ((stops[i].entry && enter_call(&r[i], &threads[i].regs) < 0) || thread_put_rseq_cs(&threads[i], r[i].tid) < 0)
			result = -1;
	for (size_t i = 0; i < n;) {
		cleanup_batch struct batch b = {0};
		tracer_batch(&b, r->via);
		for (; i < n && batch_fits(&b, TRACER_SET_CALLS + 1, TRACER_SET_ROOM); i++)
			add_place(&b, &r[i], &threads[i], &stops[i], made, ns_pid);
		if (batch_run(&b) < 0 || batch_check(&b, 0, b.n) < 0)
			result = -1;
	}
	return result;
}

static void thaw_tracee(const struct tracer *via, struct tracee *x)
{
	struct ckpt_proc *p = &x->image.proc;

	if (x->armed)
		tracer_disarm(via, p->ns_pid, &p->place);
	if (p->place.insn)
		(void)!remote_write(p->pid, p->place.scratch, p->place.saved, SCRATCH_SIZE);
	for (size_t i = 0; i < x->n_changed; i++)
		if (x->stops[i].fault == FAULT_AGAIN)
			fault_again_live(&x->remotes[i], &p->threads[i]);
	if (x->n_changed)
		(void)!tracer_place(x->remotes, x->n_changed, p->threads, x->stops, false, p->ns_pid);
	for (size_t i = 0; i < p->n; i++)
		if (CPU_COUNT(&p->threads[i].affinity))
			sched_setaffinity(p->threads[i].tid, sizeof p->threads[i].affinity, &p->threads[i].affinity);
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
