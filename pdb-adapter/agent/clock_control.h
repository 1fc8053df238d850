/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What clock.py calls, and sys.settrace() while a run is counted. */
#ifndef PDB_ADAPTER_AGENT_CLOCK_CONTROL_H
#define PDB_ADAPTER_AGENT_CLOCK_CONTROL_H

#include "channel/agent/python_api.h"

/* Without self but with METH_VARARGS: each returns a new reference or NULL with an exception. */

/* clock_zero(by_line, rest): a run begins at this stop; rest: what is left of the one that was halted here. */
object *py_clock_zero(object *self, object *args);
/* clock_pdb(pdb, fast, skipping, enters): the Pdb at work. */
object *py_clock_pdb(object *self, object *args);
/* clock_set(limit, told, breakpoints or None, observe or None, depth, line, numbers or None): until where, and what to tell. */
object *py_clock_set(object *self, object *args);
/* clock_arm(again): counts from here on, in this thread; again: as before clock_halt(). */
object *py_clock_arm(object *self, object *args);
/* clock_halt(): CPython's own trace function takes our place. */
object *py_clock_halt(object *self, object *args);
/* clock_drop(frame or None): it stays there.  Keeps nothing of pdb's, nor of ours in the frame and its callers. */
object *py_clock_drop(object *self, object *args);
/* clock_prompt(): pdb waits for a line. */
object *py_clock_prompt(object *self, object *args);
/* clock_state() -> running, count, whether the event at hand is a tick, the way to here, prompts of all time. */
object *py_clock_state(object *self, object *args);
/* clock_send(): to fredapp, what was not told yet. */
object *py_clock_send(object *self, object *args);
/* clock_left(id of a frame) -> the tick at which an exception left it. */
object *py_clock_left(object *self, object *args);

/* Before 3.10 a frame's line is right only while it has a trace function; so those that pdb is not called for get one, from
 * this frame outwards, and lose it. */
void control_mark_frames(object *frame, bool on);
/* Calls the interpreter's own sys.settrace(). */
void control_settrace(object *function);
/* What sys.gettrace() answers; a new reference, NULL for None. */
object *control_gettrace(void);
/* The user's own run is counted no more, and CPython's trace function takes our place; known: all of it has been counted. */
void control_uncount(bool known);
/* clock_count(): it is, from here on.  clock_uncount() -> whether it was, up to this prompt. */
object *py_clock_count(object *self, object *args);
object *py_clock_uncount(object *self, object *args);
/* Counts from here on, in this thread, beside that global trace function, NULL: none.  False: an exception is set. */
bool control_arm(object *function);

#endif
