/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The namespace in which the Python part of an agent (*.py, embedded) runs.  No module table knows it. */
#ifndef CHANNEL_AGENT_NAMESPACE_H
#define CHANNEL_AGENT_NAMESPACE_H

#include "channel/agent/python_api.h"

/* Runs the Python part and its start(), which find there the functions of python_channel.h and the agent's own, a row
 * that ends with a NULL name and stays where it is.  False: a Python exception is set. */
bool namespace_start(const char *source, struct method_def *own);
/* What the Python part calls by that name; borrowed. */
object *named(const char *name);

#endif
