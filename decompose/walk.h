/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running segments again, with the checks that all algorithms need; private to decompose/.
 *
 * All return 0, or -1 with err filled, also when the program did not run the same way again. */
#ifndef DECOMPOSE_WALK_H
#define DECOMPOSE_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "decompose/machine.h"
#include "decompose/reverse.h"
#include "decompose/stack.h"

#define WALK_TO_END UINT64_MAX

/* Fills err with "the program did not run the same way again: ..." and returns -1. */
int walk_diverged(struct err *err, const char *fmt, ...) printf_like(2, 3);

int walk_enter(struct machine *m, int segment, struct machine_stop *stop, struct err *err) must_check;
/* Run on to the tick `limit`, which must be reached, or to the end. */
int walk_run(struct machine *m, uint64_t limit, struct machine_stop *stop, struct err *err) must_check;
/* Trace on to the tick `limit`, which must be reached, in one go, and feed the stops to the stack, which is the one of the
 * present place. */
int walk_trace(struct machine *m, uint64_t limit, struct stack *stack, struct machine_stop *stop,
	       struct err *err) must_check;
/* The same, but the segment's end may come first. */
int walk_trace_on(struct machine *m, uint64_t limit, struct stack *stack, struct machine_stop *stop, struct err *err) must_check;
/* Return to a mark, which is at that tick. */
int walk_go(struct machine *m, struct machine_mark *mark, uint64_t tick, struct machine_stop *stop,
	    struct err *err) must_check;
/* Is the stop that a run came to the tick `limit`, and where it was the first time? */
int walk_check_reached(uint64_t limit, const struct machine_stop *stop, struct err *err) must_check;

/* The start of history, as a target with no_more set; moved is false when now is there. */
int walk_to_start(struct machine *m, struct reverse_target *target, struct err *err) must_check;

/* Sets what the search for a target learnt; the trail, which may be NULL, is taken over. */
void reverse_found(struct reverse_target *target, int segment, uint64_t tick, struct trail *trail);

/* Does a segment that ended so take now away from its start? */
static inline bool walk_effective(const struct machine_stop *end)
{
	return end->tick > 0 || end->inside;
}

#endif
