/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A simulated debugger for the tests of decompose/: a random run of a program, and a user's session over it.
 *
 * A *run* is a row of stops; unlike the algorithms it knows the true activation of each.  Positions are integers: stop t
 * is 8t; inside its statement are 8t+1 (in a frame that no stop tells of, one deeper), 8t+2 (early) and 8t+6 (late: after a
 * return stop, already in the caller's statement); the program's changes between stops t and t+1 happen at 8t+4. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decompose/machine.h"
#include "decompose/path.h"

struct sim_activation {
	int parent;             /* -1: none */
	uint32_t depth;
	bool untraced;          /* has no stops of its own */
};

struct sim_stop {
	int activation;
	uint8_t kind;
	bool breakpoint;
	uint32_t trigger;       /* a watchpoint of the frame at this depth triggers in the statement; 1: one without a frame; 0: none */
};

struct sim_event {              /* activation (-1: the global g) gets a value */
	uint64_t position;
	int activation;
	int value;              /* SIM_UNDEFINED: evaluating it raises */
};
#define SIM_UNDEFINED 9

struct sim_segment {
	uint64_t from, to;      /* positions */
	bool moves;
	bool assigns;
	int activation, value;  /* what it assigns to */
};

struct sim {
	uint64_t seed;
	struct sim_activation *activations;
	size_t n_activations;
	struct sim_stop *stops;
	size_t n_stops;
	struct sim_event *events;
	size_t n_events;
	struct sim_segment *segments;
	size_t n_segments;

	/* The machine. */
	int segment;
	uint64_t position;
	bool executed;          /* the segment's command, which does not move, has been executed */
	bool placed, disturbed;
	int live_marks, most_marks;
	unsigned ops;           /* machine operations that can fail, so far */
	unsigned fail_at;       /* the one that fails, 1 is the first; 0: none */
	bool cancel;            /* and it does with ECANCELED */
	int diverges;           /* this segment ends one tick early from now on; -1: none */
	unsigned evals;
	unsigned lies_at;       /* this evaluation gives a value never seen before; 0: none */
	enum { SIM_BLIND, SIM_OBSERVES, SIM_GIVES_UP, SIM_MISLEADS } observer;
	bool observing, observes_global;
	uint32_t observed_depth;
	uint64_t ran;           /* ticks run */
	uint64_t longest;       /* in one go */
	unsigned marks;         /* taken so far */
	unsigned leaps;         /* made so far, those that were cut too */
	struct machine machine;
};

uint64_t sim_random(struct sim *sim, uint64_t below);

/* A random program of about `size` stops, and a random session of it. */
void sim_init(struct sim *sim, uint64_t seed, size_t size);
/* trail_limits so small that trails come and go in a program of some dozen stops; other ones for each seed. */
void sim_small_limits(uint64_t seed);
void sim_usual_limits(void);
/* An empty one, for sim_emit() and sim_segment(). */
void sim_init_empty(struct sim *sim);
int sim_call(struct sim *sim, int parent, bool untraced);       /* the new activation; emits nothing */
void sim_emit(struct sim *sim, int activation, enum machine_kind kind);
void sim_change(struct sim *sim, int activation, int value);    /* after the last stop emitted */
void sim_move(struct sim *sim, uint64_t from, uint64_t to);
void sim_assign(struct sim *sim, int activation, int value);
void sim_free(struct sim *sim);

/* The truth. */
uint64_t sim_now(const struct sim *sim);
int sim_innermost(const struct sim *sim, uint64_t position);    /* activation; SIM_UNTOLD in 8t+1 */
#define SIM_UNTOLD (-2)
uint32_t sim_depth(const struct sim *sim, uint64_t position);
bool sim_lives(const struct sim *sim, int activation, uint64_t position);
int sim_frame(const struct sim *sim, uint64_t position, uint32_t depth);        /* activation */
/* The value that g (activation -1) or an activation's x has at a position when the commands of segments before
 * `segment` were executed. */
int sim_value(const struct sim *sim, int activation, int segment, uint64_t position);
/* Where the debugger's own step and next go. */
uint64_t sim_step(const struct sim *sim, uint64_t position);
uint64_t sim_next(const struct sim *sim, uint64_t position);
uint64_t sim_walk(const struct sim *sim, uint64_t position, const struct path *path);

#endif
