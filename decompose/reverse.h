/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reverse execution: where `reverse-step`, `-next`, `-finish` and `-continue` lead, and how to get there.
 *
 * A machine with a statement clock (machine.h) makes this exact: a segment's command is run again from its start in
 * trace(), which tells kind and depth of every stop; the stack of activations is rebuilt from these, and the target is
 * a tick of the segment.  The trace leaves marks (trail.h), and reverse_go() runs from the last one before that tick.
 * So a reverse command costs little more than one forward run of a segment, at some microseconds a tick.  Only the last
 * segment is run, unless the answer lies in an earlier one.  (This replaces the decomposition by trial, `continue` into
 * `next ... next` into `step`, for debuggers with a clock; a debugger without one must count steps.)  The history still
 * shows the decomposed commands: they come from the stack that the mark remembers.
 *
 * The stops of a segment that has ticks 0..e are 0..e-1: its end is either now, or tick 0 of the next segment that
 * moves.  A stop thus has one name, and it is the latest state at that place: `x = 3` typed there has been done.  When
 * the end lies *inside* the statement of tick e, that tick is a stop of the segment too, and tick 0 of the following
 * segment is none.
 *
 * Counts repeat the move.  All functions: 0, or -1 with err filled; err->sys is ECANCELED after ^C.  The searches set
 * *target anew; after -1 it holds nothing.  The machine is left anywhere: the caller returns it to now by a snapshot of its
 * own. */
#ifndef DECOMPOSE_REVERSE_H
#define DECOMPOSE_REVERSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "decompose/machine.h"
#include "decompose/path.h"

struct reverse_target {
	int segment;
	uint64_t tick;          /* of that segment; 0 is its start: its command is not issued at all */
	bool moved;             /* false: now is the start of history already (or the count was 0); do not go anywhere */
	bool no_more;           /* no such stop, or fewer than the count: the target is the start of history, and the user
	                         * is told "No more reverse-execution history." */
	bool triggers;          /* a watchpoint (MACHINE_TRIGGER) triggers in what is executed from here to the next stop */
	uint32_t depth;         /* of the target, where the search learnt it; 0: not known */
	bool marked;            /* the trail has a mark at the target itself, made for it; reverse_go() returns to that, and
	                         * runs nothing */
	struct path steps;      /* from the segment's start to here; filled by reverse_go() */
	struct trail *trail;    /* marks in the segment, which make the way short; NULL: none.  It holds snapshots of the
	                         * machine, and must be freed before that goes away */
};

/* n stops back.  Cost: one trace() of each segment touched, as for all of them. */
int reverse_step(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err) must_check;
/* The last stop in now's activation or in a caller of it.  Memory: 16 bytes a stop of the activations on the stack, at
 * most n of each. */
int reverse_next(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err) must_check;
/* The last stop in a caller of the activation that the selected frame belongs to.  selected_depth: its depth, 1 is the
 * outermost; now's own depth when the user has not gone `up`. */
int reverse_finish(struct machine *m, uint32_t selected_depth, uint64_t n, struct reverse_target *target,
		   struct err *err) must_check;
/* Where the activation began that the frame at `depth` now belongs to.  A call in the rest of a statement, after its last
 * stop, is told of by no tick; where now, or a segment's end, lies inside a statement this may be one, or the activation is
 * the one that was there at that stop already.  Then it is supposed to be one, and `unsure` says so: whoever can look
 * closer, and finds no such call, sets `older` and asks again, with the rest as it was left.  Of frames that have no stops
 * of their own, in a row and at one depth, it is the first. */
struct reverse_entry {
	int below;              /* look in the segments before this one; at first the number of them */
	bool older;
	struct reverse_target before;   /* the last stop before it began; not moved: it began before history */
	bool at_end;            /* it began after that before the segment's end; else the next tick is its first stop */
	bool unsure;
};
int reverse_entry(struct machine *m, uint32_t depth, struct reverse_entry *entry, struct err *err) must_check;
/* The last stop where machine.h's `breakpoint` was told, or after which MACHINE_TRIGGER was, for a frame that is alive now.
 * Traces backwards until found; the first stop of history
 * never counts as a breakpoint's, as it is where an unsuccessful search ends anyway. */
int reverse_continue(struct machine *m, uint64_t n, struct reverse_target *target, struct err *err) must_check;

/* Drive the machine to the target (which has moved) and fill target->steps.  *stop is the place reached: by enter() for
 * tick 0, otherwise by one trace() of at least a tick, from the trail's last mark before it.  Cost: an eighth of
 * the segment at most, or the ticks that a mark is worth.  Fails, rather than stop at a wrong place, when the program did
 * not run the same way again. */
int reverse_go(struct machine *m, struct reverse_target *target, struct machine_stop *stop, struct err *err) must_check;

void reverse_target_free(struct reverse_target *target);

#endif
