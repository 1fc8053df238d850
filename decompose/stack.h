/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stack of activations, rebuilt from the kinds and depths of a segment's stops; private to decompose/.
 *
 * For each activation that is alive it holds when it was born, its last stops, and the path to the last one.  A stop is
 * taken in two steps, stack_arrive() (births and deaths) and stack_record() (it now counts as a stop of its activation),
 * because the segment's last tick is now, or the next segment's start: we arrive there, and it is not a stop before it.
 *
 * Paths share their beginnings.  A path is a list of runs from the last to the first, and two paths with a common
 * beginning share those runs: entering a call costs at most two new runs, on whatever path the call lies.  The path to an
 * activation's last stop is kept as the path to its first one, and how many `next` came since: so a stop that begins no
 * activation costs no memory.  A million calls in a row leave nothing behind. */
#ifndef DECOMPOSE_STACK_H
#define DECOMPOSE_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decompose/machine.h"
#include "decompose/path.h"

#define STACK_BEFORE UINT64_MAX         /* birth: alive at the segment's start */

struct stack_run;                       /* a run of a shared path */

/* The last ticks of a growing row of them: at most `keep` are promised, at most twice as many held. */
struct stack_recent {
	uint64_t *ticks;
	size_t n, room;
};

struct stack_activation {
	uint64_t birth;
	struct stack_recent recent;
	bool on_path;           /* had a stop, or the start: first and nexts hold */
	struct stack_run *first;        /* NULL is the empty path */
	uint64_t nexts;
};

struct stack {
	struct stack_activation *at;    /* [0] is depth 1 */
	uint32_t depth;                 /* that of the stop last arrived at */
	uint8_t kind;                   /* and its kind; for a start inside a statement MACHINE_LINE */
	uint32_t room;
	uint32_t survivors;             /* how many of the outermost activations at the start are alive */
	uint64_t tick;                  /* last arrived at */
	bool is_stop;                   /* that tick is a stop, so the next arrival records it */
	size_t keep;                    /* how many last stops of each activation to hold; 0: none */
	bool paths;                     /* keep paths */
};

/* At the start of a segment, as enter() told it. */
void stack_start(struct stack *s, const struct machine_stop *start, size_t keep, bool paths);
/* Records where it is, and goes on to the next tick. */
void stack_arrive(struct stack *s, const struct machine_tick *tick);
/* On to a stop of which only itself is known, not those between.  `watched`: the activation at that depth is the one that
 * was there before, or is gone; of the others nothing is known, and their births mean nothing.  For a stack without last stops. */
void stack_leap(struct stack *s, const struct machine_stop *stop, uint32_t watched);
/* The stop last arrived at is one before now. */
void stack_record(struct stack *s);
/* A stack to go on from without the one it was copied from.  It keeps paths, and no last stops. */
void stack_copy(struct stack *to, const struct stack *from);
void stack_free(struct stack *s);

/* How many of the activation's last stops are known, at most keep; 0 when there is no activation at that depth. */
size_t stack_stops(const struct stack *s, uint32_t depth);
/* The tick of the activation's last stop (back 0), the one before (back 1), ...; back < stack_stops(). */
uint64_t stack_stop(const struct stack *s, uint32_t depth, size_t back);
/* The path to the tick last arrived at; to was empty. */
void stack_path(const struct stack *s, struct path *to);

void stack_recent_add(struct stack_recent *recent, uint64_t tick, size_t keep);

#endif
