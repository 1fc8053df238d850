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
#define AT_ONCE 4096                    /* entries */

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
	if (from >= to)
		return;
	array_grow(m->between, m->n_between);
	m->between[m->n_between++] = (struct range){from, to};
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
		array_grow(m->dense, m->n_dense);
		m->dense[m->n_dense++] = (struct range){a->from, a->to};
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

struct search {
	int here, there;
	const struct page_map *map;
	size_t area;                    /* that of the last page, for they come in order */
	const struct range *ranges;
	size_t n_ranges;
	bool ok;
	size_t n;
	uint64_t pages[PAGES_MOST];
	uint64_t a[AT_ONCE], b[AT_ONCE];
};

static void begin(struct search *s, const struct page_map *map, int here, int there, const struct range *ranges, size_t n)
{
	s->here = here;
	s->there = there;
	s->map = map;
	s->ranges = ranges;
	s->n_ranges = n;
	s->area = s->n = 0;
}

static bool add_page(struct search *s, uint64_t at)
{
	while (s->area < s->map->n && at >= s->map->areas[s->area].to)
		s->area++;
	if (s->area == s->map->n || at < s->map->areas[s->area].from || !s->map->areas[s->area].looked_at)
		return true;
	if (s->n == PAGES_MOST || !s->map->areas[s->area].writable)
		return false;
	s->pages[s->n++] = at;
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

static void append(struct range **list, size_t *n, const struct range *more, size_t n_more)
{
	for (size_t i = 0; i < n_more; i++) {
		array_grow(*list, *n);
		(*list)[(*n)++] = more[i];
	}
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

static void search(void *half)
{
	struct search *s = half;

	s->ok = true;
	for (size_t i = 0; i < s->n_ranges && s->ok; i++)
		s->ok = compare(s, &s->ranges[i]);
}

/* Cuts the ranges into two halves: of how many is the first? */
static size_t halve(struct range **list, size_t *n)
{
	uint64_t all = 0, half = 0;
	size_t i = 0;

	for (size_t k = 0; k < *n; k++)
		all += (*list)[k].to - (*list)[k].from;
	while (i < *n && half + (*list)[i].to - (*list)[i].from <= all / 2) {
		half += (*list)[i].to - (*list)[i].from;
		i++;
	}
	uint64_t rest = (all / 2 - half) / PAGE * PAGE;
	if (i == *n || !rest)
		return i;
	array_grow(*list, *n);
	memmove(*list + i + 1, *list + i, ((*n)++ - i) * sizeof **list);
	(*list)[i].to = (*list)[i + 1].from = (*list)[i].from + rest;
	return i + 1;
}

ssize_t page_map_differing(const struct page_map *map, pid_t pid, pid_t twin, uint64_t pages[PAGES_MOST])
{
	static struct search first, rest;
	cleanup_fd int here = open_pagemap(pid), there = open_pagemap(twin);
	cleanup_free struct range *ranges = NULL;
	size_t n = 0;

	if (here < 0 || there < 0 || !ranges_to_compare(map, here, &ranges, &n))
		return -1;
	size_t half = halve(&ranges, &n);
	begin(&first, map, here, there, ranges, half);
	begin(&rest, map, here, there, ranges + half, n - half);
	aside_do(search, &rest);
	search(&first);
	aside_wait();
	if (!first.ok || !rest.ok || first.n + rest.n > PAGES_MOST)
		return -1;
	memcpy(pages, first.pages, first.n * sizeof *pages);
	memcpy(pages + first.n, rest.pages, rest.n * sizeof *pages);
	return (ssize_t)(first.n + rest.n);
}
