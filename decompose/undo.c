/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decompose/undo.h"

#include <stdlib.h>

#include "base/mem.h"

static void forget_from(struct undo *u, size_t first)
{
	while (u->n > first) {
		u->n--;
		if (u->forget)
			u->forget(u->ctx, u->positions[u->n]);
	}
}

void undo_do(struct undo *u, int position)
{
	if (u->n)
		forget_from(u, u->at + 1);
	array_grow(u->positions, u->n);
	u->at = u->n;
	u->positions[u->n++] = position;
}

size_t undo_can_undo(const struct undo *u)
{
	return u->n ? u->at : 0;
}

size_t undo_can_redo(const struct undo *u)
{
	return u->n ? u->n - 1 - u->at : 0;
}

size_t undo_undo(struct undo *u, size_t n, int *position)
{
	size_t most = undo_can_undo(u), done = n < most ? n : most;

	if (done) {
		u->at -= done;
		*position = u->positions[u->at];
	}
	return done;
}

size_t undo_redo(struct undo *u, size_t n, int *position)
{
	size_t most = undo_can_redo(u), done = n < most ? n : most;

	if (done) {
		u->at += done;
		*position = u->positions[u->at];
	}
	return done;
}

void undo_clear(struct undo *u)
{
	forget_from(u, 0);
	u->at = 0;
}

void undo_free(struct undo *u)
{
	free(u->positions);
	u->positions = NULL;
	u->n = u->at = 0;
}
