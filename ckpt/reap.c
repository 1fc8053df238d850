/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waiting for what we trace, and reaping it when it dies at a moment that nobody expects.
 *
 * What we trace only we can reap, and until then its parent cannot, nor does its number become free.  The main thread of a
 * dead process is not reported before all its other threads are reaped (kernel/exit.c, delay_group_leader), and those that
 * we trace wait for us too. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

void fault_kill(pid_t pid)
{
	if (fault("ckpt-kill"))
		kill(pid, SIGKILL);
}

/* A thread that exits gives up its memory before anything else can be seen of its end (kernel/exit.c, do_exit).  Half a
 * microsecond, where a look into /proc takes ten. */
bool is_ending(pid_t tid)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {NULL, 1};

	return process_vm_readv(tid, &here, 1, &there, 1, 0) < 0 && errno == ESRCH;
}

/* Returns whether there was one.  Who waits for it later is told that there is no such thread: it has ended. */
static bool reap_other_threads(pid_t tid)
{
	char path[64];
	bool any = false;

	snprintf(path, sizeof path, "/proc/%d/task", tid);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		pid_t other = atoi(e->d_name);
		siginfo_t info = {0};
		if (other <= 0 || other == tid || waitid(P_PID, (id_t)other, &info, WEXITED | WNOHANG | __WALL) < 0 || !info.si_pid)
			continue;
		log_debug(LOG_CKPT, "reaped thread %d of %d, which was killed", other, tid);
		any = true;
	}
	if (dir)
		closedir(dir);
	return any;
}

/* Each stop and each end of a thread that we trace sends SIGCHLD, which is kept for us while it is blocked, though it would
 * be ignored (kernel/signal.c, sig_ignored).  So none that comes after the look is missed. */
int trace_wait(pid_t tid, int *status)
{
	sigset_t chld, before;
	pid_t got;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	while ((got = waitpid(tid, status, __WALL | WNOHANG)) == 0)
		if (!is_ending(tid) || !reap_other_threads(tid))
			(void)!sigwaitinfo(&chld, NULL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (got == tid)
		return WIFSTOPPED(*status) ? 0 : -1;
	*status = 0;
	return -1;
}

bool reap_if_ours(pid_t pid)
{
	cleanup_free char *text = status_read(pid);
	int status;

	if (!text || status_field(text, "\nTracerPid:") != getpid())
		return false;
	log_debug(LOG_CKPT, "process %d was made by one that was killed: it is killed too", pid);
	kill(pid, SIGKILL);
	while (trace_wait(pid, &status) == 0)
		;
	return true;
}
