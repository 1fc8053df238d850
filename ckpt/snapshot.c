/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Taking and dropping snapshots. */
#include <unistd.h>
#include <stdlib.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fault.h"
#include "ckpt/ckpt_priv.h"

/* Twins take their numbers from the top of the range downwards, with set_tid, which leaves the kernel's counter alone.
 * Otherwise 10,000 snapshots would carry the program's own numbers round pid_max, onto numbers that an earlier snapshot
 * needs back; and a program's new threads would be numbered differently with us than without. */
pid_t twin_number(struct ckpt_session *s)
{
	if (--s->last_number < s->pid_max - s->pid_max / 4)
		s->last_number = s->pid_max - 1;
	return s->last_number;
}

pid_t clone_numbered(struct ckpt_session *s, struct remote *r, uint64_t flags)
{
	struct remote_clone how = {.flags = flags};

	if (s->isolation == CKPT_ISOLATION_NONE)
		return remote_clone(r, &how);
	for (pid_t tries = 0; tries < s->pid_max / 4; tries++) {
		how.want = twin_number(s);
		pid_t pid = remote_clone(r, &how);
		if (pid != -EEXIST)
			return pid;
	}
	return -EAGAIN;
}

/* A number is taken as long as any process bears it as its group or session. */
int twin_move_away(pid_t twin, const struct ckpt_proc *p, struct err *err)
{
	struct remote r;

	if (fault("ckpt-twin"))
		return err_set(err, "fault ckpt-twin");
	if (remote_open(&r, twin, &p->place, err) < 0)
		return -1;
	long result = p->session_leader ? remote_call(&r, SYS_setsid, 0) : remote_call(&r, SYS_setpgid, 0, 0);
	if (result >= 0)
		return 0;
	errno = (int)-result;
	return err_sys(err, "give the snapshot a process group of its own");
}

int twin_settle(struct ckpt_session *s, struct ckpt_snapshot *n, struct err *err)
{
	struct remote r;

	if (!n->leader.pages && twin_move_away(n->leader.twin, &n->leader.proc, err) < 0)
		return -1;
	if (n->last_given)
		return 0;
	return remote_open(&r, n->leader.twin, &n->leader.proc.place, err) < 0 ? -1 : numbers_save(s, &r, &n->last_given, err);
}

pid_t twin_make(struct ckpt_session *s, struct remote *r, const struct ckpt_proc *p, bool holder, struct err *err)
{
	pid_t twin = fault("ckpt-clone") ? -EAGAIN : clone_numbered(s, r, CLONE_PARENT | (holder ? CLONE_VM : 0));

	if (twin > 0)
		return twin;
	errno = -twin;
	return err_sys(err, "copy process %d%s", p->pid, twin == -EAGAIN || twin == -ENOMEM ?
		       " (too many processes or too little memory: drop snapshots, or raise ulimit -u)" : "");
}

int leader_copy(struct ckpt_session *s, struct remote *r, struct image *m, bool holder, struct err *err)
{
	pid_t twin = twin_make(s, r, &m->proc, holder, err);

	if (twin < 0)
		return -1;
	m->twin = twin;
	base_new(m);
	return 0;
}

/* Tearing down a gigabyte takes 10 ms: let that happen on any processor while we go on. */
void twin_kill(struct ckpt_session *s, pid_t twin)
{
	sched_setaffinity(twin, sizeof s->own_affinity, &s->own_affinity);
	kill(twin, SIGKILL);
	array_grow(s->dying, s->n_dying);
	s->dying[s->n_dying++] = twin;
}

void twins_kill(struct ckpt_session *s, struct ckpt_snapshot *n)
{
	base_leave(s, &n->leader);
	for (size_t i = 0; i < n->traced.n; i++)
		if (n->traced.list[i].image.twin > 0)
			twin_kill(s, n->traced.list[i].image.twin);
}

void twins_give_up(struct ckpt_session *s, struct ckpt_snapshot *n)
{
	twins_kill(s, n);
	s->in_the_way = true;
}

