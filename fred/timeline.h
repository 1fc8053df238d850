/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The positions that a session knows: a tree of nodes.
 *
 * A node is a position at a prompt.  Its edge, kept in the node itself, is the command that led there from its parent.
 * A node that a reverse move found has the command that first ran over that place, and the tick at which it was
 * halted.  Most nodes have a snapshot; where it was thinned away the node is reached again by running the edges from the
 * nearest node above that has one.
 *
 * Nodes live as long as the session and cost some hundred bytes; snapshots come and go within the budget. */
#ifndef FRED_TIMELINE_H
#define FRED_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "decompose/history.h"
#include "decompose/path.h"
#include "decompose/undo.h"
#include "fred/adapter.h"

struct ckpt_snapshot;
struct trail_point;

/* What was there besides the place, which another run has to come to as well.  Both NULL: nobody has asked. */
struct witness {
	char *place;                    /* of the place and its locals: where threads race, with another one it is another position */
	char *data;                     /* of other data */
	bool other_run;                 /* for another run from the program's start: session_begin.c */
};

void witness_free(struct witness *witness);

/* session_hits.h, while a search lasts: hits of the breakpoints that it is for. */
struct node_hits {
	bool known;                     /* so many come behind here, up to the end of the command; or */
	bool many;                      /* ... more than were counted; */
	uint64_t behind;
	bool here;                      /* here is one; */
	bool unsure;                    /* ... and nobody knows yet whether it is where a statement begins; */
	bool is_long;                   /* ... and the edge to here is */
	bool asked;                     /* on the edge to here they have been counted, or cannot be; */
	bool none;                      /* and there is none before its end */
};

struct node {
	int id;
	struct node *parent;            /* NULL: the first prompt */
	char *command;                  /* the edge's text, all its lines; NULL for the first prompt, and where a reverse
	                                 * move led to the parent itself and only brought settings along */
	char *given;                    /* of `whole` ends: the user's command, where `command` is only what is left of it; else NULL */
	enum command_class class;
	bool partial;                   /* the edge was halted at ... */
	uint64_t tick;                  /* (UINT64_MAX: at `state`) */
	uint64_t way;                   /* to that tick; 0: not known.  struct adapter_event */
	struct path steps;              /* ... which is this many next and step from the parent */
	bool has_steps;
	/* session_split.h: of a node on the way of a command where that ends, else NULL; ... */
	struct node *whole;
	struct pass at;                 /* its place; */
	uint64_t point;                 /* ... the number of a point of the trail that it was, or 0; ... */
	size_t point_typed;             /* ... and what of the command's input had been read there; */
	bool kept;                      /* a position that the user knows is found from here: the way to here again would be long; ... */
	bool called;                    /* the first pass of that behind the parent, a call; */
	uint64_t ticks;                 /* of a point: how many of the command's lie before it, if they are known */
	uint32_t still;                 /* ... on this edge frames so deep or less deep have no stop; or 0; */
	struct node_hits hits;
	uint32_t calm;                  /* on this edge nothing happened in frames so deep or less deep; 0: it is not known */
	bool origin;                    /* the program began here: nothing before can be reached by stepping */
	bool idle;                      /* the command would have moved a program, or started it, and there is none */
	bool begun;                     /* session_begin.c has been here; with origin and `beginning`: the command is halted there */
	char *beginning;                /* of a command that starts the program, as soon as somebody asks: where the way here begins ... */
	char *no_beginning;             /* ... or why nobody knows; "": it is here */
	bool post_mortem;               /* the program has failed here; frames are looked at after their death */
	uint64_t died;                  /* then: the tick at which the innermost frame ended, once it is known, else 0 */
	uint64_t instructions;          /* the way here is so many of them, whatever breakpoints are on it; 0: it is the command */
	bool by_instruction;            /* its clock counts instructions: session_instructions.c */
	bool inside;                    /* it lies inside a statement, not at its start */
	bool ended;                     /* the debugger had exited */
	char *settings;                 /* breakpoints and the like brought here from later, NULL: none */
	char **reissued;                /* the commands that had made them, for the history */
	size_t n_reissued;
	char **looks;                   /* commands typed here that changed nothing, for the history */
	size_t n_looks;
	char *state;                    /* the adapter's word on how the command ended: by ^C, say, in a state with this digest;
	                                 * with needs_ends of every command that moved, as soon as somebody asks; else NULL */
	const char *no_end;             /* why the place where ^C ended it is not found again; NULL: it is */
	struct witness witness;
	size_t eofs;                    /* ends of file that it read after ... */
	struct buf typed;               /* ... terminal input that the edge consumed */
	size_t stdin_pos;               /* how far the program had read a stdin that is no terminal */

	struct ckpt_snapshot *snapshot; /* NULL: thinned away or not taken; session_snapshots.c looks after them */
	uint64_t taken;                 /* order of the snapshots, for thinning */
	struct place place;
	char *prompt;
	uint64_t ran_us;                /* wall time that the program ran from the first prompt to here */

	int checkpoint;                 /* number, or -1 */
	char *note;
};

struct branch {
	char *name;
	struct node *head;              /* its newest live position */
};

struct timeline {
	struct node **nodes;
	size_t n_nodes;
	struct node *here;              /* where the session is */
	struct branch *branches;
	size_t n_branches, branch;      /* the present branch */
	struct undo undo;
	int next_checkpoint;
	struct node **snapshotted;      /* those with a snapshot, in the order in which these were taken */
	size_t n_snapshotted;
	uint64_t next_taken;
	struct trail_point *points;     /* of the trail, in the order in which they were taken; session_points.c looks after them */
	size_t n_points;
	uint64_t weigh_next;            /* clock_us() at which memory is measured again */
};

struct timeline *timeline_new(void);
void timeline_free(struct timeline *t);         /* not the snapshots */
/* A node below `parent`, which becomes the present one; the text is copied. */
struct node *timeline_add(struct timeline *t, struct node *parent, const char *command, enum command_class class);
/* The same for a position that FReD found: no command of the user's, so the branch keeps its head, and time and input
 * are as at `base`.  The prompt is copied. */
struct node *timeline_add_found(struct timeline *t, struct node *base, const char *command, enum command_class class,
				const char *prompt);
struct node *timeline_node(struct timeline *t, int id);
struct node *timeline_checkpoint(struct timeline *t, long number);
struct branch *timeline_branch(struct timeline *t, const char *name);
/* The nearest node at or above `node` with a snapshot; NULL: none. */
struct node *timeline_snapshotted(struct node *node);
/* The nearest node at or above, at which the program had begun, or ended in its very first command; else the first one. */
struct node *timeline_origin(struct node *node);
/* Is `above` on the way from the first prompt to `node`? */
bool timeline_is_above(const struct node *above, const struct node *node);
/* The end of the command of whose run `node` is the end, or a place on the way. */
struct node *timeline_whole(const struct node *node);
/* Where the command began of whose run `end` is the end, or a place on the way (`whole`). */
struct node *timeline_run_start(const struct node *end);
/* Number of commands that lead from `above` to `node`. */
long timeline_commands(const struct node *above, const struct node *node);
/* The nearest checkpoint at or above a node. */
struct node *timeline_last_checkpoint(struct node *node);
void timeline_add_look(struct node *node, const char *command);
/* The history from `since` (a node above, whose own looks count) to `node`. */
struct history *timeline_history(const struct node *since, const struct node *node, const struct adapter *adapter);

#endif
