/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting a session back.
 *
 *	put_away	freeze the present, keep its memory if wanted, kill it, wait until its number is free
 *	rebuild		a copy of the twin under the old number, its threads, what fork() does not copy
 *	let_go		registers, masks, processors; detach
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ckpt/ckpt_priv.h"

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS)
#define RSEQ_CS_OFFSET 8

/* A process in the making. */
struct rebuilt {
	struct remote *threads;         /* [0] is the main thread */
	pid_t *ns_tids;
	size_t n;
};

/* A thread that dies while another process shares its memory (the holder) writes there: the kernel clears the word at
 * clear_child_tid, and marks the robust futexes that it holds as left by a dead owner (kernel/fork.c, mm_release).  The
 * word is put back afterwards; the list is disarmed, unless it is empty. */
static void disarm_robust_list(const struct ckpt_proc *p, const struct ckpt_thread *t)
{
	uint64_t head[3];               /* struct robust_list_head: list, futex_offset, list_op_pending */
	struct remote r;
	struct err ignored;

	if (!t->robust || remote_read(t->tid, t->robust, head, sizeof head) < 0)
		return;
	if (head[0] == t->robust && !head[2])
		return;
	if (remote_open(&r, t->tid, &p->place, &ignored) == 0)
		remote_call(&r, SYS_set_robust_list, 0, t->robust_len);
}

/* Kill what we trace and wait until its number is free.  threads: main thread first. */
static int kill_traced(struct ckpt_session *s, pid_t pid, const pid_t *tids, size_t n, struct err *err)
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

static bool is_twin(const struct ckpt_session *s, pid_t pid)
{
	if (pid == s->doomed)
		return true;
	for (const struct ckpt_snapshot *n = s->snapshots; n; n = n->next)
		if (n->twin == pid)
			return true;
	for (size_t i = 0; i < s->n_dying; i++)
		if (s->dying[i] == pid)
			return true;
	return false;
}

/* The number as init sees it: the last one of the line. */
static pid_t number_inside(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	cleanup_free char *status = fd_slurp(path, NULL);
	char *line = status ? strstr(status, "\nNSpid:") : NULL;
	if (!line)
		return 0;
	line[1 + strcspn(line + 1, "\n")] = 0;
	return atoi(strrchr(line, '\t') + 1);
}

/* A listing may miss a child when another is reaped meanwhile (proc(5), children): believe what is read twice. */
static char *children_of(pid_t pid)
{
	char path[64], *text, *again;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	text = fd_slurp(path, NULL);
	while (text && (again = fd_slurp(path, NULL))) {
		bool same = !strcmp(text, again);
		free(text);
		text = again;
		if (same)
			break;
	}
	return text;
}

/* What the killed program leaves behind is a child of init now.  It belongs to the present that is given up; and as long as
 * one is left that has the leader for its process group, the leader's number is not free. */
static int kill_orphans(struct ckpt_session *s, struct err *err)
{
	size_t found;

	do {
		cleanup_free char *list = children_of(s->init);
		found = 0;
		for (char *p = list, *end; p; p = end) {
			pid_t pid = (pid_t)strtol(p, &end, 10);
			if (end == p)
				break;
			pid_t inside = is_twin(s, pid) ? 0 : number_inside(pid);
			if (!inside)
				continue;
			found++;
			array_grow(s->awaited, s->n_awaited);
			s->awaited[s->n_awaited++] = inside;
			kill(pid, SIGKILL);
		}
		if (found && session_reports(s, true, err) < 0)
			return -1;
	} while (found);        /* their own children come to init next */
	return 0;
}

static int kill_present(struct ckpt_session *s, const struct ckpt_proc *p, pid_t holder, struct err *err)
{
	cleanup_free pid_t *tids = xcalloc(p->n, sizeof *tids);

	for (size_t i = 0; i < p->n; i++) {
		if (holder > 0)
			disarm_robust_list(p, &p->threads[i]);
		sched_setaffinity(p->threads[i].tid, sizeof s->own_affinity, &s->own_affinity);
		tids[i] = p->threads[i].tid;
	}
	int r = kill_traced(s, p->pid, tids, p->n, err);
	for (size_t i = 0; i < p->n && holder > 0; i++)
		if (p->threads[i].clear_tid)
			(void)!remote_write(holder, p->threads[i].clear_tid, &p->threads[i].tid_word, sizeof(uint32_t));
	return r;
}

