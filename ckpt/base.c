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
	buf_free(&b->inherited);
	free(b);
}

/* To look through all that a process has written takes 20 to 50 ns a page, in vain if it writes much: no more than that for a larger one. */
#define LARGEST_KB (256 << 10)

/* What the twin has, which is asked once. */
static bool ask_twin(struct base *b)
{
	cleanup_text struct proc_text text = {0};
	cpu_set_t here;
	struct remote r;
	struct err ignored;

	if (b->maps)
		return true;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(b->twin, sizeof here, &here);
	buf_clear(&b->inherited);       /* of a first attempt that failed */
	if (!proc_text_read(b->twin, &text) || remote_open(&r, b->twin, &b->place, &ignored) < 0 ||
	    !inherited_read(&r, b->twin, &text, &b->inherited, NULL))
		return false;
	b->maps = proc_slurp(b->twin, "maps", NULL);
	b->map = b->maps ? page_map_new(b->twin, b->maps) : NULL;
	return b->maps != NULL;
}

static bool same_inherited(struct base *b, const struct image *m, const struct traced *traced, struct remote *r, pid_t *last)
{
	const struct ckpt_thread *t = &m->proc.threads[0];
	cleanup_buf struct buf now = {0};

	return !memcmp(&t->altstack, &b->altstack, sizeof b->altstack) && !memcmp(&t->rseq, &b->rseq, sizeof b->rseq) &&
	       inherited_read(r, m->proc.pid, &m->proc.text, &now, last) && now.len == b->inherited.len &&
	       !memcmp(now.data, b->inherited.data, now.len) && inherited_files(m->proc.pid, b->twin, traced->windows, traced->n_windows);
}

int ckpt_base_probe(struct err *err)
{
	if (pages_visible())
		return 0;
	return err_set(err, "the kernel shows page frames (/proc/self/pagemap) only to those who have CAP_SYS_ADMIN");
}

void base_tidy(struct image *m)
{
	m->base->wasted += pages_settle(m->pages, m->base->latest);
	m->base->latest = m->pages;
}

static bool is_worth_it(const struct ckpt_session *s, const struct base *b, const struct image *m)
{
	return b && b->wasted <= MOST_WASTED && m->proc.resident_kb <= LARGEST_KB && s->isolation != CKPT_ISOLATION_NONE &&
	       pages_visible() && !fault("ckpt-base");
}

bool base_take(struct ckpt_session *s, struct image *m, const struct traced *traced, struct remote *r, pid_t *last)
{
	struct base *b = s->base;

	if (!is_worth_it(s, b, m) || !ask_twin(b))
		return false;
	cleanup_free char *maps = proc_slurp(m->proc.pid, "maps", NULL);
	if (!maps || strcmp(maps, b->maps) || !same_inherited(b, m, traced, r, last))
		return false;
	m->pages = pages_read(m->proc.pid, b->twin, b->map);
	if (!m->pages)
		return false;
	m->base = b;
	m->twin = b->twin;
	m->bare = b->bare;
	b->refs++;
	return true;
}
