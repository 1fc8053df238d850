/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch where the program has several threads: session_threads.c and session_turns.c. */
#ifndef FRED_SESSION_THREADS_H
#define FRED_SESSION_THREADS_H

#include "decompose/watch.h"
#include "fred/session_reverse.h"

/* Who made the change that was looked for. */
struct culprit {
	bool there;                     /* the session stands at the statement, and all is proven */
	char *end;                      /* where that begins, for the clock; NULL: it was found by ticks */
	char *thread, *number, *name;   /* its thread: for the clock, for the user; NULL: not known */
};
/* session_threads.c.  1: found, or known not to be there: *result has what watch_search() would have told; if found, the
 * session stands there.  0: watch_search() must tell; *segment: in which, if that is known, else -1. */
int threads_search(struct session *s, struct departure *d, const char *expr, bool last, struct watch_result *result,
		   struct culprit *culprit, int *segment, struct err *err) must_check;
/* The reply of changed_by(): the fields. */
enum {
	BY_CHANGES, BY_PASS, BY_SINCE, BY_MISSED, BY_END, BY_SELECTED, BY_SELECTED_NUMBER, BY_SELECTED_NAME, BY_THREADS, BY_MAKER,
	BY_MAKER_NUMBER, BY_MAKER_NAME, BY_FILE, BY_LINE, BY_FUNCTION, BY_STATEMENT,
};
int threads_ask(struct session *s, struct adapter_event *reply, struct err *err) must_check;
/* The selected thread makes one move; `really`: struct adapter, alone().  1; 0: it cannot. */
int threads_move_alone(struct session *s, const char *command, bool really, struct err *err) must_check;
/* An error that another run was not like the first: what to do about it. */
void threads_explain(struct session *s, const struct departure *d, struct err *err);
/* It is the selected thread, as threads_ask() told it. */
void culprit_is_selected(struct culprit *culprit, const struct adapter_event *reply);
void culprit_free(struct culprit *culprit);

/* session_turns.c.  A segment as one of the threads goes through it. */
struct turn {
	struct departure d;             /* to arrive from; d.m is NULL where there is none */
	struct node end;
};
/* As threads_search(), in that segment; only changes are found.  *turn must last as long as *result. */
int turns_search(struct session *s, struct departure *d, const char *expr, int segment, struct watch_result *result,
		 struct culprit *culprit, struct turn *turn, struct err *err) must_check;
void turn_end(struct session *s, struct departure *d, struct turn *turn);
/* At the tick that a search has found: *culprit is filled in if the selected thread, moved by one step alone, makes the
 * change. */
int threads_prove(struct session *s, struct departure *d, const char *expr, const struct watch_result *result,
		  struct culprit *culprit, struct err *err) must_check;

#endif
