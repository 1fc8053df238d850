/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's end of the channel; protocol.h says what is spoken.
 *
 * Whole messages are read and written here and not in Python: a KeyboardInterrupt between two bytecodes could lose half
 * of one. */
#ifndef PDB_ADAPTER_AGENT_CHANNEL_H
#define PDB_ADAPTER_AGENT_CHANNEL_H

#include "pdb-adapter/agent/python_api.h"

/* Takes over the descriptor. */
bool channel_take(int fd);
/* Is it open, and is the descriptor still ours? */
bool channel_ours(void);
void channel_close(void);

/* What the Python part calls: channel_open, send, send_ticks, receive, flush_c, digest. */
object *py_open(object *self, object *unused);
object *py_send(object *self, object *args);
object *py_send_ticks(object *self, object *ticks);
object *py_receive(object *self, object *unused);
object *py_flush(object *self, object *unused);
object *py_digest(object *self, object *bytes);

#endif
