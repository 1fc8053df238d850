/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch where the statement clock alone does not tell: session_threads.c and session_turns.c. */
#ifndef FRED_SESSION_THREADS_H
#define FRED_SESSION_THREADS_H

#include "decompose/watch.h"
#include "fred/session_reverse.h"

/* Who made the change that was looked for. */
struct culprit {
	bool there;                     /* the session stands at the statement, and all is proven */
	char *end;                      /* where that begins, for the clock; NULL: it was found by ticks */
	struct pass at;                 /* that place */
	char *thread, *number, *name;   /* its thread: for the clock, for the user; NULL: not known */
};
/* session_threads.c, in a program with several threads.  1: found, or known not to be there: *result has what watch_search() would have told; if found, the
 * session stands there.  0: watch_search() must tell; *segment: in which, if that is known, else -1. */
int threads_search(struct session *s, struct departure *d, const char *expr, enum session_change which, struct watch_result *result,
		   struct culprit *culprit, int *segment, struct err *err) must_check;
/* The same for the first or the last change in a program with one thread, whose run is too long for the clock.  0: it cannot be
 * found so; 2: it has changed too often. */
int watch_at_full_speed(struct session *s, struct departure *d, const char *expr, enum session_change which,
			struct watch_result *result, struct culprit *culprit, struct err *err) must_check;
/* So many changes are too many: then it has changed but now, and the clock finds that. */
enum { MOST_CHANGES = 1000 };
/* The latest change alone, but none where there are `most` in a command; on 0 the caller cleans up, and on 2: it may be told from an
 * earlier start, for this one may be the statement that makes it.  now: the value, `behind` changes
 * before the end of what the machine knows. */
int threads_hunt(struct session *s, struct departure *d, const char *expr, uint64_t most, const struct machine_value *now, uint64_t behind,
		 struct watch_result *result, struct culprit *culprit, struct err *err) must_check;
/* How many changes there are in all that the machine knows.  1; 0: nobody can tell, or `most` and more. */
int threads_count(struct session *s, struct departure *d, const char *expr, uint64_t most, uint64_t *n, struct err *err) must_check;

/* session_turns.c. */
/* The reply of changed_by(): the fields. */
enum {
	BY_CHANGES, BY_PASS, BY_SINCE, BY_MISSED, BY_END, BY_PC, BY_SP, BY_SELECTED, BY_SELECTED_NUMBER, BY_SELECTED_NAME, BY_THREADS, BY_MAKER,
	BY_MAKER_NUMBER, BY_MAKER_NAME, BY_FILE, BY_LINE, BY_FUNCTION, BY_STATEMENT,
};
int threads_ask(struct session *s, struct adapter_event *reply, struct err *err) must_check;
/* session_threads.c.  The selected thread makes one move; `really`: struct adapter, alone().  1; 0: it cannot. */
int threads_move_alone(struct session *s, const char *command, bool really, struct err *err) must_check;
/* session_turns.c.  An error that another run was not like the first: what to do about it. */
void threads_explain(struct session *s, const struct departure *d, struct err *err);
/* It is the selected thread, as threads_ask() told it. */
void culprit_is_selected(struct culprit *culprit, const struct adapter_event *reply);
void culprit_free(struct culprit *culprit);

/* A segment as one of the threads goes through it. */
struct turn {
	struct departure d;             /* to arrive from; d.m is NULL where there is none */
	struct node end;
};
/* As threads_search(), in that segment; only changes are found.  *turn must last as long as *result. */
int turns_search(struct session *s, struct departure *d, const char *expr, int segment, struct watch_result *result,
		 struct culprit *culprit, struct turn *turn, struct err *err) must_check;
/* session_split_last.c.  The same in the long runs at the end of what the machine knows, which forgets those in which there is
 * no change.  1: found, and the session stands there, or known not to be there; 0: watch_search() must tell.  Where what is watched is
 * written all the time, to the value that it has, that takes long: from the middle of a run only for which == CHANGE_LAST. */
int split_watch_last(struct session *s, struct departure *d, const char *expr, enum session_change which, struct watch_result *result,
		     struct culprit *culprit, struct turn *turn, struct err *err) must_check;
void turn_end(struct session *s, struct departure *d, struct turn *turn);
/* At the tick that a search has found: *culprit is filled in if the selected thread, moved by one step alone, makes the
 * change. */
int threads_prove(struct session *s, struct departure *d, const char *expr, const struct watch_result *result,
		  struct culprit *culprit, struct err *err) must_check;

#endif
