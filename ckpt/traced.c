/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The processes that the leader traces: finding and reading them, by way of their tracer.
 *
 * They are stopped already, and their debugger knows of each stop.  Reading takes a thread from its stop to a place where it
 * can make system calls for us; traced_thaw() takes it back to one from which it goes on in the same way. */
#include <dirent.h>
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

/* ---- reading a thread ---- */

/* Threads of p, in their order: the main thread is the first. */
static int list_threads(struct ckpt_proc *p, struct err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task", p->pid);
	DIR *dir = opendir(path);
	if (!dir)
		return err_sys(err, "open %s", path);
	for (struct dirent *e; (e = readdir(dir));) {
		if (e->d_name[0] == '.')
			continue;
		array_grow(p->threads, p->n);
		p->threads[p->n++] = (struct ckpt_thread){.tid = atoi(e->d_name)};
	}
	closedir(dir);
	return p->n && p->threads[0].tid == p->pid ? 0 : err_set(err, "process %d has ended", p->pid);
}

static int read_status(struct ckpt_proc *p, struct ckpt_thread *t, pid_t tracer, struct err *err)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/task/%d/status", p->pid, t->tid);
	cleanup_free char *status = fd_slurp(path, NULL);
	if (!status)
		return err_sys(err, "read %s", path);
	t->ns_tid = status_inside(status, "\nNSpid:");
	const char *state = strstr(status, "\nState:\t");
	if (state && state[8] == 'Z')
		return err_set(err, "thread %d has ended, and its debugger does not know yet", t->ns_tid);
	if (!state || state[8] != 't' || status_field(status, "\nTracerPid:") != tracer)
		return err_set(err, "thread %d of the program runs: a snapshot needs all of it stopped by its debugger", t->ns_tid);
	return 0;
}

/* A SIGSTOP cannot be kept waiting by blocking it. */
static unsigned take_sigstops(struct pending *p)
{
	unsigned taken = 0;
	size_t left = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->info[i].si_signo == SIGSTOP)
			taken++;
		else
			p->info[left++] = p->info[i];
	p->n = left;
	return taken;
}

static int read_stop(const struct tracer *via, const struct ckpt_thread *t, const struct look *l, struct stop *stop,
		     struct err *err)
{
	struct __ptrace_syscall_info call;

	/* None when it is stopped by job control: there is no signal to tell of. */
	stop->have_info = l->have_info;
	stop->info = l->info;
	/* Entry and exit look the same (ptrace(2), syscall-stops; 0x80 with PTRACE_O_TRACESYSGOOD). */
	bool at_call = stop->have_info && stop->info.si_signo == SIGTRAP && (stop->info.si_code & ~0x80) == SIGTRAP;
	if (at_call && tracer_get(via, PTRACE_GET_SYSCALL_INFO, t->ns_tid, sizeof call, &call, sizeof call) > 0)
		stop->entry = call.op == PTRACE_SYSCALL_INFO_ENTRY;
	stop->fault = stop->have_info && arch_is_fault(&stop->info) ? FAULT_UNTRIED : FAULT_NONE;
	if (l->debug_control && arch_debug_get(via, t->ns_tid, &stop->debug) < 0)
		return err_sys(err, "read the debug registers of thread %d", t->tid);
	return 0;
}

static void take_look(struct tracee *x, size_t i, struct look *l)
{
	struct ckpt_thread *t = &x->image.proc.threads[i];

	x->remotes[i].regs = t->regs = l->regs;
	t->mask = l->mask;
	t->xstate = steal_pointer(&l->xstate);
	t->xstate_len = l->xstate_len;
	if (l->have_rseq)
		t->rseq = l->rseq;
	thread_read(t);
	x->n_changed = i + 1;
}

static int look_on(const struct tracer *via, struct tracee *x, size_t i, const struct look *l, struct err *err)
{
	struct ckpt_thread *t = &x->image.proc.threads[i];

	if (read_stop(via, t, l, &x->stops[i], err) < 0)
		return -1;
	if (l->pending && signals_save(via, t->ns_tid, false, &t->pending, err) < 0)
		return -1;
	x->stops[i].sigstops = take_sigstops(&t->pending);
	return 0;
}

