/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files fred/session_reverse.c, session_watch.c, session_instructions.c and session_call.c share: leaving the present for a search, and coming to a
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
	uint32_t depth;                 /* of the stop; 0: it lies inside a statement */
	uint32_t chain;                 /* a search for a stop in a frame so deep, or in a caller; 0: in any frame */
	long threads;                   /* of the program, where a watch asked; */
	char *owner;                    /* and the thread whose frame the expression needs; "" or NULL: none */
	char *settings;
	unsigned vain;                  /* attempts to split a run that came to nothing */
	bool hits_off;                  /* hits of breakpoints cannot be counted */
	bool other_values;              /* a run that was made again from its start has come to others at its end */
};

/* gone_too: may the program have ended? */
int depart(struct session *s, struct departure *d, bool gone_too, struct err *err) must_check;
void depart_end(struct session *s, struct departure *d);
/* Nothing came of it: the session is where it was.  Returns -1, err as it was, or with why that failed. */
int go_back(struct session *s, struct departure *d, struct err *err);
/* The session stands at the target: a node for it, with the present settings; not yet in the row that undo goes along. */
struct node *arrival_node(struct session *s, struct departure *d, struct reverse_target *target, struct err *err) must_check;
/* The same, and undo goes along it.  end: for the clock, where no tick tells it; or NULL. */
int book_arrival(struct session *s, struct departure *d, struct reverse_target *target, const char *end, struct err *err) must_check;
/* To the user, if so it is: the way here was the same, as far as could be seen.  Not so the values, which may be of the clock, of
 * random numbers, of files. */
void say_changed(struct session *s, const struct departure *d);

/* Makes history before the first stop; the session is where it was.  1: there is more now; 0: there is not; or -1. */
int begin_history(struct session *s, struct err *err) must_check;
/* As begin_history(), for a search that has come to the start of history: 1: it may search again. */
int depart_earlier(struct session *s, struct departure *d, struct err *err) must_check;
/* After a search, which came to *r and err: is there more to search, or does it come easier now?  called: a frame, of whose birth
 * a split has to know; hits: so many of the breakpoints' are gone back by; or 0. */
bool search_again(struct session *s, struct departure *d, const struct reverse_target *target, uint32_t called, uint64_t hits,
		  int *r, struct err *err) must_check;
/* Why nothing before that is known; "": there is nothing. */
const char *history_ends(struct session *s);
/* To the user: nothing is left to go back to. */
void say_no_more(struct session *s);

/* The instructions from a base, at which the session stands, to a later place, of which `until` is the state(). */
struct instructions {
	struct machine *m;              /* a tick is an instruction */
	struct fred_machine *fm;
	struct node *base, end;
	char *command;
};
/* The session stands at the base, a target of the departure's machine, and does so afterwards.  *state: where the same run
 * of the program comes to at `tick` of that segment, or, for UINT64_MAX, at the end of the segment `last`.  (Where the
 * program stood there before, its registers may hold what is of that run alone: malloc() asks the kernel for random
 * numbers.)  Owned by the caller. */
int instructions_until(struct session *s, struct departure *d, const struct reverse_target *base, uint64_t tick, int last,
		       char **state, struct err *err) must_check;
/* Close also after -1.  The base and `until` are borrowed. */
int instructions_open(struct session *s, struct node *base, char *until, struct instructions *in, struct err *err) must_check;
void instructions_close(struct instructions *in);
/* To a target among them: shown, and booked as the present position. */
int instructions_go(struct session *s, struct instructions *in, struct reverse_target *target, struct err *err) must_check;

/* To the instruction that called the function of the selected frame, or of the n-1 frames outwards.  *found: false where it
 * is not known, or began before history: then the calling statement is as near as can be come. */
int reverse_to_call(struct session *s, struct departure *d, uint64_t n, bool *found, struct err *err) must_check;

bool value_same(const struct machine_value *a, const struct machine_value *b);
/* An error: another run was not like the one before.  -1. */
int watch_not_again(struct err *err);

int reverse_by_instruction(struct session *s, bool over_calls, uint64_t n, struct err *err) must_check;

#endif
