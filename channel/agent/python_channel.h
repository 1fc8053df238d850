/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an agent's Python part calls: channel_open, send, send_ticks, receive, flush_c, digest. */
#ifndef CHANNEL_AGENT_PYTHON_CHANNEL_H
#define CHANNEL_AGENT_PYTHON_CHANNEL_H

#include "channel/agent/python_api.h"

object *py_open(object *self, object *unused);
object *py_send(object *self, object *args);
object *py_send_ticks(object *self, object *ticks);
object *py_receive(object *self, object *unused);
object *py_flush(object *self, object *unused);
object *py_digest(object *self, object *bytes);

#endif
