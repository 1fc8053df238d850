/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The contents of the pages in which a process differs from a twin.
 *
 * They are read with process_vm_readv() into a buffer that is in the processor's cache, and find their places when the process works
 * again.  What a page has become since the snapshot before is mostly a few words, the reference counts of some objects: then only
 * those are kept, beside what the page was, its key.  Fresh memory of ours costs page faults, too, and is far from the processor;
 * so whole pages come in huge ones, and are used again. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "ckpt/ckpt_priv.h"

#define CHUNK (2u << 20)                /* a huge page */
#define IOVECS 512
#define DELTA_MOST 1024                 /* bytes; more, and the page is kept whole */

/* What stands in a page of one snapshot or of several. */
struct content {
	unsigned refs;                  /* pages, and deltas from it */
	struct content *key;            /* data is the delta from that; NULL: it is the whole page */
	size_t size;
	unsigned char *data;
	struct content *next;           /* when it is free */
};

struct page {
	uint64_t at;
	struct content *content;
};

struct pages {
	size_t n, same;                 /* ... of which so many were what they are in the snapshot before */
	struct page *list;              /* by address */
};

static struct content *free_contents;

/* What was read last, until it has found its place, which is looked for aside: the pages' contents, in order. */
static unsigned char *staged_data;
static struct pages *staged;
static const struct pages *staged_before;
static bool settling;

static unsigned char *chunk_new(size_t size)
{
	unsigned char *data = aligned_alloc(CHUNK, size);

	if (!data)
		abort();
	madvise(data, size, MADV_HUGEPAGE);
	return data;
}

static void more_contents(void)
{
	unsigned char *data = chunk_new(CHUNK);
	struct content *list = xcalloc(CHUNK / PAGE, sizeof *list);

	for (size_t i = 0; i < CHUNK / PAGE; i++) {
		list[i] = (struct content){.size = PAGE, .data = data + i * PAGE, .next = free_contents};
		free_contents = &list[i];
	}
}

static struct content *content_whole(const unsigned char *data)
{
	if (!free_contents)
		more_contents();
	struct content *c = free_contents;
	free_contents = c->next;
	c->refs = 1;
	memcpy(c->data, data, PAGE);
	return c;
}

static struct content *content_share(struct content *c)
{
	c->refs++;
	return c;
}

static struct content *content_delta(struct content *key, const unsigned char *delta, size_t size)
{
	struct content *c = xmalloc(sizeof *c + size);

	*c = (struct content){.refs = 1, .key = content_share(key), .size = size, .data = (unsigned char *)(c + 1)};
	memcpy(c->data, delta, size);
	return c;
}

static void content_free(struct content *c)
{
	if (--c->refs)
		return;
	if (c->key) {
		content_free(c->key);
		free(c);
		return;
	}
	c->next = free_contents;
	free_contents = c;
}

/* What `before` has become is kept in the shortest way. */
static struct content *content_new(struct content *before, const unsigned char *data)
{
	unsigned char delta[DELTA_MOST];

	if (!before)
		return content_whole(data);
	struct content *key = before->key ? before->key : before;
	size_t size = delta_make(key->data, data, delta, sizeof delta);
	if (size == 0)
		return content_share(key);
	if (before->key && before->size == size && !memcmp(before->data, delta, size))
		return content_share(before);
	return size == DELTA_TOO_LONG ? content_whole(data) : content_delta(key, delta, size);
}

static void settle(void *unused)
{
	const struct pages *before = staged_before;
	struct pages *p = staged;

	for (size_t i = 0, k = 0; i < p->n; i++) {
		struct page *page = &p->list[i];
		while (before && k < before->n && before->list[k].at < page->at)
			k++;
		struct content *was = before && k < before->n && before->list[k].at == page->at ? before->list[k].content : NULL;
		page->content = content_new(was, staged_data + i * PAGE);
		p->same += page->content == was;
	}
}

