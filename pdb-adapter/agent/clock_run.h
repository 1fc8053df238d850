/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The statement clock's part that runs at every event of the program; clock.py, which starts and ends runs, says what a clock is.
 *
 * A C function takes the place of CPython's own that calls Python trace functions.  It sees every event of every frame of
 * one thread without anything being set in a frame.  It counts those at which `step` would stop, and calls pdb's trace
 * function when and as CPython would have done, but for where bdb would look at some variables of its own and do
 * nothing.  sys.gettrace() answers as it would without us: CPython keeps that object beside the C function. */
#ifndef PDB_ADAPTER_AGENT_CLOCK_RUN_H
#define PDB_ADAPTER_AGENT_CLOCK_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "channel/agent/python_api.h"

/* CPython's PyTrace_*, and a stop's kind on the tape. */
enum event { EVENT_CALL, EVENT_EXCEPTION, EVENT_LINE, EVENT_RETURN, EVENT_KINDS = 8 };
enum { KIND_LINE, KIND_CALL, KIND_RETURN, KIND_EXCEPTION };

/* Whose is the global trace function, that of sys.settrace()? */
enum tracer {
	TRACER_PDB,
	TRACER_PDB_OFF,         /* none, as pdb's `continue` found no breakpoints: what follows is pdb's all the same */
	TRACER_OTHER,           /* a function of the program's own */
	TRACER_NONE,            /* the program, or an exception in a trace function, has turned tracing off */
};

/* All of a run.  Pointers to frames are borrowed, and only compared: a frame that has gone is followed by an event of another. */
struct run {
	bool running;
	bool live;                      /* it is the user's own, which is only counted: clock_last.h */
	pthread_t thread;               /* the one that is counted */
	bool calling;                   /* in pdb's trace function */
	unsigned prompts;               /* of all time: when it has changed after a call of pdb, this is another run or none */
	enum tracer tracer;
	bool pdb_is_off;                /* the tracer was TRACER_PDB_OFF before the program set others */
	bool unmarked;                  /* frames have lost what control_mark_frames() gave them */
	bool at_once;                   /* the next call is one of halt.py's: the run is halted there, for its caller */

	/* Frames between these depths were called while pdb was not the tracer.  pdb sees nothing of them, nor would `step`;
	 * while of a frame that pdb was called for and did not want, every event would be a stop. */
	int gap_from, gap_to;           /* above the first, up to the second */

	uint64_t count, limit;
	int until_depth, until_line;    /* the run may be over there, clock.py will say; depth 0: nowhere */
	object *until_numbers;          /* it is not unless the frame has these: ((name, int), ...); or NULL */
	bool counted;                   /* the event at hand is a tick */
	object *last;                   /* the frame that runs, as far as known, and its depth */
	int depth;
	bool by_line;                   /* since 3.13.6 `step` does not stop twice in a row at one line of one frame: */
	object *place;                  /* the last tick's frame and line */
	int place_line;
	object *left;                   /* dict: address of a frame that an exception may have left: the tick of that */

	bool told;                      /* ticks are told */
	uint32_t previous;              /* the last tick told */
	object *breakpoints;            /* those told with them, file: line: list; or NULL */
};
extern struct run run;

/* The trace function. */
int run_event(object *global, object *frame, int what, object *arg);
/* The global trace function has been set, by pdb if it is being called; is_pdbs: to one of pdb's own. */
void run_tracer_set(object *function, bool is_pdbs);
/* Puts our function there, beside what sys.gettrace() is to answer, NULL for None. */
void run_install(object *function);

#endif
