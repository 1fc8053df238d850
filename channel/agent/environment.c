/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/agent/environment.h"

#include <stdlib.h>
#include <string.h>

#include "channel/agent/channel.h"
#include "channel/protocol.h"

/* LD_PRELOAD as it was before fredapp put the library in front of it. */
static void give_back_preload(const char *library)
{
	const char *value = getenv("LD_PRELOAD"), *rest;
	char *kept;

	if (value == NULL)
		return;
	rest = value + strcspn(value, ": ");
	if (memmem(value, (size_t)(rest - value), library, strlen(library)) == NULL)
		return;
	if (*rest == '\0' || rest[1] == '\0') {
		unsetenv("LD_PRELOAD");
		return;
	}
	kept = strdup(rest + 1);        /* setenv() of a string inside itself */
	if (kept != NULL)
		setenv("LD_PRELOAD", kept, 1);
	free(kept);
}

bool environment_take(const char *library)
{
	const char *fd = getenv(AGENT_FD);
	bool taken;

	if (fd == NULL)
		return false;
	taken = channel_take(atoi(fd));
	unsetenv(AGENT_FD);
	give_back_preload(library);
	return taken;
}
