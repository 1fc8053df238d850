/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File descriptors: cleanup, whole reads and writes that survive EINTR. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/err.h"

static inline void cleanup_fd_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define cleanup_fd __attribute__((cleanup(cleanup_fd_)))

static inline int steal_fd(int *fd)
{
	int v = *fd;
	*fd = -1;
	return v;
}

/* 0, or -1 with errno when not all n bytes could be written.  Waits (poll) on a descriptor that does not block. */
int fd_write_all(int fd, const void *data, size_t n) must_check;
/* Reads until n bytes or end of file; returns how many, -1 on error. */
ssize_t fd_read_all(int fd, void *data, size_t n) must_check;
/* The whole of a small file such as those in /proc, NUL terminated, without its size known before.  Caller frees;
 * NULL with errno on failure. */
char *fd_slurp(const char *path, size_t *len) must_check;
int fd_set_nonblocking(int fd, int on);

#endif
