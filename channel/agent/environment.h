/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fredapp left in the environment for the agent. */
#ifndef CHANNEL_AGENT_ENVIRONMENT_H
#define CHANNEL_AGENT_ENVIRONMENT_H

#include <stdbool.h>

/* Takes the channel, and puts the environment back as the user had it, without the preloaded library of that name.
 * False: there is no channel.  Only in the debugger itself: other processes pass the environment on. */
bool environment_take(const char *library);

#endif
