/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making the processes again that the leader traces.
 *
 * They are made as the leader is, by us who trace the twin.  Then each thread is sent into pause() with all signals blocked,
 * where it executes nothing of the program, and let go; the new leader attaches it, which ends in a signal stop: there it gets
 * the registers and the siginfo of the stop that the debugger remembers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

static int park_thread(struct ckpt_session *s, const struct tracee *x, struct rebuilt *b, size_t i, struct err *err)
{
	static const uint64_t none[6];
	const struct ckpt_thread *t = &x->image.proc.threads[i];
	struct remote *r = &b->threads[i];
	struct arch_regs regs = r->regs;

	if (fault_try(s, &x->image, i, &x->stops[i]) && fault_again(r->tid, t, &x->stops[i]) < 0)
		return err_set(err, "the fault of thread %d does not come back", t->ns_tid);
	arch_set_call(&regs, r->place->insn, r->place->scratch, SYS_pause, none);
	if (arch_set_xstate(r->tid, t->xstate, t->xstate_len) < 0 || arch_debug_set(r->tid, &x->stops[i].debug) < 0 ||
	    arch_set_regs(r->tid, &regs) < 0 || trace_mask_set(r->tid, ~0ull) < 0)
		return err_sys(err, "restore the registers of thread %d", r->tid);
	if (CPU_COUNT(&t->affinity))
		sched_setaffinity(r->tid, sizeof t->affinity, &t->affinity);
	return 0;
}

static int rebuild_tracee(struct ckpt_session *s, const struct tracee *x, struct rebuilt *b, struct err *err)
{
	if (rebuild_process(s, &x->image, b, err) < 0 || rebuild_state(s, b, err) < 0)
		return -1;
	for (size_t i = 0; i < b->n; i++)
		if (park_thread(s, x, b, i, err) < 0)
			return -1;
	if (fault("ckpt-traced-park"))
		return err_set(err, "fault ckpt-traced-park");
	place_disarm(b->threads[0].tid, &x->image.proc.place);
	for (size_t i = 0; i < b->n; i++)
		if (ptrace(PTRACE_DETACH, b->threads[i].tid, 0, 0) < 0)
			return err_sys(err, "let thread %d go", b->threads[i].tid);
	b->let_go = true;
	return 0;
}

int traced_rebuild(struct ckpt_session *s, const struct traced *t, struct rebuilt *b, struct err *err)
{
	/* Those that lead a group first: the others join it. */
	for (int leaders = 1; leaders >= 0; leaders--)
		for (size_t i = 0; i < t->n; i++)
			if (t->list[i].image.proc.group_leader == leaders && rebuild_tracee(s, &t->list[i], &b[i], err) < 0)
				return -1;
	return 0;
}

static int adopt(struct ckpt_session *s, const struct tracer *via, const struct tracee *x, const struct rebuilt *b,
		 struct err *err)
{
	const struct ckpt_proc *p = &x->image.proc;
	cleanup_free struct remote *r = xcalloc(b->n, sizeof *r);

	for (size_t i = 0; i < b->n; i++)
		r[i] = (struct remote){
			.tid = b->threads[i].tid, .ns_tid = p->threads[i].ns_tid, .place = &p->place, .via = via,
			.last = i == 0 && b->n > 1,
		};
	if (tracer_attach_each(r, b->n, s->trace_options) < 0)
		return err_sys(err, "trace the threads of process %d again", p->ns_pid);
	if (tracer_place(r, b->n, p->threads, x->stops, true, p->ns_pid) < 0)
		return err_sys(err, "put the threads of process %d back to their stops", p->ns_pid);
	return 0;
}

/* The file behind it is of a process that is no more. */
static int reopen(struct remote *leader, const struct window *w, struct err *err)
{
	uint64_t at = leader->place->scratch;
	int keep = w->flags & O_CLOEXEC;

	if (fault("ckpt-traced-window"))
		return err_set(err, "fault ckpt-traced-window");
	if (remote_write(leader->tid, at, w->path, sizeof w->path) < 0)
		return err_sys(err, "write to process %d", leader->tid);
	long fd = remote_call(leader, SYS_openat, (uint64_t)AT_FDCWD, at, (uint64_t)w->flags);
	long result = fd;
	if (fd >= 0 && fd != w->fd) {
		result = remote_call(leader, SYS_dup3, (uint64_t)fd, (uint64_t)w->fd, (uint64_t)keep);
		remote_call(leader, SYS_close, (uint64_t)fd);
	}
	if (result >= 0) {
		remote_call(leader, SYS_lseek, (uint64_t)w->fd, (uint64_t)w->offset, SEEK_SET);
		return 0;
	}
	errno = (int)-result;
	return err_sys(err, "open %s again", w->path);
}

int traced_adopt(struct ckpt_session *s, const struct traced *t, struct remote *leader, const struct rebuilt *b,
		 struct err *err)
{
	struct tracer via;

	if (!t->n)
		return 0;
	if (fault("ckpt-traced-adopt"))
		return err_set(err, "fault ckpt-traced-adopt");
	if (tracer_open(&via, leader, err) < 0)
		return -1;
	for (size_t i = 0; i < t->n; i++)
		if (adopt(s, &via, &t->list[i], &b[i], err) < 0)
			return -1;
	for (size_t i = 0; i < t->n_windows; i++)
		if (reopen(leader, &t->windows[i], err) < 0)
			return -1;
	tracer_forget_news(&via);
	tracer_close(&via);
	return 0;
}
