/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stop a process, read what fork() does not copy, let it go on as if nothing had been.
 *
 * Between operations nothing is traced.  A frozen thread stands in a PTRACE_EVENT_STOP: signals that came first have been
 * delivered (their handler's frame is built, as it would have been), the next instruction has not been executed. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "ckpt/ckpt_priv.h"

#ifndef PTRACE_O_SUSPEND_SECCOMP
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#endif

int trace_seize(pid_t tid, struct err *err)
{
	bool refused = fault("no-ptrace");

	if (!refused && ptrace(PTRACE_SEIZE, tid, 0, PTRACE_O_EXITKILL) == 0)
		return 0;
	int saved = refused ? EPERM : errno;
	if (saved == EPERM)
		err_set(err, "ptrace of process %d is refused: look at /proc/sys/kernel/yama/ptrace_scope (3 forbids all), "
			"at the container's seccomp profile (--cap-add=SYS_PTRACE), and whether another debugger holds it", tid);
	else
		err_sys(err, "ptrace of process %d", tid);
	err->sys = errno = saved;
	return -1;
}

/* A signal that was on its way is delivered first: any stop cancels the interrupt
 * (kernel/signal.c, ptrace_stop), so it is asked for again. */
int trace_settle(pid_t tid)
{
	int status;

	fault_kill(tid);
	while (trace_wait(tid, &status) == 0) {
		if (status >> 16 == PTRACE_EVENT_STOP)
			return 0;
		if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 || ptrace(PTRACE_CONT, tid, 0, WSTOPSIG(status)) < 0)
			continue;       /* killed meanwhile: the next wait says so */
	}
	return -1;
}

static bool known(const struct ckpt_proc *p, pid_t tid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->threads[i].tid == tid)
			return true;
	return false;
}

/* To PTRACE_SEIZE a zombie is refused as any other process is that we may not trace. */
static bool thread_ended(pid_t pid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
	cleanup_free char *stat = fd_slurp(path, NULL);
	char *name_end = stat ? strrchr(stat, ')') : NULL;
	return !name_end || strchr("ZX", name_end[2]);
}

static int seize(struct ckpt_proc *p, pid_t tid, struct err *err)
{
	struct ckpt_thread t = {.tid = tid};

	if (trace_seize(tid, err) < 0)
		return -1;
	thread_pin(&t);         /* first: where it wakes up, we wait for it */
	array_grow(p->threads, p->n);
	p->threads[p->n++] = t;
	ptrace(PTRACE_INTERRUPT, tid, 0, 0);
	return 0;
}

/* Returns whether there was a thread not seen before; it may have ended, after it made another. */
static int seize_new(struct ckpt_proc *p, struct err *err)
{
	char path[64];
	size_t before = p->n;
	bool any;

	snprintf(path, sizeof path, "/proc/%d/task", p->pid);
	DIR *dir = opendir(path);
	if (!dir)
		return err_sys(err, "open %s", path);
	for (struct dirent *e; (e = readdir(dir));) {
		pid_t tid = atoi(e->d_name);
		if (tid <= 0 || known(p, tid))
			continue;
		if (seize(p, tid, err) < 0 && !thread_ended(p->pid, tid)) {
			closedir(dir);
			return -1;
		}
	}
	closedir(dir);
	any = p->n > before;
	for (size_t i = before; i < p->n; i++)
		if (trace_settle(p->threads[i].tid) < 0)
			p->threads[i--] = p->threads[--p->n];
	return any;
}

/* The links of the folder are two, and one for each thread (fs/proc/base.c, proc_task_getattr): a third of the cost of
 * listing it. */
static bool is_alone(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	return stat(path, &st) == 0 && st.st_nlink == 3;
}

static int seize_all(struct ckpt_proc *p, struct err *err)
{
	int r = 1;

	if (seize(p, p->pid, err) < 0)
		return -1;
	if (trace_settle(p->pid) < 0)
		return err_set(err, "the debugger (process %d) has just ended", p->pid);
	/* A thread can start others until it is stopped itself: only a pass without a new one proves that none is left. */
	while (r > 0)
		r = is_alone(p->pid) ? 0 : seize_new(p, err);
	return r;
}

static int suspend_seccomp(const struct ckpt_proc *p, struct err *err)
{
	if (!has_own_filter(p->text.status))
		return 0;
	for (size_t i = 0; i < p->n; i++)
		if (ptrace(PTRACE_SETOPTIONS, p->threads[i].tid, 0, TRACE_OPTIONS | PTRACE_O_SUSPEND_SECCOMP) < 0)
			return err_sys(err, "the program has a seccomp filter, and suspending it for a snapshot needs root");
	return 0;
}

