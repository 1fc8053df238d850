/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting a session back.
 *
 *	put_away	freeze the present, keep its memory if wanted, kill it, wait until its number is free
 *	rebuild		make the processes again from the snapshot's twins: rebuild.c
 */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ckpt/ckpt_priv.h"

/* A thread that dies while another process shares its memory (the holder) writes there: the kernel clears the word at
 * clear_child_tid, and marks the robust futexes that it holds as left by a dead owner (kernel/fork.c, mm_release).  The
 * word is put back afterwards; the list is disarmed, unless it is empty. */
static void disarm_robust_list(struct remote *r, const struct ckpt_thread *t)
{
	uint64_t head[3];               /* struct robust_list_head: list, futex_offset, list_op_pending */

	if (!t->robust || remote_read(t->tid, t->robust, head, sizeof head) < 0)
		return;
	if (head[0] != t->robust || head[2])
		remote_call(r, SYS_set_robust_list, 0, t->robust_len);
}

static void disarm(struct ckpt_snapshot *n)
{
	const struct ckpt_proc *p = &n->leader.proc;
	struct remote r;
	struct err ignored;

	for (size_t i = 0; i < n->traced.n; i++)
		for (size_t k = 0; k < n->traced.list[i].image.proc.n; k++)
			disarm_robust_list(&n->traced.list[i].remotes[k], &n->traced.list[i].image.proc.threads[k]);
	for (size_t i = 0; i < p->n; i++)
		if (remote_open(&r, p->threads[i].tid, &p->place, &ignored) == 0)
			disarm_robust_list(&r, &p->threads[i]);
}

static void put_back_words(const struct image *m, pid_t holder)
{
	for (size_t i = 0; i < m->proc.n; i++) {
		const struct ckpt_thread *t = &m->proc.threads[i];
		if (t->clear_tid)
			(void)!remote_write(holder, t->clear_tid, &t->tid_word, sizeof t->tid_word);
	}
}

/* Kill the leader and wait until its number is free.  tids: those of its threads that we trace, main thread first. */
static int kill_leader(struct ckpt_session *s, pid_t pid, const pid_t *tids, size_t n, struct err *err)
{
	s->killing = true;
	s->reaped = false;
	kill(pid, SIGKILL);
	/* A tracer reaps before the parent can, and the main thread comes last. */
	for (size_t i = n; i-- > 0;) {
		int status;
		while (trace_wait(tids[i], &status) == 0)
			;
	}
	int r = session_reports(s, true, err);
	s->killing = false;
	s->leader = 0;
	return r;
}

/* The leader, which we have stopped, and all that is in the session beside it. */
static int kill_present(struct ckpt_session *s, const struct ckpt_proc *p, struct err *err)
{
	cleanup_free pid_t *tids = xcalloc(p->n, sizeof *tids);

	for (size_t i = 0; i < p->n; i++) {
		sched_setaffinity(p->threads[i].tid, sizeof s->own_affinity, &s->own_affinity);
		tids[i] = p->threads[i].tid;
	}
	if (kill_leader(s, p->pid, tids, p->n, err) < 0)
		return -1;
	return kill_orphans(s, err);
}

/* Records the frozen present; its memory is kept by processes that share it. */
static int keep_present(struct ckpt_session *s, struct ckpt_snapshot *n, struct remote *r, struct err *err)
{
	int result = traced_freeze(s, &n->leader.proc, r, &n->traced, err);
	struct err ignored;

	n->leader.bare = true;
	if (result == 0) {
		result = traced_copy(s, &n->traced, true, err);
		if (traced_hold(s, &n->traced, true, result < 0 ? &ignored : err) < 0)
			result = -1;
		if (result < 0)
			traced_thaw(&n->traced);
	}
	if (result == 0) {
		traced_close(&n->traced);
		result = snapshot_record(s, n, r, err);
		if (result == 0 && (leader_copy(s, r, &n->leader, true, err) < 0 || twin_settle(s, n, err) < 0))
			result = -1;
		if (result < 0)
			traced_thaw(&n->traced);
	}
	if (result == 0)
		return 0;
	thaw(s, &n->leader.proc);
	twins_give_up(s, n);
	return -1;
}

