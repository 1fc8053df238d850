/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pages in which a process differs from a twin that it was copied to, or from.
 *
 * What neither has written since is one page frame, mapped by both: its entries in /proc/PID/pagemap are the same
 * (Documentation/admin-guide/mm/pagemap.rst).  A page that mremap() has moved to another one's place has another frame; one
 * that was given back (MADV_DONTNEED) has none.  Page migration changes both entries alike; an entry read before it and
 * one after it differ, so the page is taken along for nothing.  Pages of a file that nobody has written are the file's.
 *
 * Contents are read with process_vm_readv(), 0.3 us each, into a buffer that is in the processor's cache; they find their places
 * when the process works again.  Fresh memory of ours would cost page faults, too, so page frames are used again, and come in huge
 * pages. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "ckpt/ckpt_priv.h"

#define PAGE 4096u
#define CHUNK (2u << 20)                /* a huge page */
#define MOST_ENTRIES (1ull << 20)       /* 4 GB of address space: more is not looked through */
#define AT_ONCE 4096                    /* entries */
#define IOVECS 512

#define FRAME_BITS 0x007fffffffffffffull        /* with PRESENT the page frame, with SWAPPED where it is */
#define EXCLUSIVE (1ull << 56)
#define OF_FILE (1ull << 61)                    /* or shared */
#define SWAPPED (1ull << 62)
#define PRESENT (1ull << 63)

struct frame {
	unsigned refs;
	struct frame *next;             /* when it is free */
	void *data;
};

struct page {
	uint64_t at;
	struct frame *frame;
};

struct pages {
	size_t n;
	struct page *list;              /* by address */
};

static struct frame *free_frames;

/* What was read last, until it has found its place: the pages' contents, in order. */
static char *staged_data;
static struct pages *staged;

static char *chunk_new(size_t size)
{
	char *data = aligned_alloc(CHUNK, size);

	if (!data)
		abort();
	madvise(data, size, MADV_HUGEPAGE);
	return data;
}

static void more_frames(void)
{
	char *data = chunk_new(CHUNK);
	struct frame *frames = xcalloc(CHUNK / PAGE, sizeof *frames);

	for (size_t i = 0; i < CHUNK / PAGE; i++) {
		frames[i] = (struct frame){.data = data + i * PAGE, .next = free_frames};
		free_frames = &frames[i];
	}
}

static struct frame *frame_new(void)
{
	if (!free_frames)
		more_frames();
	struct frame *f = free_frames;
	free_frames = f->next;
	f->refs = 1;
	return f;
}

static void frame_free(struct frame *f)
{
	if (--f->refs)
		return;
	f->next = free_frames;
	free_frames = f;
}

void pages_free(struct pages *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n && p != staged; i++)
		frame_free(p->list[i].frame);
	if (p == staged)
		staged = NULL;
	free(p->list);
	free(p);
}

bool pages_visible(void)
{
	static int visible = -1;

	if (visible < 0) {
		uint64_t entry = 0;
		cleanup_fd int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
		visible = fd >= 0 && sysconf(_SC_PAGESIZE) == PAGE &&
			  pread(fd, &entry, sizeof entry, (off_t)((uintptr_t)&entry / PAGE * sizeof entry)) == sizeof entry &&
			  entry & PRESENT && entry & FRAME_BITS;
	}
	return visible;
}

/* ---- which ones ---- */

struct range {
	uint64_t from, to;
};

/* linux/fs.h, newer than some libc's headers; Linux 6.7. */
struct scan_request {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, wanted;
};
struct scan_region {
	uint64_t start, end, categories;
};
#define SCAN _IOWR('f', 16, struct scan_request)
enum { SCAN_FILE = 1 << 2, SCAN_PRESENT = 1 << 3, SCAN_SWAPPED = 1 << 4 };
#define REGIONS 512
#define NEAR (16 * PAGE)                /* ranges this near are read as one: a read costs as much as 50 entries */

static void add_range(struct range **list, size_t *n, uint64_t from, uint64_t to)
{
	if (*n && from <= (*list)[*n - 1].to + NEAR && from >= (*list)[*n - 1].from) {
		if (to > (*list)[*n - 1].to)
			(*list)[*n - 1].to = to;
		return;
	}
	array_grow(*list, *n);
	(*list)[(*n)++] = (struct range){from, to};
}

