/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine's inside, which session_machine.c and session_machine_run.c share. */
#ifndef FRED_SESSION_MACHINE_H
#define FRED_SESSION_MACHINE_H

#include "fred/session_priv.h"

struct fred_machine {
	struct machine ops;
	struct session *session;
	struct node **nodes;            /* nodes[i] begins segment i; nodes[n] is now */
	int n;
	int segment;                    /* where we are */
	bool started;                   /* its command is on the way, halted at stop.tick */
	struct machine_stop stop;
	const char *breakpoints;        /* settings of the present: its breakpoints are what a trace tells of */
	bool observing;                 /* the trace under way looks at an expression */
	const uint32_t *leaps;          /* the run under way is a leap, with an eye on the activation at that depth */
	const char *show;               /* the debugger shows the next place that is run to, with these settings; NULL: it does not */
	struct ways *ways;              /* of each segment, as the first trace told them */
	struct witness *ends;           /* of each segment, where it has been run again to its end */
	uint64_t way;                   /* to stop.tick */
	uint32_t low, lows;             /* so many activations have lasted through what was traced of this segment, and of all later ones */
	struct place left, *returns;    /* places to which functions returned: op_leave() */
	size_t n_returns;
	uint64_t far;                   /* a segment of more ticks is given up; 0: none is */
	uint64_t splits;                /* the same of those that can be split; and */
	bool calls;                     /* of what was split all but the last piece, and those that end at a call */
	uint64_t hits, hits_far;        /* machine_count_hits() */
	unsigned snapshots;
	bool diverged;                  /* a run was not like the first one ... */
	bool changed;                   /* ... or it was, as far as statements go, but came to other values */
	uint64_t shown_us;
	struct pace {                   /* of a search that goes through the run tick by tick: */
		uint64_t since;         /* clock_us(); 0: there is none */
		double from;            /* part of the run that lay behind it then */
	} pace;
};

/* Who is told of the ticks of a run. */
struct told {
	void (*fn)(void *ctx, const struct machine_tick *ticks, size_t n);
	void *ctx;
};

/* Does the segment's command let the program run? */
bool machine_moves(const struct fred_machine *m, int segment);
int machine_here(struct fred_machine *m, struct machine_stop *stop, struct err *err) must_check;
/* From where the machine is on, in its segment, to tick `limit` or the end: m->stop.  told: NULL, if nobody is; breakpoints: of
 * those, too. */
int machine_forward(struct fred_machine *m, uint64_t limit, const struct told *told, bool breakpoints, struct err *err) must_check;
/* What the clock has to know of the end of a segment at whose start the machine is. */
int machine_learn_end(struct fred_machine *m, struct node *end, struct err *err) must_check;
/* Where a segment is halted that does not end by itself: at a position that an earlier reverse move found; and where the
 * frame that failed came to its end, as the rest of the run, to the post-mortem, only unwinds the debugger's own. */
uint64_t machine_halting_tick(const struct node *end);

#endif
