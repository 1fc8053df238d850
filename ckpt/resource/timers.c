/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interval timers (setitimer, alarm) and POSIX timers (timer_create).  fork() starts with none of either; what goes back
 * is the time that was left at the snapshot, so a program that is restored an hour later still has it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "ckpt/ckpt_priv.h"

#define PR_TIMER_CREATE_RESTORE_IDS 77          /* Linux 6.15 */

struct posix_timer {
	int id, clock, signo, notify;
	uint64_t value;
	size_t thread;                          /* of SIGEV_THREAD_ID: index among the process's threads */
	struct itimerspec left;
};

struct timers {
	struct posix_timer *posix;
	size_t n;
};

void timers_free(struct timers *t)
{
	if (t)
		free(t->posix);
	free(t);
}

static int notify_kind(const char *word)
{
	return !strcmp(word, "none") ? SIGEV_NONE : !strcmp(word, "thread") ? SIGEV_THREAD : SIGEV_SIGNAL;
}

/* One record of /proc/PID/timers (fs/proc/base.c, show_timer).  Its process numbers are those of our namespace. */
static const char *parse_timer(const char *p, const struct ckpt_proc *proc, struct posix_timer *t)
{
	char notify[16], whom[16];
	int pid, n = 0;

	*t = (struct posix_timer){0};
	if (sscanf(p, " ID: %d signal: %d/%lx notify: %15[^/]/%15[^.].%d ClockID: %d%n", &t->id, &t->signo,
		   (unsigned long *)&t->value, notify, whom, &pid, &t->clock, &n) < 7 || !n)
		return NULL;
	t->notify = notify_kind(notify);
	if (!strcmp(whom, "tid")) {
		t->notify |= SIGEV_THREAD_ID;
		for (size_t i = 0; i < proc->n; i++)
			if (proc->threads[i].tid == pid)
				t->thread = i;
	}
	return p + n;
}

static int save_posix(struct remote *r, const struct ckpt_proc *p, struct timers *t, struct err *err)
{
	char path[64];
	struct posix_timer one;

	snprintf(path, sizeof path, "/proc/%d/timers", p->pid);
	cleanup_free char *text = fd_slurp(path, NULL);
	/* Missing when the kernel has no CONFIG_CHECKPOINT_RESTORE or no POSIX timers. */
	for (const char *at = text; at && (at = parse_timer(at, p, &one));) {
		if (remote_call(r, SYS_timer_gettime, (uint64_t)one.id, r->place->scratch) < 0 ||
		    remote_read(r->tid, r->place->scratch, &one.left, sizeof one.left) < 0)
			return err_set(err, "read POSIX timer %d of process %d", one.id, p->pid);
		array_grow(t->posix, t->n);
		t->posix[t->n++] = one;
	}
	return 0;
}

int timers_save(struct ckpt_session *s, struct remote *r, const struct ckpt_proc *p, struct timers **timers, struct err *err)
{
	*timers = xcalloc(1, sizeof **timers);
	return fault("ckpt-timers") ? err_set(err, "fault ckpt-timers") : save_posix(r, p, *timers, err);
}

/* Makes the timer with the next number; or with the wanted one, where the kernel takes a wish. */
static long create(struct remote *r, const struct posix_timer *t, pid_t ns_tid, int32_t *id)
{
	struct { struct sigevent event; int32_t id; } box = {.id = t->id};
	uint64_t at = r->place->scratch, id_at = at + sizeof box.event;

	box.event.sigev_value.sival_ptr = (void *)(uintptr_t)t->value;
	box.event.sigev_signo = t->signo;
	box.event.sigev_notify = t->notify;
	if (t->notify & SIGEV_THREAD_ID)
		box.event._sigev_un._tid = ns_tid;
	if (remote_write(r->tid, at, &box, sizeof box) < 0)
		return -errno;
	long result = remote_call(r, SYS_timer_create, (uint64_t)t->clock, at, id_at);
	if (result == 0 && remote_read(r->tid, id_at, id, sizeof *id) < 0)
		return -errno;
	return result;
}

static int restore_one(struct remote *r, const struct posix_timer *t, pid_t ns_tid, struct err *err)
{
	int32_t id = -1;
	long result;

	/* Numbers count up from 0 in a new process: make and delete until ours is reached. */
	while ((result = create(r, t, ns_tid, &id)) == 0 && id < t->id)
		remote_call(r, SYS_timer_delete, (uint64_t)id);
	if (result == 0 && id != t->id)
		result = -EBUSY;
	if (result == 0 && remote_write(r->tid, r->place->scratch, &t->left, sizeof t->left) < 0)
		result = -errno;
	if (result == 0 && (t->left.it_value.tv_sec || t->left.it_value.tv_nsec))
		result = remote_call(r, SYS_timer_settime, (uint64_t)t->id, 0, r->place->scratch, 0);
	if (result == 0)
		return 0;
	errno = (int)-result;
	return err_sys(err, "restore POSIX timer %d", t->id);
}

static int by_id(const void *a, const void *b)
{
	return ((const struct posix_timer *)a)->id - ((const struct posix_timer *)b)->id;
}

static int restore_posix(struct remote *r, const struct timers *t, const pid_t *ns_tids, struct err *err)
{
	int result = 0;

	if (!t->n)
		return 0;
	qsort(t->posix, t->n, sizeof *t->posix, by_id);
	bool wish = remote_call(r, SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, 1) == 0;
	for (size_t i = 0; i < t->n && result == 0; i++)
		result = restore_one(r, &t->posix[i], ns_tids[t->posix[i].thread], err);
	if (wish)
		remote_call(r, SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, 0);
	return result;
}

int timers_restore(struct ckpt_session *s, struct remote *r, const struct timers *t, const struct ckpt_proc *p,
		   const pid_t *ns_tids, struct err *err)
{
	if (fault("ckpt-restore-timers"))
		return err_set(err, "fault ckpt-restore-timers");
	for (uint64_t i = 0; i < INTERVAL_TIMERS; i++) {
		const struct itimerval *it = &p->interval[i];
		if (!it->it_value.tv_sec && !it->it_value.tv_usec)
			continue;
		if (remote_write(r->tid, r->place->scratch, it, sizeof *it) < 0 ||
		    remote_call(r, SYS_setitimer, i, r->place->scratch, 0) < 0)
			return err_set(err, "restore the interval timers of process %d", r->tid);
	}
	return restore_posix(r, t, ns_tids, err);
}
