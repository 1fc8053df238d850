/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In which pages does a process differ from a twin that it was copied to, or from?
 *
 * What neither has written since is one page frame, mapped by both: its entries in /proc/PID/pagemap are the same
 * (Documentation/admin-guide/mm/pagemap.rst).  A page that mremap() has moved to another one's place has another frame; one
 * that was given back (MADV_DONTNEED) has none.  Page migration changes both entries alike; an entry read before it and
 * one after it differ, so the page is taken along for nothing.  Pages of a file that nobody has written are the file's. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ckpt/ckpt_priv.h"

#define MOST_ENTRIES (1ull << 20)       /* 4 GB of address space: more is not looked through */

#define FRAME_BITS 0x007fffffffffffffull        /* with PRESENT the page frame, with SWAPPED where it is */
#define EXCLUSIVE (1ull << 56)
#define OF_FILE (1ull << 61)                    /* or shared */
#define SWAPPED (1ull << 62)
#define PRESENT (1ull << 63)

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
/* An area of so many pages, of which the twin has written half, is not scanned for them first: all its entries are read. */
#define DENSE_PAGES 64

static void append(struct range **list, size_t *n, const struct range *more, size_t n_more)
{
	for (size_t i = 0; i < n_more; i++) {
		array_grow(*list, *n);
		(*list)[(*n)++] = more[i];
	}
}

/* Joined to the one before, if that is near. */
static void add_range(struct range **list, size_t *n, uint64_t from, uint64_t to)
{
	if (*n && from <= (*list)[*n - 1].to + NEAR && from >= (*list)[*n - 1].from) {
		if (to > (*list)[*n - 1].to)
			(*list)[*n - 1].to = to;
		return;
	}
	append(list, n, &(struct range){from, to}, 1);
}

/* Where a process has pages that it has written, present or swapped out.  False: this kernel cannot tell. */
static bool written_ranges(int pagemap, const struct range *in, struct range **list, size_t *n)
{
	static struct scan_region regions[REGIONS];
	struct scan_request q = {.size = sizeof q, .start = in->from, .end = in->to, .vec = (uintptr_t)regions, .vec_len = REGIONS,
				 .inverted = SCAN_FILE, .mask = SCAN_FILE, .anyof = SCAN_PRESENT | SCAN_SWAPPED, .wanted = SCAN_FILE};

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
	/* Unless this kernel cannot scan, which have_written tells: what is read whole; what is scanned, between that; and where the twin
	 * has written anything in the latter. */
	struct range *dense, *between, *written;
	size_t n_dense, n_between, n_written;
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

static uint64_t common(const struct area *a, const struct range *list, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t from = list[i].from > a->from ? list[i].from : a->from, to = list[i].to < a->to ? list[i].to : a->to;
		bytes += from < to ? to - from : 0;
	}
	return bytes;
}

static void add_between(struct page_map *m, uint64_t from, uint64_t to)
{
	if (from < to)
		append(&m->between, &m->n_between, &(struct range){from, to}, 1);
}

static bool divide(struct page_map *m, int pagemap)
{
	const struct range whole = {0, m->end};
	cleanup_free struct range *all = NULL;
	size_t n_all = 0;
	uint64_t at = 0;

	if (!written_ranges(pagemap, &whole, &all, &n_all))
		return false;
	for (size_t i = 0; i < m->n; i++) {
		const struct area *a = &m->areas[i];
		if (!a->looked_at || !a->writable || a->to - a->from < DENSE_PAGES * PAGE || common(a, all, n_all) < (a->to - a->from) / 2)
			continue;
		append(&m->dense, &m->n_dense, &(struct range){a->from, a->to}, 1);
		add_between(m, at, a->from);
		at = a->to;
	}
	add_between(m, at, m->end);
	for (size_t i = 0; i < m->n_between; i++)
		if (!written_ranges(pagemap, &m->between[i], &m->written, &m->n_written))
			return false;
	return true;
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
	m->have_written = pagemap >= 0 && divide(m, pagemap);
	return m;
}

void page_map_free(struct page_map *m)
{
	if (m) {
		free(m->areas);
		free(m->dense);
		free(m->between);
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

/* A range that is compared by one thread. */
#define PIECE 256                       /* pages */
struct piece {
	uint64_t from, to;
	bool ok;
	uint64_t differ[PIECE / 64];    /* a bit a page */
};

struct search {
	int here, there;
	const struct page_map *map;
	struct piece *pieces;
	size_t n;
};

static void compare(void *search, size_t number)
{
	struct search *s = search;
	struct piece *p = &s->pieces[number];
	uint64_t a[PIECE], b[PIECE];
	size_t n = (size_t)(p->to - p->from) / PAGE;
	ssize_t bytes = (ssize_t)(n * sizeof a[0]);
	off_t at = (off_t)(p->from / PAGE * sizeof a[0]);

	p->ok = pread(s->here, a, (size_t)bytes, at) == bytes && pread(s->there, b, (size_t)bytes, at) == bytes;
	for (size_t i = 0; p->ok && i < n; i++)
		if (differs(a[i], b[i]))
			p->differ[i / 64] |= 1ull << i % 64;
}

static void cut(struct search *s, const struct range *r)
{
	for (uint64_t at = r->from; at < r->to; at += PIECE * PAGE) {
		array_grow(s->pieces, s->n);
		s->pieces[s->n++] = (struct piece){.from = at, .to = r->to - at > PIECE * PAGE ? at + PIECE * PAGE : r->to};
	}
}

/* The pages of all pieces: how many, or -1. */
static ssize_t collect(const struct search *s, uint64_t *pages)
{
	const struct area *area = s->map->areas, *end = area + s->map->n;
	ssize_t found = 0;

	for (const struct piece *p = s->pieces; p < s->pieces + s->n; p++) {
		if (!p->ok)
			return -1;
		for (uint64_t at = p->from, i = 0; at < p->to; at += PAGE, i++) {
			if (!(p->differ[i / 64] >> i % 64 & 1))
				continue;
			while (area < end && at >= area->to)
				area++;
			if (area == end || at < area->from || !area->looked_at)
				continue;
			if (found == PAGES_MOST || !area->writable)
				return -1;
			pages[found++] = at;
		}
	}
	return found;
}

static int by_address(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Where either of them has written anything: what else there is cannot differ. */
static bool ranges_to_compare(const struct page_map *m, int here, struct range **list, size_t *n)
{
	cleanup_free struct range *all = NULL;
	size_t n_all = 0, scanned = 0;

	while (m->have_written && scanned < m->n_between && written_ranges(here, &m->between[scanned], &all, &n_all))
		scanned++;
	if (m->have_written && scanned == m->n_between) {
		append(&all, &n_all, m->written, m->n_written);
		append(&all, &n_all, m->dense, m->n_dense);
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

ssize_t page_map_differing(const struct page_map *map, pid_t pid, pid_t twin, uint64_t pages[PAGES_MOST])
{
	cleanup_fd int here = open_pagemap(pid), there = open_pagemap(twin);
	cleanup_free struct range *ranges = NULL;
	struct search s = {.here = here, .there = there, .map = map};
	size_t n = 0;

	if (here < 0 || there < 0 || !ranges_to_compare(map, here, &ranges, &n))
		return -1;
	for (size_t i = 0; i < n; i++)
		cut(&s, &ranges[i]);
	aside_share(compare, &s, s.n);
	ssize_t found = collect(&s, pages);
	free(s.pieces);
	return found;
}
