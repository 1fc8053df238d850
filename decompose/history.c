/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decompose/history.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void history_add_run(struct history *h, const char *text, enum history_class class, uint64_t count)
{
	array_grow(h->entries, h->n);
	h->entries[h->n++] = (struct history_entry){ .text = xstrdup(text), .class = class, .count = count };
}

void history_add(struct history *h, const char *text, enum history_class class)
{
	history_add_run(h, text, class, 1);
}

void history_truncate(struct history *h, size_t index)
{
	/* array_grow() looks at n alone: with fewer entries it would shrink the array at a power of two, which is
	 * only wasteful when it grows again. */
	while (h->n > index)
		free(h->entries[--h->n].text);
}

static void add_path(struct history *h, const struct path *path, const char *step_name, const char *next_name)
{
	for (size_t i = 0; path && i < path->n; i++)
		history_add_run(h, path->runs[i].word == PATH_STEP ? step_name : next_name, HISTORY_MOVES,
				path->runs[i].count);
}

size_t history_rewind(struct history *h, size_t index, const struct path *path, const char *step_name,
		      const char *next_name)
{
	struct history cut = { 0 };
	size_t reissued;

	assert(index <= h->n);
	for (size_t i = index; i < h->n; i++)
		if (h->entries[i].class == HISTORY_DEBUGGER)
			history_add_run(&cut, h->entries[i].text, HISTORY_DEBUGGER, h->entries[i].count);
	history_truncate(h, index);
	add_path(h, path, step_name, next_name);
	reissued = h->n;
	for (size_t i = 0; i < cut.n; i++)
		history_add_run(h, cut.entries[i].text, HISTORY_DEBUGGER, cut.entries[i].count);
	history_free(&cut);
	return reissued;
}

/* Neighbours with the same words are one run: `next` typed after a decomposed `next 7` makes 8. */
static size_t run_at(const struct history *h, size_t i, uint64_t *count)
{
	const struct history_entry *e = &h->entries[i];
	size_t past = i + 1;

	*count = e->count;
	if (e->class != HISTORY_MOVES)
		return past;
	for (; past < h->n && h->entries[past].class == e->class && !strcmp(h->entries[past].text, e->text); past++)
		*count += h->entries[past].count;
	return past;
}

void history_render(const struct history *h, size_t from, struct buf *out)
{
	const char *comma = "";

	buf_addch(out, '[');
	for (size_t i = from; i < h->n; ) {
		const char *text = h->entries[i].text;
		uint64_t count;

		i = run_at(h, i, &count);
		if (count > 3) {
			buf_printf(out, "%s%s %" PRIu64, comma, text, count);
			comma = ", ";
			continue;
		}
		for (; count > 0; count--, comma = ", ")
			buf_printf(out, "%s%s", comma, text);
	}
	buf_addch(out, ']');
}

void history_copy(struct history *to, const struct history *from)
{
	for (size_t i = 0; i < from->n; i++)
		history_add_run(to, from->entries[i].text, from->entries[i].class, from->entries[i].count);
}

void history_free(struct history *h)
{
	history_truncate(h, 0);
	free(h->entries);
	h->entries = NULL;
}
