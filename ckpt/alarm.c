/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stopping the leader's tracee when it has run for so long, by its own time and not the world's: on a busy machine these have
 * little in common.
 *
 * A software event of the kernel's counts the task's time by a high-resolution timer, and makes a SIGTRAP of it, which its
 * tracer takes (perf_event_open(2): PERF_COUNT_SW_TASK_CLOCK, sigtrap; kernel/events/core.c: perf_swevent_hrtimer, 10 us at
 * least).  No counter of the processor's is needed.  Not in the kernel: there it would end a system call that is about to wait. */
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "ckpt/ckpt_priv.h"

static int watch_time(pid_t pid, uint64_t us, uint64_t mark, struct err *err)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof attr, .config = PERF_COUNT_SW_TASK_CLOCK, .sample_period = us * 1000,
		.disabled = 1, .exclude_kernel = 1, .exclude_hv = 1, .sigtrap = 1, .remove_on_exec = 1, .sig_data = mark,
	};
	int fd = fault("no-perf") ? -1 : (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? err_sys(err, "have a program's time watched (perf_event_open)") : fd;
}

/* Blocked, a SIGTRAP would be pending, for the program to see; before Linux 5.18 it would unblock it. */
static pid_t the_one(const struct ckpt_session *s, struct err *err)
{
	pid_t pid = traced_by_leader(s);
	cleanup_free char *status = pid ? status_read(pid) : NULL;

	if (!status)
		err_set(err, "there is more than one program, or none");
	else if (status_field(status, "\nThreads:") != 1)
		err_set(err, "the program has several threads");
	else if (status_has_signal(status, "\nSigBlk:", SIGTRAP))
		err_set(err, "the program blocks SIGTRAP");
	else
		return pid;
	return -1;
}

bool ckpt_is_alone(const struct ckpt_session *s)
{
	struct err err;

	return the_one(s, &err) > 0;
}

int ckpt_alarm(const struct ckpt_session *s, uint64_t us, uint64_t mark, struct err *err)
{
	pid_t pid = the_one(s, err);
	int fd = pid > 0 ? watch_time(pid, us, mark, err) : -1;

	/* Once. */
	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_REFRESH, 1) == 0)
		return fd;
	close(fd);
	return err_sys(err, "have the program's time watched");
}

int ckpt_alarm_probe(struct err *err)
{
	int fd = watch_time(0, 1000000, 0, err);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}
