/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes one page into another: rows of {first word, how many, the words}, in order. */
#include <string.h>

#include "ckpt/ckpt_priv.h"

#define WORDS (PAGE / sizeof(uint64_t))
#define BLOCK 32                        /* words that are compared at once: 256 bytes */

struct row {
	uint16_t first, n;
};

struct writer {
	unsigned char *out;
	size_t size, most;
};

static bool add_row(struct writer *w, const uint64_t *page, size_t first, size_t n)
{
	struct row row = {(uint16_t)first, (uint16_t)n};
	size_t bytes = n * sizeof *page;

	if (w->size + sizeof row + bytes > w->most)
		return false;
	memcpy(w->out + w->size, &row, sizeof row);
	memcpy(w->out + w->size + sizeof row, page + first, bytes);
	w->size += sizeof row + bytes;
	return true;
}

/* The rows of one block. */
static bool add_block(struct writer *w, const uint64_t *from, const uint64_t *to, size_t at)
{
	size_t end = at + BLOCK;

	while (at < end) {
		size_t first = at;
		while (at < end && from[at] != to[at])
			at++;
		if (at > first && !add_row(w, to, first, at - first))
			return false;
		at += at < end;         /* this one is the same */
	}
	return true;
}

size_t delta_make(const void *from, const void *to, unsigned char *out, size_t most)
{
	struct writer w = {.out = out, .most = most};
	const uint64_t *a = from, *b = to;

	for (size_t i = 0; i < WORDS; i += BLOCK)
		if (memcmp(a + i, b + i, BLOCK * sizeof *a) && !add_block(&w, a, b, i))
			return DELTA_TOO_LONG;
	return w.size;
}

void delta_apply(void *page, const unsigned char *delta, size_t size)
{
	uint64_t *to = page;

	for (size_t at = 0; at < size;) {
		struct row row;
		memcpy(&row, delta + at, sizeof row);
		at += sizeof row;
		memcpy(to + row.first, delta + at, row.n * sizeof *to);
		at += row.n * sizeof *to;
	}
}