static int read_threads(const struct tracer *via, struct tracee *x, struct err *err)
{
	struct ckpt_proc *p = &x->image.proc;
	cleanup_free struct look *looks = xcalloc(p->n, sizeof *looks);
	ssize_t n = 0;
	int r = 0;

	for (size_t i = 0; i < p->n; i++) {
		thread_pin(&p->threads[i]);
		x->remotes[i] = (struct remote){
			.tid = p->threads[i].tid, .ns_tid = p->threads[i].ns_tid, .place = &p->place, .via = via, .code = true,
			.last = i == 0 && p->n > 1,
		};
	}
	for (size_t from = 0; from < p->n && n >= 0; from += (size_t)n) {
		n = tracer_look(via, &x->remotes[from], p->n - from, &looks[from]);
		for (ssize_t i = 0; i < n; i++)
			take_look(x, from + (size_t)i, &looks[from + (size_t)i]);
	}
	if (n < 0)
		r = err_sys(err, "read the state of process %d", p->ns_pid);
	for (size_t i = 0; i < p->n && r == 0; i++)
		r = look_on(via, x, i, &looks[i], err);
	for (size_t i = 0; i < p->n; i++)
		free(looks[i].xstate);
	return r;
}

/* The event that a stop inside a system call tells of (fork, clone, exec); 0 for any other stop. */
static int event_of(const struct stop *stop)
{
	return stop->have_info && stop->info.si_signo == SIGTRAP && (stop->info.si_code & 0xff) == SIGTRAP ?
	       stop->info.si_code >> 8 : 0;
}

/* From the stop where the debugger has it to one where it can work for us. */
static int open_thread(const struct tracer *via, struct tracee *x, size_t i, struct err *err)
{
	struct ckpt_thread *t = &x->image.proc.threads[i];
	struct stop *stop = &x->stops[i];
	struct remote *r = &x->remotes[i];
	int event = event_of(stop);

	if (fault("ckpt-traced-thread"))
		return err_set(err, "fault ckpt-traced-thread");
	if (event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_EXIT)
		return err_set(err, event == PTRACE_EVENT_EXIT ? "thread %d is just exiting" :
			       "process %d waits for a child of vfork(), which shares its memory", t->ns_tid);
	/* The call that the event belongs to has not returned, and would write its result over our registers. */
	if (event && tracer_run(r, NULL, PTRACE_SINGLESTEP, &r->regs) < 0)
		return err_set(err, "thread %d has just ended", t->ns_tid);
	t->regs = r->regs;
	/* At its event exec() has not yet forgotten that of the old program (fs/exec.c, bprm_execve). */
	if (event == PTRACE_EVENT_EXEC && tracer_get(via, PTRACE_GET_RSEQ_CONFIGURATION, t->ns_tid, sizeof t->rseq, &t->rseq,
						     sizeof t->rseq) < 0)
		t->rseq.ptr = 0;
	return 0;
}

/* The scratch bytes that the questions take. */
#define ROOM_OF_THREAD 256
#define ROOM_OF_PROCESS 480

struct questions {
	struct batch *batches;
	struct thread_question *of_threads;
	struct proc_question of_process;
	size_t from, n;
};

static int take_answers(struct tracee *x, const struct questions *q, struct err *err)
{
	struct ckpt_proc *p = &x->image.proc;

	if (q->from == 0)
		proc_told(p, &q->batches[0], &q->of_process);
	for (size_t i = 0; i < q->n; i++)
		if (thread_told(&p->threads[q->from + i], &q->batches[i], &q->of_threads[i], err) < 0)
			return -1;
	return 0;
}

/* As many of the threads as there is room for. */
static int ask_some(struct tracee *x, struct questions *q, struct err *err)
{
	size_t used = 0, most = tracer_room_for_each(x->remotes[0].via);

	for (q->n = 0; q->n < most && q->from + q->n < x->image.proc.n; q->n++) {
		bool first = q->from + q->n == 0;
		size_t size = ROOM_OF_THREAD + (first ? ROOM_OF_PROCESS : 0);
		struct batch *b = &q->batches[q->n];
		if (used + size > SCRATCH_SIZE)
			break;
		batch_begin_in(b, &x->remotes[q->from + q->n], x->image.proc.place.scratch + used, size);
		used += size;
		thread_ask(b, &q->of_threads[q->n], false);
		if (first)
			proc_ask(b, &q->of_process);
	}
	int r = tracer_run_each(q->batches, q->n);
	if (r < 0)
		err_set(err, "process %d does not answer: it was killed, or cannot make system calls", x->image.proc.ns_pid);
	else
		r = take_answers(x, q, err);
	for (size_t i = 0; i < q->n; i++)
		batch_end(&q->batches[i]);
	return r;
}

