/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `next` and `step` commands that lead from a segment's start to a stop, run-length coded: what the history shows
 * after a reverse move.
 *
 * The path to stop s in activation A: when A had an earlier stop a since the segment's start (or the start itself lies
 * in A), the path to a, and `next`; otherwise the path to the stop just before s, and `step`, which always leads to the
 * next stop.  So does it to a return stop right after another stop of A: a generator's is passed over by `next`.
 * Such a path has about one run of `step` and one of `next` for each call that is open at s, whatever came before.
 *
 * Breakpoints in the functions that a `next` passes over are not considered: the path reads as with them disabled. */
#ifndef DECOMPOSE_PATH_H
#define DECOMPOSE_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum path_word { PATH_NEXT, PATH_STEP };

struct path_run {
	enum path_word word;
	uint64_t count;         /* at least 1; neighbours differ in word */
};

struct path {
	struct path_run *runs;  /* NULL for the empty path */
	size_t n;
};

void path_free(struct path *path);
/* "next, next, step, next 9731": a count up to 3 is spelled out. */
void path_format(const struct path *path, struct buf *out);

#endif