void twins_reap(struct ckpt_session *s, bool wait)
{
	size_t left = 0;

	for (size_t i = 0; i < s->n_dying; i++) {
		int status;
		pid_t r = waitpid(s->dying[i], &status, __WALL | (wait ? 0 : WNOHANG));
		/* A last ptrace stop may be reported before the end. */
		if (r == 0 || (r > 0 && WIFSTOPPED(status)))
			s->dying[left++] = s->dying[i];
	}
	s->n_dying = left;
	if (wait && left)
		twins_reap(s, wait);
}

int image_record(struct ckpt_session *s, struct image *m, struct remote *r, struct err *err)
{
	pid_t pid = r->via ? m->proc.ns_pid : m->proc.pid;

	if (signals_save(r->via, pid, true, &m->pending, err) < 0 || timers_save(s, r, &m->proc, &m->timers, err) < 0 ||
	    files_save(s, m->proc.pid, &m->files, err) < 0)
		return -1;
	return m->proc.shared_memory ? shared_memory_save(s, m->proc.pid, &m->shared, err) : 0;
}

void image_free(struct image *m)
{
	proc_free(&m->proc);
	free(m->pending.info);
	timers_free(m->timers);
	files_free(m->files);
	shared_memory_free(m->shared);
	pages_free(m->pages);
}

int snapshot_record(struct ckpt_session *s, struct ckpt_snapshot *n, struct remote *r, struct err *err)
{
	if (fault("ckpt-record"))
		return err_set(err, "fault ckpt-record");
	n->session = s;
	n->info.threads = (unsigned)n->leader.proc.n;
	for (size_t i = 0; i < n->traced.n; i++)
		n->info.threads += (unsigned)n->traced.list[i].image.proc.n;
	n->info.taken = (double)(n->leader.proc.frozen_at - s->began) / 1e6;
	return terminal_save(s, &n->terminal, err) < 0 ? -1 : image_record(s, &n->leader, r, err);
}

void snapshot_link(struct ckpt_session *s, struct ckpt_snapshot *n)
{
	n->next = s->snapshots;
	n->link = &s->snapshots;
	if (n->next)
		n->next->link = &n->next;
	s->snapshots = n;
}

void snapshot_free(struct ckpt_snapshot *n)
{
	if (!n)
		return;
	image_free(&n->leader);
	traced_free(&n->traced);
	free(n);
}

/* Will it stand still when it is thawed?  The end of a child may be what it waits for. */
static bool all_wait(const struct ckpt_proc *p)
{
	if (p->has_others)
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (!arch_waits(&p->threads[i].regs))
			return false;
	return true;
}

static int take(struct ckpt_session *s, struct ckpt_snapshot *n, struct err *err)
{
	struct err ignored;
	struct remote r;
	int result;

	if (freeze(s, &n->leader.proc, &r, err) < 0)
		return -1;
	result = traced_freeze(s, &n->leader.proc, &r, &n->traced, err);
	if (result == 0) {
		result = traced_copy(s, &n->traced, false, err);
		traced_thaw(&n->traced);
	}
	if (result == 0)
		result = snapshot_record(s, n, &r, err);
	bool based = result == 0 && base_take(s, &n->leader, &n->traced, &r, &n->last_given);
	if (result == 0 && !n->last_given && !all_wait(&n->leader.proc))
		result = numbers_save(s, &r, &n->last_given, err);
	if (result == 0 && !based)
		result = leader_copy(s, &r, &n->leader, false, err);
	if (fault("ckpt-interrupt"))            /* before it has run another instruction */
		kill(s->leader, SIGINT);
	thaw(s, &n->leader.proc);
	n->info.pause_us = clock_us() - n->leader.proc.frozen_at;
	if (traced_hold(s, &n->traced, false, result < 0 ? &ignored : err) < 0)
		return -1;
	return result < 0 ? -1 : twin_settle(s, n, err);
}

