/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How an agent gets into the debugger: the library is preloaded into the user's command. */
#ifndef CHANNEL_LAUNCH_H
#define CHANNEL_LAUNCH_H

#include "fred/adapter.h"

/* The library to preload: beside fredapp (a build), in ../lib/fred (installed), or where FRED_AGENT says.  Caller frees;
 * NULL and err: there is none that could be preloaded. */
char *launch_find_agent(const char *library, struct err *err);
/* Has the command preload that file, which finds its end of the channel at `fd`. */
int launch_preload(struct adapter_launch *launch, const char *agent, int fd, struct err *err) must_check;

#endif
