/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose command is it, and how the agent gets into it. */
#ifndef PDB_ADAPTER_LAUNCH_H
#define PDB_ADAPTER_LAUNCH_H

#include "fred/adapter.h"

/* Does the command end in a Python, as far as its name, or its file's first line, says? */
bool launch_claims(char *const *argv);
/* The library to preload: beside fredapp (a build), in ../lib/fred (installed), or where FRED_AGENT says.  Caller frees;
 * NULL and err: there is none that could be preloaded. */
char *launch_find_agent(struct err *err);
/* Has the command preload that library, which finds its end of the channel at `fd`. */
int launch_prepare(struct adapter_launch *launch, const char *agent, int fd, struct err *err) must_check;

#endif
