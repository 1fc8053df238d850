/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The abstract debugger, as the algorithms in decompose/ need it.  They do no I/O and know no Linux; the session and the
 * unit tests' simulated debugger implement this struct.
 *
 * The life of the program up to now is a row of *segments*, oldest first.  Each was made by one command of the user
 * (`continue`, `next`, `x = 3`), and the end of one is the start of the next.  Now is the end of the last.  Segment 0
 * begins at the first live stop since the last `run` or restart: nothing before it can be reached.
 *
 * Inside a segment positions are counted in *ticks*: tick 0 is its start, and each further tick is one stop that `step`
 * would make, whatever command made the segment.  The machine can run a segment's command again from its start and
 * halt it at any tick: that is the statement clock.  A segment whose command does not move (`x = 3`, `break 7`) has
 * no ticks: its start and its end are the same stop, with another state.
 *
 * Frames are numbered by depth: 1 is the outermost.  An *activation* is one call, or one resumption of a generator.  A
 * stop of kind MACHINE_CALL begins a new activation at its depth and ends all that were there or deeper; any stop ends
 * all activations that are deeper than itself, and the stop after a MACHINE_RETURN ends
 * the one that returned.  So kinds and depths alone say which stops share an activation. */
#ifndef DECOMPOSE_MACHINE_H
#define DECOMPOSE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum machine_kind {
	MACHINE_LINE = 0,       /* a statement is about to be executed */
	MACHINE_CALL = 1,       /* a function was entered, a generator resumed */
	MACHINE_RETURN = 2,     /* about to return, yield or unwind */
	MACHINE_EXCEPTION = 3,  /* an exception passes through this frame */
	/* No stop: a watchpoint triggered since the stop told before, or a breakpoint was passed where no stop is.  Then depth is that
	 * of the frame it belongs to, 1 when it belongs to none. */
	MACHINE_TRIGGER = 4,
	/* No stop: since the one told before something else than a step has stopped the program. */
	MACHINE_ROUGH = 5,
};

/* A stop as a trace tells it. */
struct machine_tick {
	uint32_t depth;
	uint8_t kind;           /* enum machine_kind */
	bool breakpoint;        /* an enabled breakpoint is here and its condition holds; told only when asked for, as triggers are */
};

/* Where the machine stands after enter(), run() or trace(). */
struct machine_stop {
	uint64_t tick;          /* of the segment */
	uint32_t depth;
	uint8_t kind;
	bool end;               /* this is the segment's end: run() goes no further */
	bool inside;            /* only at an end: now lies inside the statement that began at this tick, not at its start.
	                         * Then depth is that of the innermost frame that was there at the tick: less than the tick's
	                         * after a return, and what was called since is not counted.  enter()
	                         * sets it, too, when the segment before ended so: its tick 0 is no stop that step makes */
	bool diverged;          /* the segment was run again and ended elsewhere than it did the first time */
	bool cut;               /* of leap(): it came only to `tick`, and has left the machine nobody knows where */
};

/* A value of an expression.  Equal text and kind: equal values. */
enum machine_value_kind { MACHINE_VALUE, MACHINE_UNDEFINED, MACHINE_UNBORN };
struct machine_value {
	enum machine_value_kind kind;
	char *text;             /* as the debugger prints it; for MACHINE_UNDEFINED why (one line).  Owned by the holder */
};

struct machine_mark;            /* a position remembered; cheap (milliseconds) */

/* What observe() saw of EXPR, up to the present place. */
struct machine_seen {
	bool whole;             /* at every stop since the start, or since the activation was born */
	uint64_t changes;       /* how many times it was another at a stop than at the one before */
	uint64_t last;          /* with changes: the last stop that had another value than the next */
	struct machine_value value;     /* at the last stop; its text is the holder's */
	bool valued;            /* it had a value at some stop; */
	uint64_t since;         /* then: those of the changes that came after that; */
	uint64_t first;         /* since > 0: the stop before the first of these */
};

/* For the user. */
struct machine_progress {
	const char *doing;      /* "searching" */
	uint64_t done, all;     /* ticks of the segment where the machine is; all is 0 while it is not known */
	/* The segment is gone through from its end or its start, each tick at the same cost, and then all those before or behind
	 * it.  0: who knows what is still to come. */
	enum machine_towards { MACHINE_BACKWARDS = -1, MACHINE_FORWARDS = 1 } towards;
	unsigned evaluations;   /* so far */
};

