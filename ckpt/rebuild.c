/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making one process again from its image: a copy of the twin under the old number, its threads, what fork() does not copy.
 *
 * Until rebuild_let_go() the new process is ours: stopped, its signals blocked. */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "ckpt/ckpt_priv.h"

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS)

static int failed(long result, struct err *err, const char *what)
{
	if (result >= 0)
		return 0;
	errno = (int)-result;
	return err_sys(err, "%s", what);
}

/* The process itself: its number, its group and session, the terminal's foreground. */
static int rebuild_main(struct ckpt_session *s, struct rebuilt *b, struct err *err)
{
	const struct ckpt_thread *t = &b->image->proc.threads[0];
	struct remote_clone how = {.flags = CLONE_PARENT, .child_tid = t->clear_tid};
	struct remote twin, *r = &b->threads[0];
	pid_t pid;

	if (t->clear_tid)
		how.flags |= CLONE_CHILD_CLEARTID;
	if (s->isolation != CKPT_ISOLATION_NONE)
		how.want = b->image->proc.ns_pid;
	else if (t->clear_tid)
		how.flags |= CLONE_CHILD_SETTID;        /* another number: glibc keeps it where clear_tid points */
	if (remote_open(&twin, b->image->twin, &b->image->proc.place, err) < 0)
		return err_context(err, "the snapshot's process is gone (was it killed, or is memory short?)");
	pid = fault("ckpt-restore-clone") ? -EAGAIN : remote_clone(&twin, &how);
	if (failed(pid, err, "copy the snapshot") < 0)
		return -1;
	r->tid = pid;
	b->n = 1;
	if (!twin.code)
		place_arm(pid, &b->image->proc.place);
	if (remote_open(r, pid, &b->image->proc.place, err) < 0)
		return -1;
	b->ns_tids[0] = how.want ? how.want : pid;
	return b->image->pages ? pages_write(pid, b->image->pages, err) : 0;
}

