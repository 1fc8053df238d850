/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search by a watchpoint: session_threads.c finds the command, session_hunt.c the statement in it. */
#ifndef FRED_SESSION_HUNT_H
#define FRED_SESSION_HUNT_H

#include <stdlib.h>

#include "fred/session_threads.h"

struct hunt {
	struct session *s;
	struct departure *d;
	const char *expr;
	struct watch_result *result;
	enum session_change which;
	struct machine_value base;      /* for the first change: at the start */
	struct machine_value final;     /* at the end of the last segment, */
	uint64_t behind;                /* ... which lies so many changes after now */
	int segment;                    /* in which the change comes; */
	uint64_t most;                  /* changes that are waited for; 0: all */
	uint64_t changes;               /* it is the one of this number, and the segment's last, or the first of all */
	bool unseen;                    /* the debugger cannot watch it */
	char *statement;                /* address of the code that makes it */
	struct machine_mark *near;      /* before it, and after the one before that; or, if `whole`, at the segment's start */
	bool whole;
	bool at_statement;              /* where the search begins, perhaps: its last pass is not known */
	uint64_t pass, since;           /* of the statement, of all threads' from `near`, the one; so many changes follow in it */
	struct machine_mark *at;        /* its thread begins the statement */
};

int hunt_enter(struct hunt *h, int segment, struct err *err) must_check;
int hunt_go(struct hunt *h, struct machine_mark *mark, struct err *err) must_check;
/* The value of EXPR here, which the caller frees. */
int hunt_look(struct hunt *h, struct machine_value *value, struct err *err) must_check;
/* Has EXPR another value here than that?  1 or 0; its value here, if now is not NULL, the caller frees. */
int hunt_differs(struct hunt *h, const struct machine_value *from, struct machine_value *now, struct err *err) must_check;
/* Changes and passes are counted from here on, and it halts at those.  1, or 0: they cannot be seen. */
int hunt_count_from_here(struct hunt *h, uint64_t halt, uint64_t halt_pass, struct err *err) must_check;
int hunt_go_on(struct hunt *h, struct err *err) must_check;
/* From a halt, to the end of the run; nothing is counted any more. */
int hunt_run_out(struct hunt *h, struct err *err) must_check;
int hunt_ask(struct hunt *h, struct adapter_event *reply, struct err *err) must_check;
/* After a run.  Where several threads stop at once gdb tells of one, and of the next only when the program is to go on. */
int hunt_ask_all(struct hunt *h, struct adapter_event *reply, struct err *err) must_check;
/* What they answered. */
static inline bool hunt_changed(const struct adapter_event *reply) { return reply->n_fields > BY_STATEMENT; }
static inline uint64_t number(const char *text) { return strtoull(text, NULL, 10); }

/* The change that is told by segment and number: to the statement that makes it.  1: the session stands there, and it is proven; 0: where
 * it begins cannot be told. */
int hunt_statement(struct hunt *h, struct culprit *culprit, struct err *err) must_check;

#endif
