/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The trail: snapshots in the middle of a long run, so that going back into it need not begin where the run began.
 *
 * A *point* is a snapshot that was taken while the program ran, without a prompt and without the debugger noticing.  Nobody has
 * looked at it.  As soon as a search wants it, it is restored and brought to a prompt, and becomes a node on the way to the end of the
 * run (session_split.h); until then it costs memory only.  Recent points are dense, older ones get sparser. */
#ifndef FRED_SESSION_POINTS_H
#define FRED_SESSION_POINTS_H

#include "fred/session_priv.h"

/* While a command of the user's runs: milliseconds until points_look() shall be called, or -1. */
int points_wait(const struct session *s);
void points_look(struct session *s);
/* ADAPTER_ALARM: a point, if this is a run of the user's; and on. */
void points_alarm(struct session *s);
/* The run is over, and has led to that node; NULL: to none. */
void points_end(struct session *s, struct node *node);

/* Is there a point on the edge that leads to `end`? */
bool points_has(const struct session *s, const struct node *end);
/* Is it long enough to be cut, POINTS_AS_FAR, if there are? */
bool points_are_far(const struct node *end);
/* One of those becomes a node between the edge's two ends, where the session then stands: the last; that in their middle; or the last that is
 * as far from the edge's end as that is from the run's, so that going back by pieces costs about as much as the whole.  1; 0: there is
 * none, or none that can be used; -1. */
enum points_which { POINTS_LAST, POINTS_MIDDLE, POINTS_AS_FAR };
int points_put_in(struct session *s, struct node *end, enum points_which which, struct node **node, struct err *err) must_check;

/* Over the budget?  Drops one. */
bool points_drop_one(struct timeline *t, size_t budget);
size_t points_bytes(const struct timeline *t);
void points_free(struct timeline *t);

#endif