/* From here on it is cheaper to have the memory of what is killed torn down in the background: a gigabyte takes 10 ms. */
#define HOLD_KB (16 << 10)

static int put_away(struct ckpt_session *s, struct ckpt_snapshot **abandoned, struct err *err)
{
	struct ckpt_snapshot *n = xcalloc(1, sizeof *n);
	struct remote r;

	if (freeze(s, &n->proc, &r, err) < 0) {
		free(n);
		return s->leader ? -1 : 0;      /* it ended by itself just now: as well */
	}
	if (abandoned) {
		n->holder = true;
		if (snapshot_record(s, n, &r, err) < 0 || (n->twin = twin_make(s, &r, &n->proc, true, err)) < 0) {
			thaw(s, &n->proc);
			snapshot_free(n);
			return -1;
		}
	}
	pid_t holder = n->twin;
	struct err ignored;
	if (!abandoned && n->proc.resident_kb > HOLD_KB)
		holder = twin_make(s, &r, &n->proc, true, &ignored);
	int result = kill_present(s, &n->proc, holder, err);
	if (!abandoned && holder > 0)
		s->doomed = holder;
	if (abandoned) {
		n->info.pause_us = clock_us() - n->proc.frozen_at;
		snapshot_link(s, n);
		*abandoned = n;
	} else {
		snapshot_free(n);
	}
	return result;
}

static int failed(long result, struct err *err, const char *what)
{
	if (result >= 0)
		return 0;
	errno = (int)-result;
	return err_sys(err, "%s", what);
}

/* The process itself: its number, its group and session, the terminal's foreground. */
static int rebuild_main(struct ckpt_session *s, const struct ckpt_snapshot *n, struct rebuilt *b, struct err *err)
{
	const struct ckpt_thread *t = &n->proc.threads[0];
	struct remote_clone how = {.flags = CLONE_PARENT, .child_tid = t->clear_tid};
	struct remote twin, *r = &b->threads[0];
	pid_t pid;

	if (t->clear_tid)
		how.flags |= CLONE_CHILD_CLEARTID;
	if (s->isolation != CKPT_ISOLATION_NONE)
		how.want = n->proc.ns_pid;
	else if (t->clear_tid)
		how.flags |= CLONE_CHILD_SETTID;        /* another number: glibc keeps it where clear_tid points */
	if (remote_open(&twin, n->twin, &n->proc.place, err) < 0)
		return err_context(err, "the snapshot's process is gone (was it killed, or is memory short?)");
	pid = fault("ckpt-restore-clone") ? -EAGAIN : remote_clone(&twin, &how);
	if (failed(pid, err, "copy the snapshot") < 0)
		return -1;
	r->tid = pid;
	b->n = 1;
	if (remote_open(r, pid, &n->proc.place, err) < 0)
		return -1;
	b->ns_tids[0] = how.want ? how.want : pid;
	return 0;
}

static int rebuild_group(struct ckpt_session *s, const struct ckpt_snapshot *n, struct rebuilt *b, struct err *err)
{
	struct remote *r = &b->threads[0];
	long result = 0;

	if (n->proc.session_leader)
		result = remote_call(r, SYS_setsid, 0);
	else
		result = remote_call(r, SYS_setpgid, 0, n->proc.group_leader ? 0 : (uint64_t)n->proc.ns_group);
	if (failed(result, err, "restore the process group") < 0)
		return -1;
	if (n->proc.foreground && n->proc.group_leader)
		return terminal_foreground(r, b->ns_tids[0], err);
	return 0;
}

/* A thread that ended by itself just before we froze the process may still hold its number when its process is reaped
 * already: it frees that after its last trace is gone (kernel/exit.c, release_task: free_pids() after the unlock), and no
 * event tells.  It is running, and needs nobody for it; so ask until it has. */
static pid_t clone_thread(struct remote *r, const struct remote_clone *how)
{
	uint64_t until = clock_us() + 1000000;
	pid_t tid;

	while ((tid = remote_clone(r, how)) == -EEXIST && clock_us() < until)
		sched_yield();
	return tid;
}

