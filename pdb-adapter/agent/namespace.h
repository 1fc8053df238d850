/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The namespace in which the Python part of the agent (*.py, embedded) runs.  No module table knows it. */
#ifndef PDB_ADAPTER_AGENT_NAMESPACE_H
#define PDB_ADAPTER_AGENT_NAMESPACE_H

#include "pdb-adapter/agent/python_api.h"

/* Runs the Python part and its start().  False: a Python exception is set. */
bool namespace_start(void);
/* What the Python part calls by that name; borrowed. */
object *named(const char *name);

#endif
