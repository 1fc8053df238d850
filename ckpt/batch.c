/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several system calls of the tracer's in one go.
 *
 * A remote call costs two context switches (10 us), the ptrace() that it makes 0.5.  So a few instructions in the memory that
 * the tracer has lent us make one call after the other, from a table that also takes the results.  Where memory may not be
 * both written and executed, the calls are made one by one.
 *
 *	buffer:	calls, each 8 words: number, 6 arguments, result; a number of -1 ends them
 *		data
 *	end:	code
 */
#include <errno.h>
#include <string.h>

#include "ckpt/ckpt_priv.h"

#define CALLS_SIZE (sizeof((struct batch *)0)->calls)

static uint64_t data_address(const struct tracer *t)
{
	return t->buffer + (t->code ? CALLS_SIZE : 0);
}

void batch_begin(struct batch *b, const struct tracer *t)
{
	b->t = t;
	b->n = b->used = b->sent = 0;
}

uint64_t batch_room(struct batch *b, size_t n)
{
	uint64_t at = data_address(b->t) + b->used;

	b->used += (n + 15) & ~(size_t)15;
	return at;
}

uint64_t batch_put(struct batch *b, const void *data, size_t n)
{
	size_t from = b->used;
	uint64_t at = batch_room(b, n);

	memcpy(b->data + from, data, n);
	b->sent = b->used;
	return at;
}

void *batch_at(struct batch *b, uint64_t at)
{
	return b->data + (at - data_address(b->t));
}

size_t batch_syscall(struct batch *b, long nr, const uint64_t args[6])
{
	b->calls[b->n].nr = nr;
	memcpy(b->calls[b->n].args, args, sizeof b->calls[b->n].args);
	return b->n++;
}

static int run_code(struct batch *b)
{
	const struct tracer *t = b->t;
	size_t size = (b->n + 1) * sizeof b->calls[0];

	b->calls[b->n].nr = -1;
	if (remote_write(t->r->tid, t->buffer, b->calls, size) < 0 ||
	    remote_run(t->r, t->code, t->buffer, arch_batch_end) < 0)
		return -1;
	return remote_read(t->r->tid, t->buffer, b->calls, size);
}

int batch_run(struct batch *b)
{
	const struct tracer *t = b->t;
	int r = 0;

	if (b->sent && remote_write(t->r->tid, data_address(t), b->data, b->sent) < 0)
		return -1;
	if (t->code)
		r = run_code(b);
	for (size_t i = 0; i < b->n && !t->code; i++)
		b->calls[i].result = remote_syscall(t->r, b->calls[i].nr, b->calls[i].args);
	if (r < 0 || t->r->dead) {
		errno = ESRCH;
		return -1;
	}
	return b->used ? remote_read(t->r->tid, data_address(t), b->data, b->used) : 0;
}

int batch_check(const struct batch *b, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (b->calls[i].result < 0) {
			errno = (int)-b->calls[i].result;
			return -1;
		}
	return 0;
}
