/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What searches in a long run ask at its places: is an expression there as it is now? */
#ifndef FRED_SESSION_LOOK_H
#define FRED_SESSION_LOOK_H

#include "fred/session_reverse.h"

/* The caller owns `expr`, and ends it by look_end(). */
struct look {
	struct session *s;
	struct departure *d;            /* its machine evaluates, in the frame that is selected now */
	const char *expr;
	struct machine_value now;       /* of look_at_present() */
	unsigned evaluations;           /* so far */
};

/* Before anything else. */
int look_at_present(struct look *l, struct err *err) must_check;
/* Where the session stands: 1: it is the same, be it that it has no value; 0: it is not; -1: err. */
int look(struct look *l, struct err *err) must_check;
/* The session goes there first. */
int look_at_node(struct look *l, struct node *node, struct err *err) must_check;
void look_end(struct look *l);

#endif
