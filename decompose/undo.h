/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Undo and redo as a pure structure: a row of positions, each an opaque number of the caller's, and where in the row the
 * user is.  The first position is where undo ends.
 *
 *      p0  p1  p2 [p3] p4  p5          3 can be undone, 2 redone; a new command forgets p4 and p5 */
#ifndef DECOMPOSE_UNDO_H
#define DECOMPOSE_UNDO_H

#include <stddef.h>

struct undo {
	int *positions;
	size_t n;
	size_t at;              /* index of the present one; meaningless while n is 0 */
	/* Called for each position that is forgotten (may be NULL): its snapshot can be dropped. */
	void (*forget)(void *ctx, int position);
	void *ctx;
};

/* A state-changing command was done: `position` is where it led (the first call: where the session begins).  What could
 * be redone is forgotten. */
void undo_do(struct undo *u, int position);
/* How many commands can be taken back, put back. */
size_t undo_can_undo(const struct undo *u);
size_t undo_can_redo(const struct undo *u);
/* Take back n commands and set *position to where that leads.  Returns how many were taken back: fewer than n at the
 * beginning; 0 leaves *position alone. */
size_t undo_undo(struct undo *u, size_t n, int *position);
size_t undo_redo(struct undo *u, size_t n, int *position);
/* The debugger started anew or another timeline was chosen: forget all. */
void undo_clear(struct undo *u);
void undo_free(struct undo *u);         /* without calling forget */

#endif
