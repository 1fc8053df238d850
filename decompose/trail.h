/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trail: the marks that a trace of a segment leaves on its way, so that whoever wants a place in the middle afterwards
 * runs from the nearest mark and not from the segment's start; private to decompose/.
 *
 * How long a segment is shows only at its end.  So marks are laid at intervals that double: when there are as many as may
 * be, every second one is dropped.
 *
 *      ticks 0   I   2I  3I  4I                  at most 4 marks, interval I
 *            |   x   x   x   x                   the 5th: drop every second, interval 2I
 *            |       x       x       x       x   and so on
 *
 * At any time the marks are evenly spread, and with `most` of them no place is further than 2/(most+1) of the way from
 * one: an eighth for 16.  A mark also remembers the stack of activations with its paths, so that a trace can be taken up
 * from there.  Cost: one trace(), and most + most/2 log2(length / (most * interval)) marks; memory: a stack each. */
#ifndef DECOMPOSE_TRAIL_H
#define DECOMPOSE_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "decompose/machine.h"
#include "decompose/stack.h"

/* What a mark is worth is a matter of measurement; the tests make all of it small. */
struct trail_limits {
	uint64_t interval;      /* the first mark is at this tick.  A mark and a return to it cost about as much as 3,000
	                         * ticks, some milliseconds: below this it is quicker to run */
	size_t most;            /* marks of a trail */
	uint64_t piece;         /* ticks, at most, from one call of progress() to the next */
	size_t trails;          /* that reverse-watch holds at a time */
};
extern struct trail_limits trail_limits;

struct trail_mark {
	struct machine_mark *mark;
	struct stack stack;             /* as it is there; stack.tick says where that is */
};

/* A breakpoint is at this stop, or a watchpoint triggered in what was executed from there to the next. */
struct trail_hit {
	uint64_t tick;
	uint32_t depth;         /* of the frame that the watchpoint belongs to, 1: to none; 0: a breakpoint */
};

struct trail {
	struct machine *m;
	struct trail_mark *marks;       /* in the order of their ticks */
	size_t n;
	uint64_t interval;
	struct stack stack;             /* at the segment's end */
	bool began_inside;              /* the segment's start lies inside a statement */
	struct trail_hit *hits;         /* the last ones, in the order of their ticks, the end included */
	size_t n_hits, keep_hits;
	bool scoped;                    /* some hits belong to a frame */
	/* Where the machine can leap: the ticks since at least the last mark. */
	struct trail_step { uint32_t depth; uint8_t kind; bool rough; } *steps;
	size_t n_steps;
	uint64_t before_steps;          /* the tick before the first of them */
	bool rough;                     /* told, and the tick is still to come */
	bool leapt;                     /* not all of it was traced, so the paths are not known statement by statement */
	unsigned laid;                  /* marks, those dropped included */
	bool observed;                  /* wish.expr could be looked at, and this was seen of it: */
	struct machine_seen seen;
};

/* What a trace is made for, besides the births and paths of activations. */
struct trail_wish {
	size_t stops;           /* how many last stops of each activation the stack is to hold */
	size_t hits;            /* how many last hits of breakpoints; 0: they are not looked at */
	unsigned evaluations;   /* so far: for progress() */
	bool leaps;             /* the end is all that is asked for, and the activation at the depth `watched`, if that is not 0: go by
	                         * the machine's leaps where it has any.  Then neither stops nor hits */
	uint32_t watched;
	const char *expr;       /* to be observed on the way in the activation that is at `depth` at the end; or NULL */
	uint32_t depth;
	bool until_change;      /* no further than to some place behind its first change from its first value; and nowhere if it
				 * cannot be observed */
};

/* Enter the segment and trace it to its end, or as far as is wished.  NULL: err says why, and no mark is left. */
struct trail *trail_lay(struct machine *m, int segment, const struct trail_wish *wish, struct machine_stop *end,
			struct err *err) must_check;
/* From the mark or the start where trail_go() has led, on to the tick: by a leap if that can be.  The trail may be NULL. */
int trail_go_on(struct machine *m, const struct trail *trail, int segment, uint64_t tick, struct stack *stack,
		struct machine_stop *stop, struct err *err) must_check;
/* Go to the last mark at or before the tick, without one (or with no trail: NULL) to the segment's start.  stack, if not
 * NULL, becomes the one there, to be freed by stack_free() also when this fails. */
int trail_go(struct machine *m, const struct trail *trail, int segment, uint64_t tick, struct stack *stack,
	     struct machine_stop *stop, struct err *err) must_check;
/* Go to the tick, and have a mark there.  *mark is the trail's own. */
int trail_mark_at(struct trail *trail, int segment, uint64_t tick, struct machine_mark **mark, struct machine_stop *stop,
		  struct err *err) must_check;
/* One without marks, which knows nothing. */
struct trail *trail_empty(struct machine *m);
/* A mark that was made elsewhere, and the stack there; both become the trail's. */
void trail_give_mark(struct trail *trail, struct machine_mark *mark, struct stack *stack);
/* What the trail knows of a tick's depth, 0: nothing. */
uint32_t trail_depth(const struct trail *trail, uint64_t tick);
/* Forget the hits of watchpoints whose frame is not alive at the segment's end, or is deeper than `alive`. */
void trail_keep_alive(struct trail *trail, uint32_t alive);
void trail_drop_marks(struct trail *trail);
void trail_free(struct trail *trail);           /* NULL is no trail */

#endif