static int ask_threads(struct tracee *x, struct err *err)
{
	size_t n = x->image.proc.n;
	cleanup_free struct batch *batches = xcalloc(n, sizeof *batches);
	cleanup_free struct thread_question *of_threads = xcalloc(n, sizeof *of_threads);
	struct questions q = {.batches = batches, .of_threads = of_threads};

	for (; q.from < n; q.from += q.n)
		if (ask_some(x, &q, err) < 0)
			return -1;
	return 0;
}

/* ---- reading a process ---- */

static int freeze_tracee(struct ckpt_session *s, const struct tracer *via, struct tracee *x, struct err *err)
{
	struct ckpt_proc *p = &x->image.proc;
	cleanup_text struct proc_text text = {0};

	if (proc_read(p, &text, err) < 0 || list_threads(p, err) < 0)
		return -1;
	const char *status = text.status;
	p->ns_pid = status_inside(status, "\nNSpid:");
	pid_t parent = (pid_t)status_field(status, "\nPPid:");
	/* A child of vfork().  EPERM and the like: its parent is none of the program's. */
	if (parent != via->r->tid && syscall(SYS_kcmp, parent, p->pid, KCMP_VM, 0, 0) == 0)
		return err_set(err, "process %d shares its memory with its parent, which waits in vfork()", p->ns_pid);
	if (has_own_filter(status))
		return err_set(err, "process %d has a seccomp filter of its own: a snapshot might kill it", p->ns_pid);
	p->ns_group = status_inside(status, "\nNSpgid:");
	x->stops = xcalloc(p->n, sizeof *x->stops);
	x->remotes = xcalloc(p->n, sizeof *x->remotes);
	for (size_t i = 0; i < p->n; i++)
		if (read_status(p, &p->threads[i], via->r->tid, err) < 0)
			return -1;
	if (place_find(p->pid, &p->place, err) < 0)
		return -1;
	x->armed = true;
	if (tracer_arm(via, p->ns_pid, &p->place) < 0)
		return err_sys(err, "put code into process %d", p->ns_pid);
	if (read_threads(via, x, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (open_thread(via, x, i, err) < 0)
			return -1;
	if (ask_threads(x, err) < 0)
		return -1;
	x->image.bare = true;
	if (image_record(s, &x->image, &x->remotes[0], err) < 0)
		return -1;
	x->stops[0].sigstops += take_sigstops(&x->image.pending);
	return 0;
}

/* Is there an event of this child or tracee (or, P_ALL, of any) that the leader has not fetched?  Its number; 0: none. */
static pid_t peek_event(const struct tracer *via, idtype_t type, pid_t ns_tid)
{
	siginfo_t info;

	if (remote_call(via->r, SYS_waitid, type, (uint64_t)ns_tid, via->buffer,
			WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
	    remote_read(via->r->tid, via->buffer, &info, sizeof info) < 0)
		return -1;
	return info.si_pid;
}

/* Of such an event the leader's memory does not know, and a restored tracee would not have it. */
static int check_events(const struct tracer *via, const struct traced *t, struct err *err)
{
	pid_t any = peek_event(via, P_ALL, 0);

	/* It may be of a process that the leader does not trace; then each has to be asked for. */
	for (size_t i = 0; i < t->n && any; i++)
		for (size_t k = 0; k < t->list[i].image.proc.n; k++) {
			pid_t ns_tid = t->list[i].image.proc.threads[k].ns_tid;
			if (peek_event(via, P_PID, ns_tid))
				return err_set(err, "thread %d of the program has stopped or ended, and its debugger does not know "
						    "yet", ns_tid);
		}
	return 0;
}

/* ---- windows: the leader's descriptors ---- */

static void save_windows(struct traced *t, pid_t leader)
{
	char path[64], target[256];

	snprintf(path, sizeof path, "/proc/%d/fd", leader);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof target - 1);
		if (n <= 0)
			continue;
		target[n] = 0;
		char *rest = !strncmp(target, "/proc/", 6) ? target + 6 : target + 1, *end;
		pid_t pid = (pid_t)strtol(rest, &end, 10);
		bool ours = false;
		for (size_t i = 0; i < t->n; i++)
			ours |= end > rest && *end == '/' && t->list[i].image.proc.ns_pid == pid;
		if (!ours)
			continue;
		char *gone = strstr(rest, " (deleted)");
		if (gone)
			*gone = 0;
		struct window w = {.fd = atoi(e->d_name)};
		snprintf(w.path, sizeof w.path, "/proc/%.50s", rest);
		snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", leader, w.fd);
		cleanup_free char *info = fd_slurp(path, NULL);
		const char *flags = info ? strstr(info, "flags:") : NULL, *pos = info ? strstr(info, "pos:") : NULL;
		w.flags = flags ? (int)strtol(flags + 6, NULL, 8) : 0;
		w.offset = pos ? strtoll(pos + 4, NULL, 10) : 0;
		array_grow(t->windows, t->n_windows);
		t->windows[t->n_windows++] = w;
	}
	if (dir)
		closedir(dir);
}

/* ---- all of them ---- */

static void keep_sigchld(const struct pending *p, siginfo_t *sigchld)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->info[i].si_signo == SIGCHLD)
			*sigchld = p->info[i];
}

