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
/* Enter the segment and feed its stops up to `limit` to the stack, which stack_start() begins. */
int walk_trace(struct machine *m, int segment, uint64_t limit, struct stack *stack, size_t keep, bool paths,
	       struct machine_stop *end, struct err *err) must_check;

/* The start of history, as a target with no_more set; moved is false when now is there. */
int walk_to_start(struct machine *m, struct reverse_target *target, struct err *err) must_check;

/* Does a segment that ended so take now away from its start? */
static inline bool walk_effective(const struct machine_stop *end)
{
	return end->tick > 0 || end->inside;
}

#endif