void pages_settle(struct pages *p, const struct pages *before)
{
	if (!p || p != staged || settling)
		return;
	staged_before = before;
	settling = true;
	aside_do(settle, NULL);
}

/* Nothing is under way any more. */
static void settled(void)
{
	pages_settle(staged, NULL);
	if (settling)
		aside_wait();
	settling = false;
	staged = NULL;
}

void pages_free(struct pages *p)
{
	if (!p)
		return;
	if (settling)
		settled();
	for (size_t i = 0; i < p->n && p != staged; i++)
		content_free(p->list[i].content);
	if (p == staged)
		staged = NULL;
	free(p->list);
	free(p);
}

/* Some pages of those that are staged, in order. */
#define PART 32
struct reading {
	pid_t pid;
	atomic_bool failed;
};

/* Such as lie side by side are read as one. */
static void read_part(void *reading, size_t number)
{
	struct reading *x = reading;
	size_t from = number * PART, to = from + PART < staged->n ? from + PART : staged->n, n = 0;
	struct iovec here = {staged_data + from * PAGE, (to - from) * PAGE}, there[PART];

	for (size_t i = from; i < to; i++) {
		uint64_t at = staged->list[i].at;
		if (n && (uint64_t)(uintptr_t)there[n - 1].iov_base + there[n - 1].iov_len == at)
			there[n - 1].iov_len += PAGE;
		else
			there[n++] = (struct iovec){(void *)(uintptr_t)at, PAGE};
	}
	if (process_vm_readv(x->pid, &here, 1, there, n, 0) != (ssize_t)here.iov_len)
		x->failed = true;
}

struct pages *pages_read(pid_t pid, const uint64_t *at, size_t n)
{
	settled();
	if (!staged_data)
		staged_data = chunk_new(PAGES_MOST * PAGE);
	struct pages *p = xcalloc(1, sizeof *p);
	p->n = n;
	p->list = xcalloc(n + 1, sizeof *p->list);
	for (size_t i = 0; i < n; i++)
		p->list[i].at = at[i];
	staged = p;
	struct reading x = {.pid = pid};
	aside_share(read_part, &x, (n + PART - 1) / PART);
	if (!x.failed)
		return p;
	pages_free(p);
	return NULL;
}

static void *page_data(const struct page *page, unsigned char *room)
{
	const struct content *c = page->content;

	if (!c->key)
		return c->data;
	memcpy(room, c->key->data, PAGE);
	delta_apply(room, c->data, c->size);
	return room;
}

int pages_write(pid_t pid, struct pages *p, struct err *err)
{
	struct iovec here[IOVECS], there[IOVECS];

	if (fault("ckpt-pages"))
		return err_set(err, "fault ckpt-pages");
	settled();                      /* the buffer is ours now */
	for (size_t i = 0, n; i < p->n; i += n) {
		for (n = 0; n < IOVECS && i + n < p->n; n++) {
			here[n] = (struct iovec){page_data(&p->list[i + n], staged_data + n * PAGE), PAGE};
			there[n] = (struct iovec){(void *)(uintptr_t)p->list[i + n].at, PAGE};
		}
		if (process_vm_writev(pid, here, n, there, n, 0) != (ssize_t)(n * PAGE))
			return err_sys(err, "write the memory of process %d", pid);
	}
	return 0;
}

void pages_bytes(struct pages *p, size_t *own, size_t *part)
{
	settled();
	*own = *part = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct content *c = p->list[i].content;
		*own += c->refs == 1 ? c->size : 0;
		*part += c->size / c->refs;
		if (c->key) {
			*own += c->refs == 1 && c->key->refs == 1 ? PAGE : 0;
			*part += PAGE / c->key->refs / c->refs;
		}
	}
}

size_t pages_same(const struct pages *p)
{
	settled();
	return p->same;
}

size_t pages_count(const struct pages *p)
{
	return p->n;
}
