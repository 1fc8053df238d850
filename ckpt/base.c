/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Twins on which several snapshots stand. */
#include <sched.h>
#include <string.h>

#include "ckpt/ckpt_priv.h"

/* Pages that differ from the twin and do not change any more are read again for each snapshot.  When so many have been, another
 * twin has become cheaper: fork() takes as long as reading 1,000 pages, the copying of a page that is written after it as 10 to 30. */
#define MOST_WASTED 6000

void base_new(struct image *m)
{
	struct base *b = xcalloc(1, sizeof *b);

	*b = (struct base){
		.refs = 1,
		.twin = m->twin,
		.bare = m->bare,
		.place = m->proc.place,
		.altstack = m->proc.threads[0].altstack,
		.rseq = m->proc.threads[0].rseq,
	};
	m->base = b;
}

void base_leave(struct ckpt_session *s, struct image *m)
{
	struct base *b = steal_pointer(&m->base);

	if (!b)
		return;
	if (b->latest && b->latest == m->pages)
		b->latest = NULL;
	if (--b->refs)
		return;
	if (s->base == b)
		s->base = NULL;
	twin_kill(s, b->twin);
	free(b->maps);
	page_map_free(b->map);
	buf_free(&b->outside);
	buf_free(&b->inside);
	free(b);
}

/* To look through all that a process has written takes 20 to 50 ns a page, in vain if it writes much: no more than that for a larger one. */
#define LARGEST_KB (256 << 10)

/* What the twin has, which is asked once. */
static bool ask_twin(struct base *b)
{
	cleanup_text struct proc_text text = {0};
	struct descriptors files;
	cpu_set_t here;
	struct remote r;
	struct err ignored;

	if (b->maps)
		return true;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(b->twin, sizeof here, &here);
	buf_clear(&b->outside);         /* of a first attempt that failed */
	buf_clear(&b->inside);
	if (!proc_text_read(b->twin, &text) || !inherited_descriptors(b->twin, &files) || remote_open(&r, b->twin, &b->place, &ignored) < 0 ||
	    !inherited_outside(b->twin, &text, &b->outside) || !inherited_inside(&r, &text, &files, &b->inside, NULL))
		return false;
	b->maps = proc_slurp(b->twin, "maps", NULL);
	b->map = b->maps ? page_map_new(b->twin, b->maps) : NULL;
	return b->maps != NULL;
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* What is read of a frozen process without its help, and so aside. */
struct outside {
	const struct base *base;
	const struct ckpt_proc *proc;
	bool same;
};

static void compare_outside(void *outside)
{
	struct outside *x = outside;
	pid_t pid = x->proc->pid;
	cleanup_buf struct buf now = {0};
	cleanup_free char *maps = proc_slurp(pid, "maps", NULL);

	x->same = maps && !strcmp(maps, x->base->maps) && inherited_outside(pid, &x->proc->text, &now) && same_bytes(&now, &x->base->outside);
}

static bool same_inside(const struct base *b, const struct ckpt_proc *p, const struct descriptors *files, struct remote *r, pid_t *last)
{
	const struct ckpt_thread *t = &p->threads[0];
	cleanup_buf struct buf now = {0};

	return !memcmp(&t->altstack, &b->altstack, sizeof b->altstack) && !memcmp(&t->rseq, &b->rseq, sizeof b->rseq) &&
	       inherited_inside(r, &p->text, files, &now, last) && same_bytes(&now, &b->inside);
}

/* What is compared aside is known when the pages are. */
static struct pages *compare(struct base *b, const struct ckpt_proc *p, const struct traced *traced, struct remote *r, pid_t *last)
{
	static uint64_t at[PAGES_MOST];
	struct outside x = {.base = b, .proc = p};
	struct descriptors files;

	aside_do(compare_outside, &x);
	bool same = inherited_descriptors(p->pid, &files) && inherited_files(p->pid, b->twin, &files, traced->windows, traced->n_windows) &&
		    same_inside(b, p, &files, r, last);
	ssize_t n = same ? page_map_differing(b->map, p->pid, b->twin, at) : -1;
	aside_wait();
	return n >= 0 && x.same ? pages_read(p->pid, at, (size_t)n) : NULL;
}

int ckpt_base_probe(struct err *err)
{
	if (pages_visible())
		return 0;
	return err_set(err, "the kernel shows page frames (/proc/self/pagemap) only to those who have CAP_SYS_ADMIN");
}

void base_tidy(struct image *m)
{
	pages_settle(m->pages, m->base->latest);
	m->base->latest = m->pages;
	m->base->counted = false;
}

static bool is_worn(struct base *b)
{
	if (b->latest && !b->counted)
		b->wasted += pages_same(b->latest);
	b->counted = true;
	return b->wasted > MOST_WASTED;
}

static bool is_worth_it(const struct ckpt_session *s, struct base *b, const struct image *m)
{
	return b && !is_worn(b) && m->proc.resident_kb <= LARGEST_KB && s->isolation != CKPT_ISOLATION_NONE && pages_visible() &&
	       !fault("ckpt-base");
}

bool base_take(struct ckpt_session *s, struct image *m, const struct traced *traced, struct remote *r, pid_t *last)
{
	struct base *b = s->base;

	if (!is_worth_it(s, b, m) || !ask_twin(b) || !(m->pages = compare(b, &m->proc, traced, r, last)))
		return false;
	m->base = b;
	m->twin = b->twin;
	m->bare = b->bare;
	b->refs++;
	return true;
}
