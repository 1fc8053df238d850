/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A signal of fredapp's own brings a program that runs, freshly restored from the middle of a long command, to a prompt.
 *
 * CPython's handler takes it: sleeps and the like come back at once (PEP 475), computing Python at the next bytecode, a C
 * function that looks for no signals when it returns.  Then the clock is armed, as if the command had begun here, and halts at
 * the next stop that `step` would make (halt.py).  A call that waits is not waited for: the clock halts inside it, and it goes on
 * with what is left.  Nothing is changed that the program or pdb could notice, and what is left of the command can be run. */
#ifndef PDB_ADAPTER_AGENT_HALT_H
#define PDB_ADAPTER_AGENT_HALT_H

#include "channel/agent/python_api.h"

/* halt_take(_signal.signal, handler): from now on the signal calls the handler.  In the main thread only. */
object *py_halt_take(object *self, object *args);
/* halt_signalled(number, frame): that handler. */
object *py_halt_signalled(object *self, object *args);
/* The agent is at work at a prompt, and is no more: a signal that has come meanwhile comes again.  That of a point from before the
 * command was read. */
void halt_hold(void);
void halt_now(void);

#endif
