/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the agent gets in: a library that is preloaded into the user's command.
 *
 * In a process that is no Python (env, a shell script that finds the right python) it does nothing, and the environment
 * reaches the exec that follows.  In Python it puts the environment back as the user had it, adds an audit hook before
 * the interpreter is initialized, and waits for the event "pdb.Pdb", which every Pdb object raises when it is made.
 * Then it runs the Python part (namespace.c). */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel/agent/channel.h"
#include "channel/agent/environment.h"
#include "channel/agent/namespace.h"
#include "pdb-adapter/agent/clock_control.h"
#include "pdb-adapter/agent/clock_last.h"
#include "pdb-adapter/agent/halt.h"
#include "pdb-adapter/agent/prompt.h"

static const char source[] = {
#include "pdb-adapter/agent/source.h"
	0
};

static struct method_def functions[] = {
	{ "input", py_input, METH_VARARGS, NULL },
	{ "clock_zero", py_clock_zero, METH_VARARGS, NULL },
	{ "clock_pdb", py_clock_pdb, METH_VARARGS, NULL },
	{ "clock_set", py_clock_set, METH_VARARGS, NULL },
	{ "clock_arm", py_clock_arm, METH_VARARGS, NULL },
	{ "clock_halt", py_clock_halt, METH_VARARGS, NULL },
	{ "clock_drop", py_clock_drop, METH_VARARGS, NULL },
	{ "clock_prompt", py_clock_prompt, METH_VARARGS, NULL },
	{ "clock_state", py_clock_state, METH_VARARGS, NULL },
	{ "clock_send", py_clock_send, METH_VARARGS, NULL },
	{ "clock_count", py_clock_count, METH_VARARGS, NULL },
	{ "clock_uncount", py_clock_uncount, METH_VARARGS, NULL },
	{ "clock_uncounted", py_clock_uncounted, METH_VARARGS, NULL },
	{ "clock_ticks", py_clock_ticks, METH_VARARGS, NULL },
	{ "clock_last", py_clock_last, METH_VARARGS, NULL },
	{ "clock_left", py_clock_left, METH_VARARGS, NULL },
	{ "halt_take", py_halt_take, METH_VARARGS, NULL },
	{ "halt_signalled", py_halt_signalled, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

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
		if (channel_ours() && !namespace_start(source, functions)) {
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

static bool is_python(void)
{
	return dlsym(RTLD_DEFAULT, "Py_Main") != NULL;
}

/* PySys_AddAuditHook came with Python 3.8.  A pdb without the agent would run, but nobody would know when it is at its prompt. */
static void refuse(void)
{
	const char *(*version)(void) = (const char *(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "Py_GetVersion");
	const char *text = version != NULL ? version() : "of an unknown version";

	fprintf(stderr, "FReD: this Python is %.*s: FReD needs CPython 3.8 or newer: start that one, or debug without fredapp\n",
		(int)strcspn(text, " "), text);
	_exit(2);
}

__attribute__((constructor)) static void preloaded(void)
{
	if (!is_python() || !environment_take("fred-pdb-agent"))
		return;
	if (dlsym(RTLD_DEFAULT, "PySys_AddAuditHook") == NULL || !python_find())
		refuse();
	/* A forked child of the program is not the session.  Snapshots are made by a raw clone, which does not come here. */
	pthread_atfork(NULL, NULL, channel_close);
	PySys_AddAuditHook(hook, NULL);
}
