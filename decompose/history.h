/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of a timeline since its beginning, with their class, as `fred-history` shows them.
 *
 * A position in the history is an index: the number of entries before it.  A checkpoint remembers the index it was taken
 * at; history_render() shows what came since.  A reverse move cuts the history at the segment it goes into, puts the
 * decomposed commands in place of the cut, and issues again those that changed only the debugger. */
#ifndef DECOMPOSE_HISTORY_H
#define DECOMPOSE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "decompose/path.h"

enum history_class {
	HISTORY_LOOKS,          /* where, print x: no effect */
	HISTORY_DEBUGGER,       /* changes only the debugger: break, display, settings.  Survives a reverse move */
	HISTORY_MOVES,          /* next, continue */
	HISTORY_PROGRAM,        /* changes the program: x = 3, and every unknown text */
	HISTORY_RESTARTS,       /* run: nothing before it can be reached */
};

struct history_entry {
	char *text;             /* one command, without a count that `count` holds */
	enum history_class class;
	uint64_t count;         /* of the same command in a row; 1 for what the user typed */
};

struct history {
	struct history_entry *entries;
	size_t n;
};

/* Adds a command as the user typed it; text is copied. */
void history_add(struct history *h, const char *text, enum history_class class);
/* As history_add(), `count` times in a row. */
void history_add_run(struct history *h, const char *text, enum history_class class, uint64_t count);
/* Forget what comes at and after `index`: the history of a position restored by undo or restart. */
void history_truncate(struct history *h, size_t index);
/* A reverse move into the command at entry `index`, `path` being the way from its start to the target (NULL or empty:
 * the start itself).  Entries from index on are replaced by the path, in the debugger's words step_name and next_name,
 * followed by the cut-off entries of class HISTORY_DEBUGGER in their order.  Returns the index of the first of these: the
 * caller issues entries[that ... n) to the debugger again. */
size_t history_rewind(struct history *h, size_t index, const struct path *path, const char *step_name,
		      const char *next_name);
/* "[break 6, next, next, step, where]": the entries from `from` on; runs of more than 3 as "next 9731". */
void history_render(const struct history *h, size_t from, struct buf *out);
void history_copy(struct history *to, const struct history *from);      /* to was empty */
void history_free(struct history *h);

#endif
