/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of reverse-watch; private to decompose/.
 *
 * *Boundaries* are numbered 0..n for n segments: boundary i is the start of segment i, boundary n is now.  Inside a
 * segment *positions* are its ticks 0..e, and e+1 for its end when that lies inside the statement of tick e. */
#ifndef DECOMPOSE_WATCH_PRIV_H
#define DECOMPOSE_WATCH_PRIV_H

#include "decompose/machine.h"
#include "decompose/trail.h"
#include "decompose/walk.h"
#include "decompose/watch.h"

#define WATCH_NOT_KNOWN (UINT64_MAX - 1)

/* What a trace said of a segment at whose end the watched activation lives. */
struct watch_segment {
	bool alive;             /* it lived at the start, too */
	uint64_t birth;         /* otherwise: the first position at which it lives, at least 1 */
	uint64_t end;           /* e; where nothing was traced WATCH_NOT_KNOWN, as the last */
	uint64_t last;          /* the last position: e or e+1 */
	struct trail *trail;    /* NULL where the command does not move */
	bool trodden;           /* the trail had marks, and they have been dropped */
	bool observed;          /* EXPR was looked at on the way, at every stop of the activation, and so: */
	struct machine_seen seen;       /* its text is the trail's, and not here */
	bool changed;
	uint64_t change;        /* the last position whose next one has another value, that being V at the last */
};

struct watch {
	struct machine *m;
	const char *expr;
	uint32_t depth;
	int n;
	struct watch_segment *segments;         /* [traced_from .. n) hold */
	int traced_from;
	bool anywhere;                          /* the activation lives at all boundaries, traced or not */
	bool observes;                          /* where the machine can */
	bool misled;                            /* what was observed did not hold */
	struct machine_value now;               /* V; or, once the first change is known, the value after that */
	struct machine_progress progress;       /* as last told */
	struct watch_result *result;
	struct err *err;
};

/* Trace back to segment i.  Those before one in which the activation was born are not run: it does not live there. */
int watch_trace_to(struct watch *w, int i) must_check;
/* Does the activation live at boundary i?  After watch_trace_to(i). */
bool watch_alive(const struct watch *w, int i);

/* Evaluate where the machine is.  done of all: progress. */
int watch_eval(struct watch *w, uint64_t done, uint64_t all, struct machine_value *value) must_check;
/* Evaluate where EXPR had V when it ran the first time: another value is an error. */
int watch_check(struct watch *w, uint64_t done, uint64_t all) must_check;
/* Go to boundary i and evaluate; unborn needs no going. */
int watch_at_boundary(struct watch *w, int i, struct machine_value *value) must_check;
/* The boundary *lo with another value (in *before), and V at the next one.  Without any: *lo is -1. */
int watch_boundaries(struct watch *w, int *lo, struct machine_value *before) must_check;
/* The same between *lo, whose value is in *before, and hi, where V is. */
int watch_halve_boundaries(struct watch *w, int *lo, int hi, struct machine_value *before) must_check;
bool watch_differs(const struct machine_value *a, const struct machine_value *b);
void watch_value_free(struct machine_value *value);

int watch_mark(struct watch *w, struct machine_mark **mark) must_check;
/* Return to the mark at a position. */
int watch_go(struct watch *w, struct machine_mark *mark, uint64_t position, struct machine_stop *stop) must_check;
void watch_drop(struct watch *w, struct machine_mark **mark);
/* Go to a position of the segment, from the last mark of its trail before it, and mark it. */
int watch_mark_at(struct watch *w, int segment, uint64_t position, struct machine_mark **mark) must_check;
/* Return to a mark at `marked`, and go on to a position.  *stop: where the machine has come to. */
int watch_go_to(struct watch *w, int segment, struct machine_mark *mark, uint64_t marked, uint64_t position,
		struct machine_stop *stop) must_check;
/* Run on to a position that is later.  *stop: where the machine is, and then where it has come to. */
int watch_run(struct watch *w, int segment, uint64_t position, struct machine_stop *stop) must_check;

/* Position k of a segment is the answer: EXPR differs here, with the value `before` (taken over), and has the present
 * value at k+1.  Checks the latter, from the mark at position `marked`, and fills the result.  `held` not NULL: it need not
 * have that value; then *held is false, and nothing is filled. */
int watch_found(struct watch *w, int segment, struct machine_mark *mark, uint64_t marked, uint64_t k,
		struct machine_value *before, bool *held) must_check;
/* What was observed on the trace's way, asked of the segment [lo, last]: 1: the last change is found and filled in, after
 * both evaluations.  0: nothing is known, or what was seen did not hold. */
int watch_found_observed(struct watch *w, int segment) must_check;
/* The command of the segment, which has no ticks, is the answer. */
void watch_found_command(struct watch *w, int segment, struct machine_value *before);

/* The segment's marks are wanted no more. */
void watch_forget(struct watch *w, int segment);
/* The marks are wanted again, where watch_forget() or a lack of room dropped them. */
int watch_retrace(struct watch *w, int segment) must_check;

/* The trail of the segment has been laid: what did it see? */
void watch_note_observed(const struct watch *w, struct watch_segment *s);
/* How often EXPR changed, if that was seen: the result has it. */
void watch_count(struct watch *w);
/* Was EXPR seen to be V at all stops of the segment? */
bool watch_observed_constant(const struct watch *w, int segment);
/* And at all later ones, and in all segments behind it? */
bool watch_constant_since(const struct watch *w, int segment);
/* The exact latest change: every position, from now backwards. */
int watch_scan(struct watch *w) must_check;
/* The exact first change: every position, from the start or the birth on. */
int watch_first(struct watch *w) must_check;

#endif