int proc_read(struct ckpt_proc *p, struct proc_text *text, struct err *err)
{
	char state;
	int group, session, tty, front;

	if (!proc_text_read(p->pid, text))
		return err_sys(err, "read the status of process %d", p->pid);
	p->resident_kb = status_field(text->status, "\nVmRSS:");
	p->shared_memory = status_field(text->status, "\nRssShmem:") > 0;
	char *name_end = strrchr(text->stat, ')');
	if (!name_end || sscanf(name_end + 1, " %c %*d %d %d %d %d", &state, &group, &session, &tty, &front) != 5)
		return err_set(err, "/proc/%d/stat has an unknown form", p->pid);
	p->group_leader = group == p->pid;
	p->session_leader = session == p->pid;
	p->foreground = front == group;
	return 0;
}

static int read_process(struct ckpt_proc *p, struct err *err)
{
	if (proc_read(p, &p->text, err) < 0)
		return -1;
	if (ptrace(PTRACE_SETOPTIONS, p->pid, 0, TRACE_OPTIONS) < 0)
		return err_sys(err, "set the ptrace options of process %d", p->pid);
	return suspend_seccomp(p, err);
}

/* What can be read from outside, before the thread makes any call for us. */
static int read_thread(struct ckpt_thread *t, struct err *err)
{
	if (trace_mask_get(t->tid, &t->mask) < 0)
		return err_sys(err, "read the signal mask of thread %d", t->tid);
	if (arch_get_xstate(t->tid, &t->xstate, &t->xstate_len) < 0)
		return err_sys(err, "read the vector registers of thread %d", t->tid);
	/* Linux 5.13; before that, or where glibc does not register it, there is none. */
	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, t->tid, sizeof t->rseq, &t->rseq) < 0)
		t->rseq.ptr = 0;
	thread_read(t);
	return signals_save(NULL, t->tid, false, &t->pending, err);
}

/* Of threads that are no more, or of another incarnation. */
static void forget_waits(struct ckpt_session *s, const struct ckpt_proc *p)
{
	for (size_t i = 0; i < s->n_waits; i++)
		if (!known(p, s->waits[i].tid))
			s->waits[i--] = s->waits[--s->n_waits];
}

static struct wait *wait_of(struct ckpt_session *s, pid_t tid)
{
	for (size_t i = 0; i < s->n_waits; i++)
		if (s->waits[i].tid == tid)
			return &s->waits[i];
	array_grow(s->waits, s->n_waits);
	s->waits[s->n_waits] = (struct wait){.tid = tid};
	return &s->waits[s->n_waits++];
}

static void wind_back_wait(struct ckpt_session *s, struct ckpt_thread *t)
{
	struct wait *w = wait_of(s, t->tid);

	arch_name_restarted(t->tid, &t->regs, &w->seen);
	(void)!arch_rewind_eintr(t->tid, &t->regs, &w->until, &w->timeout);
}

void proc_ask(struct batch *b, struct proc_question *q)
{
	struct itimerval one;

	q->signal = batch_room(b, sizeof(int));
	q->subreaper = batch_room(b, sizeof(int));
	q->timers = batch_room(b, INTERVAL_TIMERS * sizeof one);
	q->first = batch_call(b, SYS_prctl, PR_GET_PDEATHSIG, q->signal);
	batch_call(b, SYS_prctl, PR_GET_CHILD_SUBREAPER, q->subreaper);
	for (uint64_t i = 0; i < INTERVAL_TIMERS; i++)
		batch_call(b, SYS_getitimer, i, q->timers + i * sizeof one);
}

void proc_told(struct ckpt_proc *p, const struct batch *b, const struct proc_question *q)
{
	if (b->calls[q->first].result == 0)
		memcpy(&p->pdeath_signal, batch_at(b, q->signal), sizeof p->pdeath_signal);
	if (b->calls[q->first + 1].result == 0)
		memcpy(&p->subreaper, batch_at(b, q->subreaper), sizeof p->subreaper);
	for (size_t i = 0; i < INTERVAL_TIMERS; i++)
		if (b->calls[q->first + 2 + i].result == 0)
			memcpy(&p->interval[i], (char *)batch_at(b, q->timers) + i * sizeof p->interval[i], sizeof p->interval[i]);
}