/* From here on it is cheaper to have the memory of what is killed torn down in the background: a gigabyte takes 10 ms. */
#define HOLD_KB (16 << 10)

static bool is_small(pid_t pid)
{
	cleanup_free char *text = proc_slurp(pid, "statm", NULL);
	unsigned long size, resident;

	return text && sscanf(text, "%lu %lu", &size, &resident) == 2 &&
	       resident * (unsigned long)sysconf(_SC_PAGESIZE) >> 10 <= HOLD_KB;
}

static int put_away(struct ckpt_session *s, struct ckpt_snapshot **abandoned, struct err *err)
{
	/* Nobody wants anything of it, and it is torn down in no time: it need not be stopped first. */
	if (!abandoned && is_small(s->leader))
		return kill_leader(s, s->leader, &s->leader, 0, err) < 0 ? -1 : kill_orphans(s, err);

	struct ckpt_snapshot *n = xcalloc(1, sizeof *n);
	struct remote r;
	struct err ignored;

	if (freeze(s, &n->leader.proc, &r, err) < 0) {
		free(n);
		return s->leader ? -1 : kill_orphans(s, err);   /* it ended by itself just now: as well */
	}
	if (abandoned) {
		if (keep_present(s, n, &r, err) < 0) {
			snapshot_free(n);
			return -1;
		}
		n->info.pause_us = clock_us() - n->leader.proc.frozen_at;
		snapshot_link(s, n);
		*abandoned = n;
		disarm(n);
	} else if (n->leader.proc.resident_kb > HOLD_KB) {
		pid_t holder = twin_make(s, &r, &n->leader.proc, true, &ignored);
		s->doomed = holder > 0 ? holder : 0;
		if (holder > 0 && twin_move_away(holder, &n->leader.proc, &ignored) < 0) {
			twin_kill(s, holder);
			s->doomed = 0;
			s->in_the_way = true;
		}
	}
	int result = kill_present(s, &n->leader.proc, err);
	if (!abandoned) {
		snapshot_free(n);
		return result;
	}
	put_back_words(&n->leader, n->leader.twin);
	for (size_t i = 0; i < n->traced.n; i++)
		put_back_words(&n->traced.list[i].image, n->traced.list[i].image.twin);
	return result;
}

/* What could not be finished. */
static void discard(struct ckpt_session *s, struct rebuilt *b)
{
	cleanup_free pid_t *tids = xcalloc(b->n + 1, sizeof *tids);
	struct err ignored;

	if (!b->n)
		return;
	for (size_t i = 0; i < b->n; i++)
		tids[i] = b->threads[i].tid;
	s->leader = tids[0];
	s->ns_leader = b->ns_tids[0];
	(void)!kill_leader(s, tids[0], tids, b->n, &ignored);
}

/* A call that waits is to be ended by the signal: that it gets in there. */
static bool gets_it_later(const struct ckpt_snapshot *n)
{
	return arch_waits(&n->leader.proc.threads[0].regs);
}

static int before_it_goes(struct ckpt_session *s, const struct ckpt_snapshot *n, const struct rebuilt *b, int signal, struct err *err)
{
	if (s->between)
		s->between(s->between_ctx);
	if (signal && !gets_it_later(n) && kill(b->threads[0].tid, signal) < 0)
		return err_sys(err, "kill");
	return 0;
}