static int rebuild_group(struct ckpt_session *s, struct rebuilt *b, struct err *err)
{
	struct remote *r = &b->threads[0];
	long result = 0;

	if (b->image->proc.session_leader)
		result = remote_call(r, SYS_setsid, 0);
	else
		result = remote_call(r, SYS_setpgid, 0, b->image->proc.group_leader ? 0 : (uint64_t)b->image->proc.ns_group);
	if (result == -EPERM && !b->image->proc.group_leader) {
		session_warn(s, "a process group whose leader has ended does not come back: its processes get groups of their own");
		result = remote_call(r, SYS_setpgid, 0, 0);
	}
	if (failed(result, err, "restore the process group") < 0)
		return -1;
	if (b->image->proc.foreground && b->image->proc.group_leader)
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

static int rebuild_threads(struct ckpt_session *s, struct rebuilt *b, struct err *err)
{
	for (size_t i = 1; i < b->image->proc.n; i++) {
		const struct ckpt_thread *t = &b->image->proc.threads[i];
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
		if (remote_open(&b->threads[i], tid, &b->image->proc.place, err) < 0)
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

/* What a thread has to ask for itself, with the message if it is refused. */
struct requests {
	struct batch batch;
	const char *what[5];
};

static void request_syscall(struct requests *q, const char *what, long nr, const uint64_t args[6])
{
	q->what[batch_syscall(&q->batch, nr, args)] = what;
}
#define request(q, what, nr, ...) request_syscall(q, what, nr, (const uint64_t[6]){__VA_ARGS__})

static void add_requests(struct requests *q, const struct image *image, size_t i)
{
	const struct ckpt_thread *t = &image->proc.threads[i];
	bool copied = i == 0 && !image->bare;        /* by fork() */

	if (t->robust)
		request(q, "restore the list of robust mutexes", SYS_set_robust_list, t->robust, t->robust_len);
	if (!copied && !(t->altstack.ss_flags & SS_DISABLE))
		request(q, "restore the alternate signal stack", SYS_sigaltstack,
			batch_put(&q->batch, &t->altstack, sizeof t->altstack));
	if (!copied && t->rseq.ptr)
		request(q, "restore the restartable sequences area", 334 /* rseq */, t->rseq.ptr, t->rseq.size, 0, t->rseq.sig);
	if (t->name[0])
		request(q, NULL, SYS_prctl, PR_SET_NAME, batch_put(&q->batch, t->name, sizeof t->name));
	if (i == 0 && image->proc.pdeath_signal)
		request(q, NULL, SYS_prctl, PR_SET_PDEATHSIG, (uint64_t)image->proc.pdeath_signal);
	if (i == 0 && image->proc.subreaper)
		request(q, NULL, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
}

static int rebuild_thread_state(struct rebuilt *b, size_t i, struct err *err)
{
	const struct ckpt_thread *t = &b->image->proc.threads[i];
	struct remote *r = &b->threads[i];
	struct requests q = {0};

	batch_begin(&q.batch, r);
	add_requests(&q, b->image, i);
	int result = q.batch.n ? batch_run(&q.batch) : 0;
	batch_end(&q.batch);
	if (result < 0)
		return err_sys(err, "restore the state of thread %d", r->tid);
	for (size_t k = 0; k < q.batch.n; k++)
		if (q.what[k] && failed(q.batch.calls[k].result, err, q.what[k]) < 0)
			return -1;
	if (b->ns_tids[i] != t->ns_tid)
		rename_mutex_owner(t, r->tid);
	return signals_restore(r, b->ns_tids[0], b->ns_tids[i], false, &t->pending, err);
}

int rebuild_state(struct ckpt_session *s, struct rebuilt *b, struct err *err)
{
	struct remote *r = &b->threads[0];
	pid_t pid = r->tid;

	for (size_t i = 0; i < b->n; i++)
		if (rebuild_thread_state(b, i, err) < 0)
			return -1;
	if (signals_restore(r, b->ns_tids[0], b->ns_tids[0], true, &b->image->pending, err) < 0 ||
	    files_restore(s, pid, b->image->files, err) < 0 || shared_memory_restore(s, pid, b->image->shared, err) < 0 ||
	    timers_restore(s, r, b->image->timers, &b->image->proc, b->ns_tids, err) < 0)     /* last: they tick from here on */
		return -1;
	if (remote_write(pid, b->image->proc.place.scratch, b->image->proc.place.saved, SCRATCH_SIZE) < 0)
		return err_sys(err, "write to process %d", pid);
	return 0;
}

static int set_registers(const struct ckpt_thread *t, pid_t tid, struct err *err)
{
	struct arch_regs regs = t->regs;

	arch_rewind(&regs);
	if (arch_set_xstate(tid, t->xstate, t->xstate_len) < 0 || arch_set_regs(tid, &regs) < 0)
		return err_sys(err, "restore the registers of thread %d", tid);
	if (thread_put_rseq_cs(t, tid) < 0)
		return err_sys(err, "write to thread %d", tid);
	if (trace_mask_set(tid, t->mask) < 0)
		return err_sys(err, "restore the signal mask of thread %d", tid);
	return 0;
}

int rebuild_let_go(struct rebuilt *b, struct err *err)
{
	for (size_t i = 0; i < b->n; i++)
		if (set_registers(&b->image->proc.threads[i], b->threads[i].tid, err) < 0)
			return -1;
	if (fault("ckpt-let-go"))
		return err_set(err, "fault ckpt-let-go");
	for (size_t i = 0; i < b->n; i++) {
		const cpu_set_t *affinity = &b->image->proc.threads[i].affinity;
		if (CPU_COUNT(affinity))
			sched_setaffinity(b->threads[i].tid, sizeof *affinity, affinity);
	}
	place_disarm(b->threads[0].tid, &b->image->proc.place);
	for (size_t i = 0; i < b->n; i++)
		if (ptrace(PTRACE_DETACH, b->threads[i].tid, 0, 0) < 0)
			return err_sys(err, "let thread %d go", b->threads[i].tid);
	return 0;
}

int rebuild_process(struct ckpt_session *s, const struct image *image, struct rebuilt *b, struct err *err)
{
	*b = (struct rebuilt){
		.image = image,
		.threads = xcalloc(image->proc.n, sizeof *b->threads),
		.ns_tids = xcalloc(image->proc.n, sizeof *b->ns_tids),
	};
	if (rebuild_main(s, b, err) < 0 || rebuild_group(s, b, err) < 0)
		return -1;
	return rebuild_threads(s, b, err);
}

void rebuilt_free(struct rebuilt *b)
{
	free(b->threads);
	free(b->ns_tids);
}

/* A tracer reaps before the parent can, and the main thread comes last. */
void rebuilt_kill(const struct rebuilt *b)
{
	int status;

	if (!b->n)
		return;
	kill(b->threads[0].tid, SIGKILL);
	for (size_t i = b->n; i-- > 0 && !b->let_go;)
		while (trace_wait(b->threads[i].tid, &status) == 0)
			;
}
