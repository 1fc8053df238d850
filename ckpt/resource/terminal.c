/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The terminal: its modes, and which process group is in front.  Its size does not go back: the user's window has the size
 * that it has. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "ckpt/ckpt_priv.h"

int terminal_save(struct ckpt_session *s, struct terminal *t, struct err *err)
{
	if (fault("ckpt-terminal"))
		return err_set(err, "fault ckpt-terminal");
	/* EIO: the other side has hung up; then there is nothing to save. */
	t->have = tcgetattr(s->tty, &t->modes) == 0;
	return 0;
}

int terminal_restore(struct ckpt_session *s, const struct terminal *t, struct err *err)
{
	struct termios now;

	if (fault("ckpt-restore-terminal"))
		return err_set(err, "fault ckpt-restore-terminal");
	if (!t->have || tcgetattr(s->tty, &now) < 0)
		return 0;
	if (memcmp(&now, &t->modes, sizeof now) == 0)
		return 0;
	/* It is not our controlling terminal, so no job control stands in the way. */
	if (tcsetattr(s->tty, TCSANOW, &t->modes) < 0)
		return err_sys(err, "restore the modes of the terminal");
	return 0;
}

int terminal_foreground(struct remote *r, pid_t ns_group, struct err *err)
{
	static const char name[] = "/dev/tty";
	uint64_t at = r->place->scratch;
	int32_t group = ns_group;
	long result = -ENOTTY;

	if (remote_write(r->tid, at, &group, sizeof group) < 0 ||
	    remote_write(r->tid, at + sizeof group, name, sizeof name) < 0)
		return err_sys(err, "write to process %d", r->tid);
	/* SIGTTOU is blocked, so this is allowed from the background. */
	for (uint64_t fd = 0; fd < 3 && result < 0; fd++)
		result = remote_call(r, SYS_ioctl, fd, TIOCSPGRP, at);
	if (result < 0) {
		long fd = remote_call(r, SYS_openat, (uint64_t)AT_FDCWD, at + sizeof group, O_RDWR);
		if (fd >= 0) {
			result = remote_call(r, SYS_ioctl, (uint64_t)fd, TIOCSPGRP, at);
			remote_call(r, SYS_close, (uint64_t)fd);
		}
	}
	if (result < 0) {
		errno = (int)-result;
		return err_sys(err, "put process %d in the foreground of its terminal", r->tid);
	}
	return 0;
}
