/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fred-reverse-continue through a run that is too long for the statement clock: it is run again at full speed, the debugger counting
 * the hits of the present breakpoints.  What has none need not be gone through; where there are some, nodes are put
 * on the way near those that are wanted, and decompose/ finds them tick by tick as ever:
 *
 *	before	parent ----- continue, hits ... h h h h ------------> end
 *	after	parent --> some hits before --> behind the last --> end
 *	                              (by ticks)        (nothing there)
 *
 * Cost: two or three runs of what lies behind the last point of the trail from which there is a hit, and 0.2 ms a hit. */
#ifndef FRED_SESSION_HITS_H
#define FRED_SESSION_HITS_H

#include "fred/session_reverse.h"

/* Before each search: it is given up early, for hits_put_in(). */
void hits_limit(struct session *s, struct departure *d);
/* The search for the nth hit back, of which all may be there, has been given up in a segment (split_wanted()).  1: search again; 0: nothing
 * can be done about that segment; -1: err. */
int hits_put_in(struct session *s, struct departure *d, uint64_t n, struct err *err) must_check;
/* What was counted holds for the breakpoints of one search. */
void hits_forget(struct session *s);

#endif