/* Where a process has pages below `end` that it has written, present or swapped out.  False: this kernel cannot tell. */
static bool written_ranges(int pagemap, uint64_t end, struct range **list, size_t *n)
{
	static struct scan_region regions[REGIONS];
	struct scan_request q = {.size = sizeof q, .end = end, .vec = (uintptr_t)regions, .vec_len = REGIONS, .inverted = SCAN_FILE,
				 .mask = SCAN_FILE, .anyof = SCAN_PRESENT | SCAN_SWAPPED, .wanted = SCAN_FILE};

	do {
		int got = ioctl(pagemap, SCAN, &q);
		if (got < 0)
			return false;
		for (int i = 0; i < got; i++)
			add_range(list, n, regions[i].start, regions[i].end);
		q.start = q.walk_end;
	} while (q.walk_end < q.end);
	return true;
}

struct area {
	uint64_t from, to;
	bool looked_at, writable;
};

struct page_map {
	struct area *areas;
	size_t n;
	uint64_t pages, end;            /* of those that are looked at: how many, where the last one ends */
	struct range *written;          /* where the twin has */
	size_t n_written;
	bool have_written;
};

/* One line of /proc/PID/maps: from-to perms offset device inode [name]. */
static struct area parse_area(const char *line)
{
	struct area a;
	char *at;

	a.from = strtoull(line, &at, 16);
	a.to = strtoull(at + 1, &at, 16);
	const char *perms = at + 1, *name = perms;
	a.writable = perms[0] == 'r' && perms[1] == 'w';
	for (int i = 0; i < 4; i++)
		name = strchr(name, ' ') + 1;
	name += strspn(name, " ");
	/* Not the kernel's own, where remote.c puts its code, nor shared memory, which shared_memory.c sees to. */
	a.looked_at = perms[3] == 'p' && strncmp(name, "[v", 2);
	return a;
}

