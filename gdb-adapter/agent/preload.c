/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the agent gets in: a library that is preloaded into the user's command.
 *
 * In a process that is no gdb (a shell script that finds the right one) it does nothing, and the environment reaches the
 * exec that follows.  In gdb it puts the environment back as the user had it, so that the program does not inherit it,
 * and from then on stands between gdb and readline. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "channel/agent/channel.h"
#include "channel/agent/environment.h"
#include "channel/agent/python_api.h"
#include "gdb-adapter/agent/prompt.h"
#include "gdb-adapter/agent/readline.h"

/* gdb exports these for libthread_db. */
static bool is_gdb(void)
{
	return dlsym(RTLD_DEFAULT, "ps_getpid") != NULL && dlsym(RTLD_DEFAULT, "ps_pglobal_lookup") != NULL;
}

static void refuse(const char *what)
{
	fprintf(stderr, "FReD: this gdb %s: FReD cannot work with it; install your distribution's gdb 12 or newer\n", what);
	_exit(2);
}

__attribute__((constructor)) static void preloaded(void)
{
	if (!is_gdb() || !environment_take("fred-gdb-agent"))
		return;
	if (!readline_is_shared())
		refuse("has a readline of its own (configured without --with-system-readline)");
	if (!python_find())
		refuse("has no Python in it");
	/* A forked child is not the session.  Snapshots are made by a raw clone, which does not come here. */
	pthread_atfork(NULL, NULL, channel_close);
	agent_is_in_gdb();
}
