/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waiting, through its tracer, for a thread that somebody may kill.
 *
 * The main thread of a dead process is not reported before its tracer has reaped all its other threads (reap.c), so a tracer
 * that blocks in wait4() for it would never come back, and we cannot make it do anything else meanwhile.  It sleeps until
 * SIGCHLD instead, which it is sent for each stop and each end of what it traces; then it is asked, and we look what else
 * may have happened.  A signal that was there before, or is another thread's, costs one turn more. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

static const uint64_t sigchld = 1ull << (SIGCHLD - 1);

/* As the kernel has it. */
struct action {
	uint64_t handler, flags, restorer, mask;
};

uint64_t tracer_add_listen(struct batch *b)
{
	uint64_t at = batch_room(b, sizeof(struct action));

	batch_call(b, SYS_rt_sigaction, SIGCHLD, 0, at, sizeof ((struct action *)0)->mask);
	return at;
}

void tracer_listens(struct tracer *t, const void *answer)
{
	const struct action *action = answer;

	/* No signal is sent for a stop then (kernel/signal.c, do_notify_parent_cldstop). */
	t->deaf = action->handler == (uint64_t)(uintptr_t)SIG_IGN || action->flags & SA_NOCLDSTOP;
}

size_t tracer_add_wait(struct batch *b, const struct remote *r, uint64_t status, bool sleep)
{
	bool news = r->last && !r->via->deaf;

	if (news && sleep)
		batch_call(b, SYS_rt_sigtimedwait, batch_put(b, &sigchld, sizeof sigchld), 0, 0, sizeof sigchld);
	return batch_call(b, SYS_wait4, (uint64_t)r->ns_tid, status, __WALL | (news ? WNOHANG : 0), 0);
}

bool tracer_reap_others(const struct remote *r)
{
	char path[64];
	bool any = false;

	if (!is_ending(r->tid))
		return false;
	snprintf(path, sizeof path, "/proc/%d/task", r->tid);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		pid_t other = atoi(e->d_name), inside = other > 0 && other != r->tid ? number_inside(other) : 0;
		if (inside && remote_call(r->via->r, SYS_wait4, (uint64_t)inside, 0, __WALL | WNOHANG, 0) > 0)
			any = true;
	}
	if (dir)
		closedir(dir);
	return any;
}

void tracer_forget_news(const struct tracer *t)
{
	struct timespec none = {0};
	cleanup_batch struct batch b = {0};

	tracer_batch(&b, t);
	uint64_t set = batch_put(&b, &sigchld, sizeof sigchld), at_once = batch_put(&b, &none, sizeof none);
	batch_call(&b, SYS_rt_sigtimedwait, set, 0, at_once, sizeof sigchld);
	(void)!batch_run(&b);
}