int ckpt_snapshot(struct ckpt_session *s, struct ckpt_snapshot **snapshot, struct err *err)
{
	struct ckpt_snapshot *n;
	cpu_set_t here;
	int r;

	twins_reap(s, false);
	if (session_reports(s, false, err) < 0)
		return -1;
	if (!s->leader)
		return err_set(err, "there is nothing to take a snapshot of: the debugger has ended");
	n = xcalloc(1, sizeof *n);
	cpu_enter(s, s->leader, &here);
	r = take(s, n, err);
	cpu_leave(s);
	if (r < 0) {
		twins_give_up(s, n);
		snapshot_free(n);
		return err_context(err, "snapshot");
	}
	snapshot_link(s, n);
	s->base = n->leader.base;
	s->untidy = n;
	*snapshot = n;
	log_debug(LOG_CKPT, "snapshot of %d: twin %d, %zu pages beside it, %zu threads, %llu us", s->leader, n->leader.twin,
		  n->leader.pages ? pages_count(n->leader.pages) : 0, n->leader.proc.n, (unsigned long long)n->info.pause_us);
	return 0;
}

void ckpt_tidy(struct ckpt_session *s)
{
	struct ckpt_snapshot *n = steal_pointer(&s->untidy);

	if (n && n->leader.pages)
		base_tidy(&n->leader);
}

void ckpt_drop(struct ckpt_snapshot *n)
{
	if (!n)
		return;
	struct ckpt_session *s = n->session;
	if (s->untidy == n)
		s->untidy = NULL;
	*n->link = n->next;
	if (n->next)
		n->next->link = n->link;
	sched_getaffinity(0, sizeof s->own_affinity, &s->own_affinity);
	twins_kill(s, n);
	twins_reap(s, false);
	snapshot_free(n);
}

static bool holds_ends(pid_t pid, int below)
{
	char path[64], to[16];
	bool holds = false;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && !holds && (e = readdir(dir));) {
		ssize_t len = atoi(e->d_name) > STDERR_FILENO && atoi(e->d_name) < below ? readlinkat(dirfd(dir), e->d_name, to, sizeof to) : 0;
		holds = len > 6 && (!memcmp(to, "pipe:[", 6) || !memcmp(to, "socket", 6));
	}
	if (dir)
		closedir(dir);
	return holds;
}

bool ckpt_holds_ends(const struct ckpt_snapshot *n, int below)
{
	bool holds = !n->traced.n && holds_ends(n->leader.twin, below);

	for (size_t i = 0; i < n->traced.n; i++)
		holds |= holds_ends(n->traced.list[i].image.twin, below);
	return holds;
}

/* parts: by how many it is shared. */
static void add_memory(pid_t pid, unsigned parts, struct ckpt_info *info)
{
	cleanup_free char *text = proc_slurp(pid, "smaps_rollup", NULL);

	if (text)
		info->share_bytes += (size_t)status_field(text, "\nPss:") * 1024 / parts;
	for (char *p = parts == 1 ? text : NULL; p && (p = strstr(p, "\nPrivate_"));) {
		p = strchr(p, ':');
		if (p && strncmp(p - 7, "Hugetlb", 7))
			info->private_bytes += strtoul(p + 1, NULL, 10) * 1024;
	}
}

static void add_pages(struct pages *pages, struct ckpt_info *info)
{
	size_t own, part;

	pages_bytes(pages, &own, &part);
	info->private_bytes += own;
	info->share_bytes += part;
}

void ckpt_info(const struct ckpt_snapshot *n, struct ckpt_info *info)
{
	*info = n->info;
	info->stands = n->leader.pages != NULL;
	add_memory(n->leader.twin, n->leader.base->refs, info);
	if (n->leader.pages)
		add_pages(n->leader.pages, info);
	for (size_t i = 0; i < n->traced.n; i++)
		add_memory(n->traced.list[i].image.twin, 1, info);
}
