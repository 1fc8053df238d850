/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several system calls of one thread in one go.
 *
 * A remote call costs two context switches and a trap (10 us), the system call in it often less than one.  So the code that
 * stands behind the system call instruction (arch_code) makes one call after the other, from a table that also takes the
 * results.  Where it could not be put there, the calls are made one by one.
 *
 *	buffer:	data, from the bottom
 *		calls, to the top: each 8 words: number, 6 arguments, result
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "ckpt/ckpt_priv.h"

void batch_begin_in(struct batch *b, struct remote *r, uint64_t buffer, size_t size)
{
	b->r = r;
	b->buffer = buffer;
	b->size = size;
	b->n = b->used = b->sent = 0;
	b->data = xmalloc(size);
}

void batch_begin(struct batch *b, struct remote *r)
{
	batch_begin_in(b, r, r->place->scratch, SCRATCH_SIZE);
}

void batch_end(struct batch *b)
{
	free(b->data);
	b->data = NULL;
}

static size_t rounded(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

bool batch_fits(const struct batch *b, size_t calls, size_t data)
{
	return b->n + calls <= BATCH_CALLS && b->used + rounded(data) + (b->n + calls) * sizeof b->calls[0] <= b->size;
}

uint64_t batch_room(struct batch *b, size_t n)
{
	uint64_t at = b->buffer + b->used;

	assert(batch_fits(b, 0, n));
	b->used += rounded(n);
	return at;
}

uint64_t batch_put(struct batch *b, const void *data, size_t n)
{
	uint64_t at = batch_room(b, n);

	memcpy(batch_at(b, at), data, n);
	b->sent = b->used;
	return at;
}

void *batch_at(const struct batch *b, uint64_t at)
{
	return b->data + (at - b->buffer);
}

size_t batch_syscall(struct batch *b, long nr, const uint64_t args[6])
{
	assert(batch_fits(b, 1, 0));
	b->calls[b->n].nr = (uint64_t)nr;
	memcpy(b->calls[b->n].args, args, sizeof b->calls[b->n].args);
	return b->n++;
}

uint64_t batch_table(const struct batch *b)
{
	return b->buffer + b->size - b->n * sizeof b->calls[0];
}

/* Both parts with one system call. */
static int transfer(struct batch *b, bool in)
{
	size_t data = in ? b->sent : b->used, calls = b->n * sizeof b->calls[0];
	struct iovec here[2] = {{b->calls, calls}, {b->data, data}};
	struct iovec there[2] = {{(void *)batch_table(b), calls}, {(void *)b->buffer, data}};
	unsigned long n = data ? 2 : 1;

	ssize_t done = in ? process_vm_writev(b->r->tid, here, n, there, n, 0) : process_vm_readv(b->r->tid, here, n, there, n, 0);
	if (done == (ssize_t)(calls + data))
		return 0;
	if (done >= 0)
		errno = EFAULT;
	return -1;
}

int batch_send(struct batch *b)
{
	return transfer(b, true);
}

int batch_receive(struct batch *b)
{
	return transfer(b, false);
}

static int one_by_one(struct batch *b)
{
	if (b->sent && remote_write(b->r->tid, b->buffer, b->data, b->sent) < 0)
		return -1;
	for (size_t i = 0; i < b->n; i++)
		b->calls[i].result = remote_syscall(b->r, (long)b->calls[i].nr, b->calls[i].args);
	if (b->r->dead) {
		errno = ESRCH;
		return -1;
	}
	return b->used ? remote_read(b->r->tid, b->buffer, b->data, b->used) : 0;
}

int batch_run(struct batch *b)
{
	if (!b->n)
		return 0;       /* the loop makes one call at least */
	if (!b->r->code)
		return one_by_one(b);
	return batch_send(b) < 0 || remote_run(b->r, batch_table(b), b->n) < 0 ? -1 : batch_receive(b);
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
