/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What pdb would do at an event, from the variables of the Pdb at work, and whether `step` would have stopped. */
#ifndef PDB_ADAPTER_AGENT_CLOCK_PDB_H
#define PDB_ADAPTER_AGENT_CLOCK_PDB_H

#include <stdbool.h>

#include "channel/agent/python_api.h"

struct verdict {
	bool tick;
	bool ask;               /* pdb must be called; otherwise it would do nothing */
	bool traced;            /* a call: it would return its trace function */
};

/* The functions of clock.py and names that are used at events. */
struct pdb_names {
	object *nothing, *ours;                 /* None; the agent's namespace */
	object *unwanted;                       /* an f_trace that stands for none, before 3.10; or NULL */
	object *events[8];                      /* "call", ... */
	object *at_mark, *breakpoint_here, *take_over;
};
extern struct pdb_names names;
/* Call it while the agent's Python runs.  False: this Python lacks something; an exception is set. */
bool pdb_names_find(void);

/* The Pdb at work: it, and what its class overrides. */
bool pdb_take(object *pdb, bool fast, bool skipping, bool enters);
void pdb_drop(void);
object *pdb_at_work(void);
bool pdb_quitting(void);
/* Is it a trace function of pdb's?  Then of the Pdb at work, from now on. */
bool pdb_owns(object *function);

/* An event that pdb sees, and one that it does not see because it does not trace the frame.  False: an exception is set. */
bool pdb_judge(object *frame, int what, object *arg, struct verdict *verdict);
bool pdb_judge_unseen(object *frame, int what, object *arg, bool *tick);
/* What of pdb's trace function shows later, where it was not called. */
void pdb_pass(object *frame);

/* Another frame than before may have the same address. */
void pdb_forget_frame(void);
/* 8 where one of the breakpoints that are told may be, else 0; -1: an exception is set. */
int pdb_told_breakpoint(object *frame, bool after_call);

#endif