static int open_pagemap(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

struct page_map *page_map_new(pid_t twin, const char *maps)
{
	struct page_map *m = xcalloc(1, sizeof *m);
	cleanup_fd int pagemap = open_pagemap(twin);

	for (const char *line = maps; *line; line++) {
		struct area a = parse_area(line);
		array_grow(m->areas, m->n);
		m->areas[m->n++] = a;
		if (a.looked_at) {
			m->pages += (a.to - a.from) / PAGE;
			m->end = a.to;
		}
		if (!(line = strchr(line, '\n')))
			break;
	}
	m->have_written = pagemap >= 0 && written_ranges(pagemap, m->end, &m->written, &m->n_written);
	return m;
}

void page_map_free(struct page_map *m)
{
	if (m) {
		free(m->areas);
		free(m->written);
	}
	free(m);
}

static bool has_been_written(uint64_t entry)
{
	return entry & SWAPPED || (entry & PRESENT && !(entry & OF_FILE));
}

static bool differs(uint64_t here, uint64_t there)
{
	if (!has_been_written(here) && !has_been_written(there))
		return false;
	return here & EXCLUSIVE || (here ^ there) & (FRAME_BITS | OF_FILE | SWAPPED | PRESENT);
}

struct search {
	int here, there;
	const struct page_map *map;
	size_t area;                    /* that of the last page, for they come in order */
	struct pages *pages;
	uint64_t a[AT_ONCE], b[AT_ONCE];
};

static bool add_page(struct search *s, uint64_t at)
{
	struct pages *p = s->pages;

	while (s->area < s->map->n && at >= s->map->areas[s->area].to)
		s->area++;
	if (s->area == s->map->n || at < s->map->areas[s->area].from || !s->map->areas[s->area].looked_at)
		return true;
	if (p->n == PAGES_MOST || !s->map->areas[s->area].writable)
		return false;
	p->list[p->n++] = (struct page){at, NULL};
	return true;
}

static bool compare_some(struct search *s, uint64_t from, size_t n)
{
	ssize_t bytes = (ssize_t)(n * sizeof s->a[0]);
	off_t at = (off_t)(from / PAGE * sizeof s->a[0]);

	if (pread(s->here, s->a, (size_t)bytes, at) != bytes || pread(s->there, s->b, (size_t)bytes, at) != bytes)
		return false;
	for (size_t i = 0; i < n; i++)
		if (differs(s->a[i], s->b[i]) && !add_page(s, from + i * PAGE))
			return false;
	return true;
}

static bool compare(struct search *s, const struct range *r)
{
	for (uint64_t at = r->from; at < r->to; at += AT_ONCE * PAGE) {
		uint64_t left = (r->to - at) / PAGE;
		if (!compare_some(s, at, left < AT_ONCE ? (size_t)left : AT_ONCE))
			return false;
	}
	return true;
}

static int by_address(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Where either of them has written anything: what else there is cannot differ. */
static bool ranges_to_compare(struct search *s, struct range **list, size_t *n)
{
	const struct page_map *m = s->map;
	cleanup_free struct range *all = NULL;
	size_t n_all = 0;

	if (m->have_written && written_ranges(s->here, m->end, &all, &n_all)) {
		all = xrealloc(all, (n_all + m->n_written + 1) * sizeof *all);
		memcpy(all + n_all, m->written, m->n_written * sizeof *all);
		n_all += m->n_written;
		qsort(all, n_all, sizeof *all, by_address);
		for (size_t i = 0; i < n_all; i++)
			add_range(list, n, all[i].from, all[i].to);
		return true;
	}
	for (size_t i = 0; i < m->n; i++)
		if (m->areas[i].looked_at)
			add_range(list, n, m->areas[i].from, m->areas[i].to);
	return m->pages <= MOST_ENTRIES;
}

static bool find(pid_t pid, pid_t twin, const struct page_map *map, struct pages *p)
{
	static struct search s;
	cleanup_fd int here = open_pagemap(pid), there = open_pagemap(twin);
	cleanup_free struct range *ranges = NULL;
	size_t n = 0;

	s.here = here;
	s.there = there;
	s.map = map;
	s.area = 0;
	s.pages = p;
	if (here < 0 || there < 0 || !ranges_to_compare(&s, &ranges, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!compare(&s, &ranges[i]))
			return false;
	return true;
}

/* ---- their contents ---- */

size_t pages_settle(struct pages *p, const struct pages *before)
{
	size_t shared = 0;

	if (!p || p != staged)
		return 0;
	staged = NULL;
	for (size_t i = 0, k = 0; i < p->n; i++) {
		const char *data = staged_data + i * PAGE;
		while (before && k < before->n && before->list[k].at < p->list[i].at)
			k++;
		bool both = before && k < before->n && before->list[k].at == p->list[i].at;
		if (both && !memcmp(before->list[k].frame->data, data, PAGE)) {
			p->list[i].frame = before->list[k].frame;
			p->list[i].frame->refs++;
			shared++;
		} else {
			p->list[i].frame = frame_new();
			memcpy(p->list[i].frame->data, data, PAGE);
		}
	}
	return shared;
}

static bool read_contents(pid_t pid, const struct pages *p)
{
	struct iovec here, there[IOVECS];

	for (size_t i = 0, n; i < p->n; i += n) {
		for (n = 0; n < IOVECS && i + n < p->n; n++)
			there[n] = (struct iovec){(void *)(uintptr_t)p->list[i + n].at, PAGE};
		here = (struct iovec){staged_data + i * PAGE, n * PAGE};
		if (process_vm_readv(pid, &here, 1, there, n, 0) != (ssize_t)here.iov_len)
			return false;
	}
	return true;
}

struct pages *pages_read(pid_t pid, pid_t twin, const struct page_map *map)
{
	struct pages *p = xcalloc(1, sizeof *p);

	pages_settle(staged, NULL);
	if (!staged_data)
		staged_data = chunk_new(PAGES_MOST * PAGE);
	p->list = xmalloc(PAGES_MOST * sizeof *p->list);
	staged = p;
	if (!find(pid, twin, map, p) || !read_contents(pid, p)) {
		pages_free(p);
		return NULL;
	}
	p->list = xrealloc(p->list, (p->n + 1) * sizeof *p->list);
	return p;
}

int pages_write(pid_t pid, struct pages *p, struct err *err)
{
	struct iovec here[IOVECS], there[IOVECS];

	if (fault("ckpt-pages"))
		return err_set(err, "fault ckpt-pages");
	pages_settle(p, NULL);
	for (size_t i = 0, n; i < p->n; i += n) {
		for (n = 0; n < IOVECS && i + n < p->n; n++) {
			here[n] = (struct iovec){p->list[i + n].frame->data, PAGE};
			there[n] = (struct iovec){(void *)(uintptr_t)p->list[i + n].at, PAGE};
		}
		if (process_vm_writev(pid, here, n, there, n, 0) != (ssize_t)(n * PAGE))
			return err_sys(err, "write the memory of process %d", pid);
	}
	return 0;
}

void pages_bytes(struct pages *p, size_t *own, size_t *part)
{
	pages_settle(p, NULL);
	*own = *part = 0;
	for (size_t i = 0; i < p->n; i++) {
		*own += p->list[i].frame->refs == 1 ? PAGE : 0;
		*part += PAGE / p->list[i].frame->refs;
	}
}

size_t pages_count(const struct pages *p)
{
	return p->n;
}