static int ask_thread(struct ckpt_session *s, struct ckpt_proc *p, struct ckpt_thread *t, struct remote *r, struct err *err)
{
	bool main_thread = t->tid == p->pid;
	struct thread_question of_thread;
	struct proc_question of_process;
	cleanup_batch struct batch b = {0};
	size_t group = 0, news = 0;

	t->touched = true;
	if (remote_open(r, t->tid, &p->place, err) < 0)
		return -1;
	t->regs = r->regs;
	wind_back_wait(s, t);
	batch_begin(&b, r);
	size_t tid = batch_call(&b, SYS_gettid, 0);
	thread_ask(&b, &of_thread, main_thread);
	if (main_thread) {
		proc_ask(&b, &of_process);
		group = batch_call(&b, SYS_getpgid, 0);
		/* Asks for news of a child, or of a process that it traces, without taking them: ECHILD when there is none. */
		news = batch_call(&b, SYS_waitid, P_ALL, 0, 0, WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL);
	}
	if (batch_run(&b) < 0)
		return err_set(err, "thread %d does not answer: it was killed, or cannot make system calls", t->tid);
	t->ns_tid = (pid_t)b.calls[tid].result;
	if (main_thread) {
		proc_told(p, &b, &of_process);
		p->ns_group = (pid_t)b.calls[group].result;
		p->has_others = b.calls[news].result == 0;
	}
	return thread_told(t, &b, &of_thread, err);
}

static int read_all(struct ckpt_session *s, struct ckpt_proc *p, struct remote *main_thread, struct err *err)
{
	struct remote other;

	if (place_find(p->pid, &p->place, err) < 0 || read_process(p, err) < 0)
		return -1;
	place_arm(p->pid, &p->place);
	forget_waits(s, p);
	for (size_t i = 0; i < p->n; i++) {
		if (fault("ckpt-thread"))
			return err_set(err, "fault ckpt-thread");
		if (read_thread(&p->threads[i], err) < 0 ||
		    ask_thread(s, p, &p->threads[i], i ? &other : main_thread, err) < 0)
			return -1;
	}
	return 0;
}

/* Is it a zombie, or gone?  Then init has reported its end, or is about to. */
static bool has_ended(pid_t pid)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};

	return pidfd < 0 || poll(&pfd, 1, 0) > 0;
}

int freeze(struct ckpt_session *s, struct ckpt_proc *p, struct remote *main_thread, struct err *err)
{
	struct err ignored;

	*p = (struct ckpt_proc){.pid = s->leader, .ns_pid = s->ns_leader, .frozen_at = clock_us()};
	int r = fault("ckpt-freeze") ? err_set(err, "fault ckpt-freeze") : seize_all(p, err);
	if (r == 0)
		r = read_all(s, p, main_thread, err);
	if (r < 0) {
		thaw(s, p);
		if (has_ended(s->leader))
			(void)!session_reports(s, true, &ignored);
		proc_free(p);
	}
	return r;
}

static void thaw_thread(struct ckpt_thread *t)
{
	int status, sig = 0;

	if (t->touched) {
		(void)!arch_set_regs(t->tid, &t->regs);
		(void)!trace_mask_set(t->tid, t->mask);
		(void)!thread_put_rseq_cs(t, t->tid);
	}
	if (CPU_COUNT(&t->affinity))
		sched_setaffinity(t->tid, sizeof t->affinity, &t->affinity);
	/* Refused: it has not stopped yet (the freeze failed half-way), or was killed, and then its tracer has to reap it
	 * before its parent can. */
	while (ptrace(PTRACE_DETACH, t->tid, 0, sig) < 0 && trace_wait(t->tid, &status) == 0)
		sig = status >> 16 ? 0 : WSTOPSIG(status);
}

void thaw(struct ckpt_session *s, struct ckpt_proc *p)
{
	if (p->n && p->place.insn) {
		place_disarm(p->pid, &p->place);
		(void)!remote_write(p->pid, p->place.scratch, p->place.saved, SCRATCH_SIZE);
	}
	proc_text_free(&p->text);
	/* The main thread last: while others of a dead process are not reaped, it cannot be. */
	for (size_t i = p->n; i-- > 0;)
		thaw_thread(&p->threads[i]);
}

void proc_free(struct ckpt_proc *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->threads[i].xstate);
		free(p->threads[i].pending.info);
	}
	free(p->threads);
	proc_text_free(&p->text);
	p->threads = NULL;
	p->n = 0;
}
