/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pdb waits for a line: how the agent comes to be asked.  What it does then is in prompt.py. */
#ifndef PDB_ADAPTER_AGENT_PROMPT_H
#define PDB_ADAPTER_AGENT_PROMPT_H

#include "channel/agent/python_api.h"

/* The `input` of the modules cmd, pdb and code.  It is no Python function: that would appear as a frame to a user who
 * steps into it. */
object *py_input(object *self, object *args);
/* A Pdb object is being made: see to it that it will call input(). */
void prompt_let_it_ask(void);

#endif