static int rebuild_threads(struct ckpt_session *s, const struct ckpt_snapshot *n, struct rebuilt *b, struct err *err)
{
	for (size_t i = 1; i < n->proc.n; i++) {
		const struct ckpt_thread *t = &n->proc.threads[i];
		struct remote_clone how = {.flags = THREAD_FLAGS, .tls = arch_tls(&t->regs), .child_tid = t->clear_tid};

		if (t->clear_tid)
			how.flags |= CLONE_CHILD_CLEARTID;
		if (s->isolation != CKPT_ISOLATION_NONE)
			how.want = t->ns_tid;
		else if (t->clear_tid)
			how.flags |= CLONE_CHILD_SETTID;
		pid_t tid = fault("ckpt-restore-thread") ? -EAGAIN : clone_thread(&b->threads[0], &how);
		if (failed(tid, err, "make the threads again") < 0)
			return -1;
		b->threads[i].tid = tid;
		b->ns_tids[i] = how.want ? how.want : tid;
		b->n++;
		if (remote_open(&b->threads[i], tid, &n->proc.place, err) < 0)
			return -1;
	}
	return 0;
}

/* Without namespaces a thread has another number now, and the robust mutexes that it holds name their owner by number.
 * The kernel walks at most so many itself (ROBUST_LIST_LIMIT). */
static void rename_mutex_owner(const struct ckpt_thread *t, pid_t tid)
{
	uint64_t head[3], entry;

	if (!t->robust || remote_read(tid, t->robust, head, sizeof head) < 0)
		return;
	entry = head[0];
	for (int i = 0; i < 2048 && (entry & ~1ull) != t->robust; i++) {
		uint64_t at = (entry & ~1ull) + head[1];
		uint32_t word;
		if (remote_read(tid, at, &word, sizeof word) < 0)
			return;
		if ((word & FUTEX_TID_MASK) == (uint32_t)t->ns_tid) {
			word = (word & ~(uint32_t)FUTEX_TID_MASK) | (uint32_t)tid;
			if (remote_write(tid, at, &word, sizeof word) < 0)
				return;
		}
		if (remote_read(tid, entry & ~1ull, &entry, sizeof entry) < 0)
			return;
	}
}

/* What a thread has to ask for itself. */
static int rebuild_thread_state(const struct ckpt_snapshot *n, struct rebuilt *b, size_t i, struct err *err)
{
	const struct ckpt_thread *t = &n->proc.threads[i];
	struct remote *r = &b->threads[i];
	uint64_t at = n->proc.place.scratch;
	bool copied = i == 0 && !n->holder;     /* by fork() */

	if (t->robust && failed(remote_call(r, SYS_set_robust_list, t->robust, t->robust_len), err,
				"restore the list of robust mutexes") < 0)
		return -1;
	if (!copied && !(t->altstack.ss_flags & SS_DISABLE)) {
		if (remote_write(r->tid, at, &t->altstack, sizeof t->altstack) < 0)
			return err_sys(err, "write to process %d", r->tid);
		if (failed(remote_call(r, SYS_sigaltstack, at, 0), err, "restore the alternate signal stack") < 0)
			return -1;
	}
	if (!copied && t->rseq.ptr &&
	    failed(remote_call(r, 334 /* rseq */, t->rseq.ptr, t->rseq.size, 0, t->rseq.sig), err,
		   "restore the restartable sequences area") < 0)
		return -1;
	if (b->ns_tids[i] != t->ns_tid)
		rename_mutex_owner(t, r->tid);
	if (t->name[0]) {
		if (remote_write(r->tid, at, t->name, sizeof t->name) < 0)
			return err_sys(err, "write to process %d", r->tid);
		remote_call(r, SYS_prctl, PR_SET_NAME, at);
	}
	return signals_restore(r, b->ns_tids[0], b->ns_tids[i], false, &t->pending, err);
}

static int rebuild_state(struct ckpt_session *s, const struct ckpt_snapshot *n, struct rebuilt *b, struct err *err)
{
	struct remote *r = &b->threads[0];
	pid_t pid = r->tid;

	for (size_t i = 0; i < b->n; i++)
		if (rebuild_thread_state(n, b, i, err) < 0)
			return -1;
	if (n->proc.pdeath_signal)
		remote_call(r, SYS_prctl, PR_SET_PDEATHSIG, (uint64_t)n->proc.pdeath_signal);
	if (signals_restore(r, b->ns_tids[0], b->ns_tids[0], true, &n->pending, err) < 0 ||
	    files_restore(s, pid, n->files, err) < 0 || shared_memory_restore(s, pid, n->shared, err) < 0 ||
	    terminal_restore(s, &n->terminal, err) < 0 ||
	    timers_restore(s, r, n->timers, &n->proc, b->ns_tids, err) < 0)     /* last: they tick from here on */
		return -1;
	if (remote_write(pid, n->proc.place.scratch, n->proc.place.saved, SCRATCH_SIZE) < 0)
		return err_sys(err, "write to process %d", pid);
	return 0;
}

