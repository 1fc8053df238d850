/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files fred/session_reverse.c and session_instructions.c share: leaving the present for a search, and coming to a
 * place that it found. */
#ifndef FRED_SESSION_REVERSE_H
#define FRED_SESSION_REVERSE_H

#include "decompose/reverse.h"
#include "fred/session_priv.h"

/* What a reverse move needs of the present before it is left. */
struct departure {
	struct fred_machine *fm;
	struct machine *m;
	struct node *from;
	uint32_t selected;
	long threads;                   /* of the program, where a watch asked */
	char *settings;
};

int depart(struct session *s, struct departure *d, struct err *err) must_check;
void depart_end(struct session *s, struct departure *d);
/* Nothing came of it: the session is where it was.  Returns -1, err as it was, or with why that failed. */
int go_back(struct session *s, struct departure *d, struct err *err);
/* The session stands at the target: a node for it, with the present settings; not yet in the row that undo goes along. */
struct node *arrival_node(struct session *s, struct departure *d, struct reverse_target *target, struct err *err) must_check;

/* Makes history before the first stop where it is wanted; the session stands where it stood. */
int begin_history(struct session *s, struct err *err) must_check;

int reverse_by_instruction(struct session *s, bool over_calls, uint64_t n, struct err *err) must_check;

#endif
