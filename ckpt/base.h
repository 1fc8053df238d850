/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Snapshots that stand on another one's twin: a part of ckpt_priv.h.
 *
 * fork() is dear where little has been written since the last snapshot: the copy itself, and then a page fault for each page
 * that is written, mostly the same ones each time (in pdb some 240 for a `next`: 0.5 ms on one machine, 4 ms on another,
 * whose page tables are shadowed).  So a snapshot may stand on the twin that an earlier one was given, its *base*, and keep
 * beside it the pages that differ (page_map.c, pages.c).  Whatever else a process hands down to a fork must be as the twin has it
 * (inherited.c); else, and where too many pages differ, the snapshot gets a twin of its own, the next base.
 *
 * That a page is the same is known, not guessed: it is the same page frame, which only /proc/PID/pagemap tells, and only those
 * who have CAP_SYS_ADMIN.  For all others each snapshot has its own twin. */
#ifndef CKPT_BASE_H
#define CKPT_BASE_H

#include "base/buf.h"

struct image;
struct page_map;
struct pages;
struct traced;
struct window;

/* A twin of the leader, and the snapshots that stand on it. */
struct base {
	unsigned refs;
	pid_t twin;                     /* stopped and traced by us for ever */
	bool bare;                      /* as in struct image */
	struct place place;
	stack_t altstack;               /* the main thread's, which fork() has copied too */
	struct rseq_area rseq;
	char *maps;                     /* its memory map, and what else it was handed down; NULL until they are asked for */
	struct page_map *map;
	struct buf outside, inside;
	const struct pages *latest;     /* of the snapshot taken last, if that is still there */
	bool counted;                   /* ... whose part in this is: */
	size_t wasted;                  /* pages that were read since it was made, and had not changed since the snapshot before */
};

/* The twin of m becomes a base, with m for the first that stands on it. */
void base_new(struct image *m);
/* Lets the frozen leader m, whose thread r is, stand on what it was last copied to or from.  False where that
 * cannot be; then m is as before.  *last as numbers_save(). */
bool base_take(struct ckpt_session *s, struct image *m, const struct traced *traced, struct remote *r, pid_t *last);
/* What is left to do for it, and can wait until the process works again. */
void base_tidy(struct image *m);
/* m no longer stands on it; the last one takes the twin along. */
void base_leave(struct ckpt_session *s, struct image *m);

/* ---- inherited.c ---- */

/* Its descriptors, in order.  False where they are too many, or cannot be told; and before it is asked anything, for then it has one
 * more now and then. */
#define MOST_FILES 64
struct descriptors {
	int fds[MOST_FILES], n;
};
bool inherited_descriptors(pid_t pid, struct descriptors *list) must_check;
/* All that fork() hands down beside memory and its map, and that no other part of the engine records, as bytes to compare; text: of
 * process pid.  False where it cannot be told.  First what can be read, 0.1 ms; then what it must be asked itself; r: a thread of it
 * that works for us, last (or NULL): as numbers_save(). */
bool inherited_outside(pid_t pid, const struct proc_text *text, struct buf *out) must_check;
bool inherited_inside(struct remote *r, const struct proc_text *text, const struct descriptors *files, struct buf *out,
		      pid_t *last) must_check;
/* Are a's descriptors, which b must have too, the same open files?  But for these, which are opened again. */
bool inherited_files(pid_t a, pid_t b, const struct descriptors *list, const struct window *but, size_t n_but) must_check;

/* ---- page_map.c ---- */

#define PAGE 4096u

/* Does this machine show us page frames? */
bool pages_visible(void);
/* What is known of the twin's memory; maps: its /proc/PID/maps. */
struct page_map *page_map_new(pid_t twin, const char *maps);
void page_map_free(struct page_map *map);
/* The addresses of the pages of a stopped process, which has the same maps, that are not the twin's, in order: how many.  -1: they are
 * more than PAGES_MOST, one is where it cannot be written back, or they cannot be told.  Waits for what is done aside.  60 ns a page that
 * either has written. */
#define PAGES_MOST 1024                 /* as many take as long to read as a fork() of 20 MB */
ssize_t page_map_differing(const struct page_map *map, pid_t pid, pid_t twin, uint64_t pages[PAGES_MOST]) must_check;

/* ---- page_delta.c ---- */

#define DELTA_TOO_LONG SIZE_MAX
/* Writes what makes page `from` into page `to`, to `out`: its size, 0 where they are the same, DELTA_TOO_LONG where it were more than
 * `most` bytes. */
size_t delta_make(const void *from, const void *to, unsigned char *out, size_t most);
/* Makes the page `from` that it was made with into `to`. */
void delta_apply(void *page, const unsigned char *delta, size_t size);

/* ---- pages.c ---- */

/* The contents of n pages of a stopped process.  NULL: it has ended, or has no such memory. */
struct pages *pages_read(pid_t pid, const uint64_t *at, size_t n) must_check;
/* Puts them into a copy of the twin. */
int pages_write(pid_t pid, struct pages *p, struct err *err) must_check;
/* What has just been read finds its place, with the help of what was in the snapshot before (or NULL), which must not be freed but by
 * pages_free().  Goes on aside (base/aside.h) until any of these functions is called; the next one does it if nobody has asked for it. */
void pages_settle(struct pages *p, const struct pages *before);
/* How many pages are what they were there. */
size_t pages_same(const struct pages *p);
void pages_free(struct pages *p);
/* Bytes that only it holds, and its part of those that others hold too. */
void pages_bytes(struct pages *p, size_t *own, size_t *part);
size_t pages_count(const struct pages *p);

#endif
