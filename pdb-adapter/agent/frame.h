/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a frame of the program tells, in every CPython from 3.8 on: by functions of the interpreter where it has them, by
 * attributes where it has not. */
#ifndef PDB_ADAPTER_AGENT_FRAME_H
#define PDB_ADAPTER_AGENT_FRAME_H

#include <stdbool.h>

#include "channel/agent/python_api.h"

/* Call it in a Python function of ours that has not looked at its own frame.  False: this Python lacks what is needed. */
bool frame_api(void);

/* New references; NULL: there is none, without an exception set. */
object *frame_code(object *frame);
object *frame_globals(object *frame);
object *frame_locals(object *frame);

/* The caller's frame or NULL; borrowed, since it lives as long as the callee runs. */
object *frame_back(object *frame);
int frame_depth(object *frame);
int frame_line(object *frame);
int frame_instruction(object *frame);

/* Its f_trace; a new reference or NULL. */
object *frame_trace(object *frame);
/* NULL: none.  Keeps an exception that is set. */
void frame_set_trace(object *frame, object *function);

/* What CPython does around a call of a Python trace function, since before 3.13 f_locals is a copy: brings it up to date
 * (from 3.11 on if somebody has read it), and takes what was assigned there.  False: an exception is set. */
bool frame_show_locals(object *frame);
void frame_take_locals(object *frame);

#endif
