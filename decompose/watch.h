/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch: find a statement that gave an expression its present value, or the first that changed it.
 *
 * The result is a stop k such that the expression has its present value V at the next stop and another one at k: both
 * were evaluated.  It is evaluated in one activation, that of the frame selected now: at stops in callees, in that
 * activation's frame up the stack.  Before its birth the expression is *unborn*, which differs from every value; so is,
 * from every value, one that raises an error (two errors are equal, whatever they say).
 *
 * Search: (1) over the starts of segments, each a snapshot, from now backwards in doubling strides until one differs
 * from V, then by halves; (2) inside the segment by halves over its ticks.  A segment is traced first, because only its
 * kinds and depths say whether the activation lived at its start; the trace leaves marks (trail.h), at which the halving
 * begins, so that all further runs together are about one from a mark to the next.  Evaluations: at most
 * 2 log2(ticks) + log2(segments) + 12, ticks counted over all segments.  Ticks run, with reverse_go(): 1.3 times those of
 * the segments touched, for a long one; the marks of no more than trail_limits.trails segments are held at a time, the
 * longest, and a shorter one that is searched after all is traced again.  Where V is found at the start too, EXPR is also
 * evaluated at up to WATCH_AT_MARKS marks.  Sampling may miss pairs of changes: the change found need not be the latest
 * (result.latest), and where all samples have V nothing is proven (WATCH_UNPROVEN).
 *
 * WATCH_LAST: every stop is evaluated, from now backwards, up to the first that differs: the exact latest change.
 * A stop costs one go(), a run of at most some dozen ticks, and an evaluation.
 *
 * WATCH_FIRST: the first change is meant.  Let B be EXPR's value at the first stop since the start of history at which it has
 * one (so it is neither unborn there nor an error).  The result is the stop k such that EXPR is B at all stops from that one
 * to k, and another value or an error at the next.  Every stop is evaluated, from the start on, up to that one, at the cost of
 * WATCH_LAST; and nothing behind it is run, but for what tells when the activation was born (options.anywhere: nothing at all).
 *
 * Where the machine has observed EXPR at every stop of a segment on the way of a trace, no stop of it is evaluated but those
 * on both sides of the change. */
#ifndef DECOMPOSE_WATCH_H
#define DECOMPOSE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "decompose/machine.h"
#include "decompose/reverse.h"

enum { WATCH_AT_MARKS = 40 };

enum watch_which { WATCH_ANY, WATCH_FIRST, WATCH_LAST };

struct watch_options {
	enum watch_which which;
	bool anywhere;          /* EXPR needs no frame: it is evaluated in the outermost, whatever activation that is; no stop
				 * is before its birth.  Only WATCH_FIRST makes use of it */
};

enum watch_outcome {
	WATCH_FOUND,
	WATCH_UNPROVEN,         /* V at all places looked at, the start of history included; WATCH_LAST looks at all */
	WATCH_NEVER_CHANGED,    /* V at every stop since the start of history.  WATCH_FIRST: since the first one at which
				 * it had a value (`late`: that was not the first stop) */
};

struct watch_result {
	enum watch_outcome outcome;
	bool late;
	bool counted;           /* EXPR was looked at, at every stop there ever was, and this is how often it was another at one than
				 * at the one before, from the first value on (`late` as above) */
	uint64_t changes;
	/* The rest only for WATCH_FOUND, but for `after`, `evaluations` and `snapshots`. */
	struct reverse_target target;   /* for reverse_go(): here it is `before`, one statement later `after` */
	bool by_command;        /* the command of target.segment itself did it, such as `x = 3`; target is its start */
	bool in_caller;         /* the target is a function's last stop, and the change came after: guilty is its caller's
	                         * statement, the present one of the frame one up */
	uint32_t guilty_depth;  /* then: of that frame; 0: one up */
	bool unsure;            /* the target is a function's last stop, and which of the statement and the rests of its callers'
	                         * it is cannot be told */
	bool inside;            /* the target is the start of a segment, and lies inside a statement (after ^C): the rest of
	                         * that statement is guilty */
	bool latest;            /* known to be the latest change; otherwise the value may have changed again later */
	struct machine_value before, after;     /* at the target; one statement later, which is V, but for WATCH_FIRST */
	unsigned evaluations;
	unsigned snapshots;     /* marks taken */
};

/* expr is evaluated in the frame at selected_depth (1 is the outermost).  0 with *result filled, to be freed by
 * watch_result_free(); -1 with err: the expression has no value now, the program did not run the same way again, the
 * machine failed, or ^C (err->sys ECANCELED).  No mark is left behind but those of result.target.trail; the machine is left
 * anywhere. */
int watch_search(struct machine *m, const char *expr, uint32_t selected_depth, const struct watch_options *options,
		 struct watch_result *result, struct err *err) must_check;
/* Fills err, and returns -1: what has no value now cannot be searched for. */
int watch_undefined(const char *expr, const struct machine_value *now, struct err *err) must_check;

void watch_result_free(struct watch_result *result);

#endif