/* All int functions: 0, or -1 with err filled; err.sys ECANCELED: the user typed ^C. */
struct machine {
	void *self;
	int (*segments)(void *self);
	/* Does segment i's command move the program (and so have ticks)? */
	bool (*moves)(void *self, int segment);
	/* One that does not: does it leave the program as it is (`break 7`)?  NULL: it cannot be told. */
	bool (*leaves_alone)(void *self, int segment);
	/* Is the segment one `next` that came to its end by itself, in the activation where it began, at *depth?  Then no stop of
	 * that activation or a caller lies between, and nothing has to be run to know it.  NULL: it cannot be told. */
	bool (*is_next)(void *self, int segment, uint32_t *depth);
	/* So deep a frame and its callers have no stop in that segment, which begins and ends in what they called; 0: it is not known.
	 * NULL: never. */
	uint32_t (*calm)(void *self, int segment);
	/* The same, but for what they called, which may have come and gone: with an eye on nothing but stops.  NULL: never. */
	uint32_t (*still)(void *self, int segment);
	/* Go to the start of a segment; *stop is its tick 0. */
	int (*enter)(void *self, int segment, struct machine_stop *stop, struct err *err);
	/* Go to now, which costs no run.  *stop has depth and kind of now, and `inside`; its tick means nothing.  Only
	 * eval() may follow: the caller goes elsewhere before it runs on. */
	int (*now)(void *self, struct machine_stop *stop, struct err *err);
	/* Run on, along the segment's command, to tick `limit` or the segment's end, whichever comes first: the limit
	 * being the tick of an `inside` end, to that statement's start.  UINT64_MAX: to the end; a command that does
	 * not move is executed.  Cost: some microseconds a tick. */
	int (*run)(void *self, uint64_t limit, struct machine_stop *stop, struct err *err);
	/* As run(), at half the cost, to a tick before the segment's end.  Where something else than steps stops the program on the
	 * way, the end or a MACHINE_ROUGH, *stop is `cut`: the caller goes elsewhere, and from here at least to stop->tick there
	 * is nothing of the kind.  (That may be no tick at all.)  It is cut, too, where at `limit` the activation at the depth
	 * `watched`, if it is not 0, is not the one that is there now; unless there is none any more.  NULL: there is nothing that
	 * is quicker than run(). */
	int (*leap)(void *self, uint64_t limit, uint32_t watched, struct machine_stop *stop, struct err *err);
	/* As run(), and hand over every stop passed, in order, the one run to included, in pieces of any size.
	 * The present stop is not told again.  with_breakpoints: fill in `breakpoint`, which costs more. */
	int (*trace)(void *self, uint64_t limit, bool with_breakpoints,
		     void (*told)(void *ctx, const struct machine_tick *ticks, size_t n), void *ctx,
		     struct machine_stop *stop, struct err *err);
	/* Where the debugger makes no stop before a function returns: run on until the frame at `depth`, which is the
	 * innermost, has returned, into the rest of its caller's statement.  *left: so it happened.  The caller goes
	 * elsewhere before it runs on.  NULL where MACHINE_RETURN stops tell it all. */
	int (*leave)(void *self, uint32_t depth, bool *left, struct err *err);
	/* Remember the position here, inside a segment; go() returns to it any number of times. */
	int (*mark)(void *self, struct machine_mark **mark, struct err *err);
	int (*go)(void *self, struct machine_mark *mark, struct machine_stop *stop, struct err *err);
	void (*drop)(void *self, struct machine_mark *mark);
	/* The value of an expression in the frame at `depth` here.  May disturb the program: the caller goes elsewhere
	 * after it (enter() or go()) before it runs on. */
	int (*eval)(void *self, const char *expr, uint32_t depth, struct machine_value *value, struct err *err);
	/* The trace() that comes next, from the start of this segment, looks at EXPR at every stop in the activation that
	 * is at `depth` then, without disturbing the program.  1: it will; 0: nothing that can only be looked at, or the
	 * debugger cannot.  observed(): what has come of it up to where the trace has come to, asked before anything else is done
	 * there; the trace may go on after it.  It is a hint: an
	 * eval() in a process that nothing was evaluated in has the last word.  Both NULL: never.  Cost: as trace(), and
	 * half of that again. */
	int (*observe)(void *self, const char *expr, uint32_t depth, struct err *err);
	int (*observed)(void *self, struct machine_seen *seen, struct err *err);
	/* So many ticks cost about as much as a mark and a return to it; 0: as many as trail.h says, where a tick takes less than
	 * a microsecond. */
	uint64_t mark_interval;
	void (*progress)(void *self, const struct machine_progress *progress);   /* may be NULL */
};

#endif