static bool is_thread_of(const struct ckpt_proc *p, pid_t tid)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->threads[i].tid == tid)
			return true;
	return false;
}

static int find_tracees(struct ckpt_session *s, const struct ckpt_proc *leader, struct traced *t, struct err *err)
{
	cleanup_free struct process *list = NULL;
	size_t n = tree_list(s, &list);

	for (size_t i = 0; i < n; i++) {
		if (list[i].pid == leader->pid)
			continue;
		if (list[i].tracer == leader->pid) {
			array_grow(t->list, t->n);
			t->list[t->n++] = (struct tracee){.image.proc = {.pid = list[i].pid, .frozen_at = leader->frozen_at}};
		} else if (is_thread_of(leader, list[i].tracer)) {
			return err_set(err, "process %d is traced by another thread of the debugger than its main thread", list[i].pid);
		} else if (!list[i].zombie) {
			session_warn(s, "the program has child processes: they do not go back with it, and going back ends them");
		}
	}
	return 0;
}

int traced_freeze(struct ckpt_session *s, const struct ckpt_proc *leader, struct remote *main_thread, struct traced *t,
		  struct err *err)
{
	struct pending pending = {0};

	*t = (struct traced){0};
	if (!leader->has_others)
		return 0;
	int r = find_tracees(s, leader, t, err);
	if (r == 0 && !t->n)
		return 0;
	if (r == 0 && s->isolation == CKPT_ISOLATION_NONE)
		r = err_set(err, "a debugger that traces its program can be copied only in namespaces of its own, and there are "
			    "none here: fredapp --doctor says what to allow");
	if (r == 0)
		r = signals_save(NULL, leader->pid, true, &pending, err);
	keep_sigchld(&pending, &t->sigchld);
	t->ns_leader = leader->ns_pid;
	free(pending.info);
	if (r == 0)
		r = tracer_open(&t->tracer, main_thread, err);
	for (size_t i = 0; i < t->n && r == 0; i++)
		r = freeze_tracee(s, &t->tracer, &t->list[i], err);
	if (r == 0)
		r = check_events(&t->tracer, t, err);
	if (r < 0) {
		traced_thaw(t);
		traced_free(t);
		*t = (struct traced){0};
		return -1;
	}
	save_windows(t, leader->pid);
	return 0;
}

void traced_free(struct traced *t)
{
	for (size_t i = 0; i < t->n; i++) {
		image_free(&t->list[i].image);
		free(t->list[i].stops);
		free(t->list[i].remotes);
	}
	free(t->list);
	free(t->windows);
}

bool traced_has_twin(const struct traced *t, pid_t pid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].image.twin == pid)
			return true;
	return false;
}
