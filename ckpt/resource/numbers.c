/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which number the next process or thread of the session gets.
 *
 * The kernel looks for a free one behind the last that it gave in the pid namespace (kernel/pid.c, alloc_pid), and whoever may
 * choose numbers may set that, too (proc(5), ns_last_pid; a kernel without CONFIG_CHECKPOINT_RESTORE has no such file).  What
 * makes it give numbers is the program alone, for twins have theirs by set_tid.  So where the whole program waits it is asked of the twin,
 * when the program is free again; else of the program itself, while it is frozen: the next thing that it does may be a fork. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "ckpt/ckpt_priv.h"

static const char path[] = "/proc/sys/kernel/ns_last_pid";

void number_ask(struct batch *b, int fd, struct number_question *q)
{
	uint64_t name = batch_put(b, path, sizeof path);

	q->text = batch_put(b, (char[16]){0}, 16);
	q->first = batch_call(b, SYS_openat, (uint64_t)AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
	batch_call(b, SYS_read, (uint64_t)fd, q->text, 15);
	batch_call(b, SYS_close, (uint64_t)fd);
}

pid_t number_told(const struct batch *b, const struct number_question *q)
{
	return b->calls[q->first].result >= 0 && b->calls[q->first + 1].result > 0 ? (pid_t)atoi(batch_at(b, q->text)) : 0;
}

static long open_counter(struct remote *r, int flags)
{
	if (remote_write(r->tid, r->place->scratch, path, sizeof path) < 0)
		return -1;
	return remote_call(r, SYS_openat, (uint64_t)AT_FDCWD, r->place->scratch, (uint64_t)(flags | O_CLOEXEC));
}

/* Reads or writes the text of a number.  -1: the process is gone. */
static int transfer(struct remote *r, long nr, int flags, char *text, size_t len)
{
	long fd = open_counter(r, flags);
	struct batch b;

	if (fd < 0)
		return r->dead ? -1 : 0;
	batch_begin(&b, r);
	uint64_t at = batch_put(&b, text, len);
	batch_call(&b, nr, (uint64_t)fd, at, len);
	batch_call(&b, SYS_close, (uint64_t)fd);
	int result = batch_run(&b);
	if (result == 0 && b.calls[0].result > 0)
		memcpy(text, batch_at(&b, at), len);
	batch_end(&b);
	return result;
}

int numbers_save(struct ckpt_session *s, struct remote *r, pid_t *last, struct err *err)
{
	char text[16] = "";

	*last = 0;
	if (s->isolation == CKPT_ISOLATION_NONE)
		return 0;
	if (transfer(r, SYS_read, O_RDONLY, text, sizeof text - 1) < 0)
		return err_set(err, "the process was killed while a snapshot of it was taken");
	*last = (pid_t)atoi(text);
	return 0;
}

int numbers_restore(struct remote *r, pid_t last, struct err *err)
{
	char text[16];

	if (!last)
		return 0;
	int n = snprintf(text, sizeof text, "%d", last);
	return transfer(r, SYS_write, O_WRONLY, text, (size_t)n) < 0 ? err_set(err, "the restored process was killed") : 0;
}