static int rebuild(struct ckpt_session *s, const struct ckpt_snapshot *n, int signal, struct err *err)
{
	cleanup_free struct rebuilt *others = xcalloc(n->traced.n + 1, sizeof *others);
	struct rebuilt b = {0};
	struct err ignored;
	int r = -1;

	if (rebuild_process(s, &n->leader, &b, err) == 0 && traced_rebuild(s, &n->traced, others, err) == 0 &&
	    traced_adopt(s, &n->traced, &b.threads[0], others, err) == 0 && terminal_restore(s, &n->terminal, err) == 0 &&
	    numbers_restore(&b.threads[0], n->last_given, err) == 0 && rebuild_state(s, &b, err) == 0 && before_it_goes(s, n, &b, signal, err) == 0 &&
	    rebuild_let_go(&b, err) == 0) {
		s->leader = b.threads[0].tid;
		s->ns_leader = b.ns_tids[0];
		s->base = n->leader.base;
		s->ended = s->reaped = false;
		r = 0;
	}
	for (size_t i = 0; i < n->traced.n; i++) {
		if (r < 0)
			rebuilt_kill(&others[i]);
		rebuilt_free(&others[i]);
	}
	if (r < 0) {
		discard(s, &b);
		(void)!kill_orphans(s, &ignored);
	}
	rebuilt_free(&b);
	return r;
}

/* Somebody may have killed a twin, the kernel's OOM killer first of all.  Better known before the present is given up. */
static int check_twins(const struct ckpt_snapshot *snapshot, struct err *err)
{
	unsigned long dummy;

	/* ESRCH as soon as it is on its way out, before it has become a zombie (kernel/ptrace.c, ptrace_check_attach). */
	bool there = ptrace(PTRACE_GETEVENTMSG, snapshot->leader.twin, 0, &dummy) == 0;
	for (size_t i = 0; i < snapshot->traced.n && there; i++)
		there = ptrace(PTRACE_GETEVENTMSG, snapshot->traced.list[i].image.twin, 0, &dummy) == 0;
	if (there)
		return 0;
	return err_set(err, "the process that held the snapshot was killed from outside, for its memory perhaps");
}

/* signal: for the leader, where it does not get it later; or 0. */
static int restore(struct ckpt_session *s, const struct ckpt_snapshot *snapshot, struct ckpt_snapshot **abandoned, int signal,
		   struct err *err)
{
	uint64_t began = clock_us();
	cpu_set_t here;
	int r;

	if (abandoned)
		*abandoned = NULL;
	twins_reap(s, false);
	if (session_reports(s, false, err) < 0)
		return err_context(err, "restore");
	if (check_twins(snapshot, err) < 0)
		return -1;
	cpu_enter(s, s->leader ? s->leader : snapshot->leader.twin, &here);
	r = s->leader ? put_away(s, abandoned, err) : kill_orphans(s, err);
	if (s->in_the_way)
		twins_reap(s, true);
	/* Among the killed are processes whose numbers are needed now. */
	if (r == 0 && (snapshot->traced.n || s->in_the_way))
		r = session_settle(s, err);
	s->in_the_way = false;
	uint64_t killed = clock_us();
	sched_setaffinity(snapshot->leader.twin, sizeof here, &here);
	for (size_t i = 0; i < snapshot->traced.n; i++)
		sched_setaffinity(snapshot->traced.list[i].image.twin, sizeof here, &here);
	if (r == 0)
		r = rebuild(s, snapshot, signal, err);
	if (s->doomed)
		twin_kill(s, s->doomed);
	s->doomed = 0;
	cpu_leave(s);
	log_debug(LOG_CKPT, "restore of %d: put away %llu us, rebuild %llu us", s->leader,
		  (unsigned long long)(killed - began), (unsigned long long)(clock_us() - killed));
	return r < 0 ? err_context(err, "restore") : 0;
}

int ckpt_restore(struct ckpt_session *s, const struct ckpt_snapshot *snapshot, struct ckpt_snapshot **abandoned,
		 struct err *err)
{
	return restore(s, snapshot, abandoned, 0, err);
}

int ckpt_restore_signalled(struct ckpt_session *s, const struct ckpt_snapshot *snapshot, int number, struct err *err)
{
	if (check_handler(snapshot->leader.twin, number, err) || restore(s, snapshot, NULL, number, err))
		return -1;
	return gets_it_later(snapshot) ? ckpt_signal(s, number, err) : 0;
}
