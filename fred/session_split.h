/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Splitting a run that is too long for the statement clock: it is run again at full speed, stopped on its way, and the
 * place becomes a node between the two ends of the run.  What lies behind the last of these is short.
 *
 *	before	parent --------- continue ---------> end
 *	after	parent --> at 90 % --> 99 % --> ... --> end
 *
 * Where it is stopped is a matter of time, so another run is split elsewhere; but each piece has its ends, and is gone
 * through again from one to the other as any command of the user's.
 *
 * What fred-reverse-next and -finish look for may lie long before the end, where a function was called in which all has
 * happened since.  Then it is that call to which the program is run. */
#ifndef FRED_SESSION_SPLIT_H
#define FRED_SESSION_SPLIT_H

#include "decompose/watch.h"
#include "fred/session_reverse.h"

/* So many ticks are gone through before a run is split.  Most of a second, as long as splitting takes at least. */
#define SPLIT_FAR 4096

/* Before each search: how far the machine goes.  calls: the search is for a caller's stop, or a call, so what was split before need
 * not be gone through. */
void split_limit(struct session *s, struct departure *d, bool calls);
/* Has the machine given up because of that? */
bool split_wanted(const struct err *err);
/* Splits what the search that has failed came upon, and makes the machine anew.  called: at that depth began what the search
 * wants; 0: where whatever has not lasted since did.  1: search again; 0: it cannot be split, and need not be tried again: search
 * again without a limit.  -1: err. */
int split(struct session *s, struct departure *d, uint32_t called, struct err *err) must_check;

/* Has the search failed because a run did not come by where it has been split, at a point of the trail?  Then it is split elsewhere, or
 * not there, if that can help: search again. */
bool split_rejoin(struct session *s, struct departure *d);

/* An attempt has failed: is there nothing more to be done (^C, the debugger is gone)?  Else the search goes on without. */
bool split_stopped(const struct session *s, const struct err *err);

/* For reverse-watch of an expression that needs no frame, where a search has come upon a run that is too long: a short piece of it,
 * in which the expression comes to its present value, is all that the machine knows then.  1: search that.  0: there is none that can be
 * found so: search again without a limit.  *evaluations: what it took.  2: it is as it is now wherever that has looked: *result. */
int split_watch(struct session *s, struct departure *d, const char *expr, struct watch_result *result, unsigned *evaluations,
		struct err *err) must_check;

/* Where the run to `end` was counted as it was made: nodes around the last stop in a frame of d->chain or a caller of it, and what lies behind
 * that is known not to have any.  Their number; 0: nobody has counted, or there is no point; -1. */
int split_counted(struct session *s, struct departure *d, struct node *end, struct err *err) must_check;

/* ---- session_land.c ---- */

enum landed { LANDED, AT_PASS, TOO_MANY, IN_VAIN, AT_HIT, AT_END };      /* IN_VAIN: at no place that is found again */

struct landing {
	enum landed how;
	uint64_t us;            /* of the program's time, what it takes to stop included; 0: it was not watched */
	uint64_t passes;
	char *state;            /* for the clock, where it has not come to the end; the caller frees */
	struct pass at;         /* then: the place; */
	bool is_stop;                   /* of a hit: known to be where a statement begins */
};

struct order {
	struct node *from;
	const struct node *to;          /* the end of the command */
	const struct input_rest *input; /* what is to be typed where `from` is beside the way there; else NULL */
	const struct pass *pass;        /* to the nth of these; nth 0: they are counted; or NULL */
	uint64_t nth;
	const char *hits;               /* instead of passes, of the breakpoints of these settings; or NULL */
	uint64_t most;                  /* ... but no more than so many; */
	bool exactly;                   /* ... to the nth itself, and not to a statement behind it */
	const struct pass *end;         /* no further than here; or NULL */
	const struct node *until;       /* a node that is the end, too; or NULL */
	uint64_t us;                    /* the program runs no longer; 0: it may */
};

int land(struct session *s, const struct order *order, struct landing *l, struct err *err) must_check;
/* Where has it landed, as the adapter tells? */
int land_ask(struct session *s, struct landing *l, struct err *err) must_check;
/* Adds what was typed at the program between the two. */
void land_input(const struct node *from, const struct node *to, struct input_rest *rest);
/* In the middle of the run, at none of the two?  A loop within one statement leads from anywhere in it to its end. */
bool land_between(const struct node *from, const struct node *end, const struct landing *l);
/* A node where the session has landed, behind `from`; `whole` is the end of the command.  The second one: on the edge that leads to `after`. */
int land_behind(struct session *s, struct node *from, struct node *whole, struct landing *l, struct node **here, struct err *err) must_check;
int land_here(struct session *s, struct node *after, struct landing *l, struct node **here, struct err *err) must_check;
/* Takes land_here() back: the edges to `mid` and from there to `next` are one again. */
void land_out(struct session *s, struct node *mid, struct node *next);
/* Makes that node, on the way to which the other is, follow what the other follows; that is wanted no more. */
void land_instead(struct session *s, struct node *here, struct node *of);

#endif
