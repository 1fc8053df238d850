/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the agent gets in: a library that is preloaded into the user's command.
 *
 * In a process that is no Python (env, a shell script that finds the right python) it does nothing, and the environment
 * reaches the exec that follows.  In Python it puts the environment back as the user had it, adds an audit hook before
 * the interpreter is initialized, and waits for the event "pdb.Pdb", which every Pdb object raises when it is made.
 * Then it runs the Python part (namespace.c). */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pdb-adapter/agent/channel.h"
#include "pdb-adapter/agent/namespace.h"
#include "pdb-adapter/agent/prompt.h"

static enum { NOT_YET, STARTING, STARTED } state;       /* the GIL guards it; `lock` too where it becomes STARTED */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;

/* Another thread, which needs the GIL for it, is starting the agent: two came to a breakpoint() at the same time. */
static void await_start(void)
{
	void *thread = PyEval_SaveThread();

	pthread_mutex_lock(&lock);
	while (state == STARTING)
		pthread_cond_wait(&started, &lock);
	pthread_mutex_unlock(&lock);
	PyEval_RestoreThread(thread);
}

static void say_started(void)
{
	pthread_mutex_lock(&lock);
	state = STARTED;
	pthread_cond_broadcast(&started);
	pthread_mutex_unlock(&lock);
}

static int hook(const char *event, object *args, void *data)
{
	if (strcmp(event, "pdb.Pdb") != 0)
		return 0;
	if (state == STARTING)
		await_start();
	if (state == NOT_YET) {
		state = STARTING;
		if (channel_ours() && !namespace_start()) {
			/* The user's pdb works without us; fredapp sees the channel close. */
			if (getenv("FRED_AGENT_DEBUG") != NULL)
				PyErr_Print();
			PyErr_Clear();
			channel_close();
		}
		say_started();
	}
	if (channel_ours())
		prompt_let_it_ask();
	return 0;
}

/* LD_PRELOAD as it was before fredapp put this library in front of it. */
static void give_back_preload(void)
{
	const char *value = getenv("LD_PRELOAD"), *rest;
	char *kept;

	if (value == NULL)
		return;
	rest = value + strcspn(value, ": ");
	if (memmem(value, (size_t)(rest - value), "fred-pdb-agent", strlen("fred-pdb-agent")) == NULL)
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

__attribute__((constructor)) static void preloaded(void)
{
	const char *fd = getenv("FRED_AGENT_FD");
	bool taken;

	if (fd == NULL || dlsym(RTLD_DEFAULT, "PySys_AddAuditHook") == NULL)
		return;
	taken = channel_take(atoi(fd));
	unsetenv("FRED_AGENT_FD");
	give_back_preload();
	if (!taken || !python_find())
		return;
	/* A forked child of the program is not the session.  Snapshots are made by a raw clone, which does not come here. */
	pthread_atfork(NULL, NULL, channel_close);
	PySys_AddAuditHook(hook, NULL);
}