static int set_registers(const struct ckpt_thread *t, pid_t tid, struct err *err)
{
	struct arch_regs regs = t->regs;

	arch_rewind(&regs);
	if (arch_set_xstate(tid, t->xstate, t->xstate_len) < 0 || arch_set_regs(tid, &regs) < 0)
		return err_sys(err, "restore the registers of thread %d", tid);
	if (t->rseq_cs && remote_write(tid, t->rseq.ptr + RSEQ_CS_OFFSET, &t->rseq_cs, sizeof t->rseq_cs) < 0)
		return err_sys(err, "write to thread %d", tid);
	if (trace_mask_set(tid, t->mask) < 0)
		return err_sys(err, "restore the signal mask of thread %d", tid);
	return 0;
}

static int let_go(const struct ckpt_snapshot *n, struct rebuilt *b, struct err *err)
{
	for (size_t i = 0; i < b->n; i++)
		if (set_registers(&n->proc.threads[i], b->threads[i].tid, err) < 0)
			return -1;
	if (fault("ckpt-let-go"))
		return err_set(err, "fault ckpt-let-go");
	for (size_t i = 0; i < b->n; i++) {
		const cpu_set_t *affinity = &n->proc.threads[i].affinity;
		if (CPU_COUNT(affinity))
			sched_setaffinity(b->threads[i].tid, sizeof *affinity, affinity);
	}
	for (size_t i = 0; i < b->n; i++)
		if (ptrace(PTRACE_DETACH, b->threads[i].tid, 0, 0) < 0)
			return err_sys(err, "let thread %d go", b->threads[i].tid);
	return 0;
}

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
	(void)!kill_traced(s, tids[0], tids, b->n, &ignored);
}

static int rebuild(struct ckpt_session *s, const struct ckpt_snapshot *n, struct err *err)
{
	struct rebuilt b = {
		.threads = xcalloc(n->proc.n, sizeof *b.threads),
		.ns_tids = xcalloc(n->proc.n, sizeof *b.ns_tids),
	};
	int r = -1;

	if (rebuild_main(s, n, &b, err) == 0 && rebuild_group(s, n, &b, err) == 0 &&
	    rebuild_threads(s, n, &b, err) == 0 && rebuild_state(s, n, &b, err) == 0 && let_go(n, &b, err) == 0) {
		s->leader = b.threads[0].tid;
		s->ns_leader = b.ns_tids[0];
		s->ended = s->reaped = false;
		r = 0;
	} else {
		discard(s, &b);
	}
	free(b.threads);
	free(b.ns_tids);
	return r;
}

/* Somebody may have killed a twin, the kernel's OOM killer first of all.  Better known before the present is given up. */
static int check_twin(const struct ckpt_snapshot *snapshot, struct err *err)
{
	unsigned long dummy;

	/* ESRCH as soon as it is on its way out, before it has become a zombie (kernel/ptrace.c, ptrace_check_attach). */
	if (ptrace(PTRACE_GETEVENTMSG, snapshot->twin, 0, &dummy) == 0)
		return 0;
	return err_set(err, "the process that held the snapshot was killed from outside, for its memory perhaps");
}

int ckpt_restore(struct ckpt_session *s, const struct ckpt_snapshot *snapshot, struct ckpt_snapshot **abandoned,
		 struct err *err)
{
	uint64_t began = clock_us();
	cpu_set_t here;
	int r = 0;

	if (abandoned)
		*abandoned = NULL;
	twins_reap(s, false);
	if (session_reports(s, false, err) < 0)
		return err_context(err, "restore");
	if (check_twin(snapshot, err) < 0)
		return -1;
	cpu_enter(s, s->leader ? s->leader : snapshot->twin, &here);
	if (s->leader)
		r = put_away(s, abandoned, err);
	if (r == 0)
		r = kill_orphans(s, err);
	uint64_t killed = clock_us();
	sched_setaffinity(snapshot->twin, sizeof here, &here);
	if (r == 0)
		r = rebuild(s, snapshot, err);
	if (s->doomed)
		twin_kill(s, s->doomed);
	s->doomed = 0;
	cpu_leave(s);
	log_debug(LOG_CKPT, "restore of %d: put away %llu us, rebuild %llu us", s->leader,
		  (unsigned long long)(killed - began), (unsigned long long)(clock_us() - killed));
	return r < 0 ? err_context(err, "restore") : 0;
}
