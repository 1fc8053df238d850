/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/prompt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel/agent/channel.h"
#include "channel/agent/namespace.h"
#include "channel/protocol.h"
#include "gdb-adapter/agent/calls.h"
#include "gdb-adapter/agent/limit.h"
#include "gdb-adapter/agent/readline.h"
#include "gdb-adapter/agent/hits.h"
#include "gdb-adapter/agent/stride.h"
#include "gdb-adapter/agent/tour.h"

static const char source[] = {
#include "gdb-adapter/agent/source.h"
	0
};

static enum { NO_GDB, NOT_YET, WORKS, BROKEN } agent;
static pthread_t main_thread;

static struct {
	char *text;
	line_handler *handler;          /* NULL: none is installed */
	unsigned installs;              /* counts them */
	bool top;                       /* gdb's own prompt, not one of a command's */
	bool top_comes;                 /* the next one to be installed will be that */
	bool announced;
} prompt;

/* What has come for gdb's event loop to take. */
static struct {
	int type;                       /* 0: nothing */
	const char *body;
	size_t n;
} pending;

/* The event before_prompt: gdb is about to show its own prompt, and for no other does it say so. */
static object *py_before_prompt(object *self, object *args)
{
	prompt.top_comes = true;
	return none();
}

static struct method_def functions[] = {
	{ "before_prompt", py_before_prompt, METH_VARARGS, NULL },
	{ "tell_calls", py_tell_calls, METH_VARARGS, NULL },
	{ "limit_steps", py_limit_steps, METH_VARARGS, NULL },
	{ "hits_arm", py_hits_arm, METH_VARARGS, NULL },
	{ "hits_count", py_hits_count, METH_VARARGS, NULL },
	{ "stride", py_stride, METH_VARARGS, NULL },
	{ "stride_learn", py_stride_learn, METH_VARARGS, NULL },
	{ "stride_tour", py_stride_tour, METH_VARARGS, NULL },
	{ "stride_guard", py_stride_guard, METH_VARARGS, NULL },
	{ "stride_missed", py_stride_missed, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static void report_python_error(void)
{
	if (getenv("FRED_AGENT_DEBUG") != NULL)
		PyErr_Print();
	PyErr_Clear();
}

void agent_is_in_gdb(void)
{
	agent = NOT_YET;
	main_thread = pthread_self();
}

bool is_in_gdb(void)
{
	return agent != NO_GDB;
}

bool agent_works(void)
{
	int gil;

	if (agent == NOT_YET && pthread_equal(pthread_self(), main_thread) && Py_IsInitialized()) {
		gil = PyGILState_Ensure();
		agent = WORKS;
		if (!namespace_start(source, functions)) {
			report_python_error();
			agent = BROKEN;
			channel_close();
		}
		PyGILState_Release(gil);
	}
	return agent == WORKS;
}

void prompt_installed(const char *text, line_handler *handler)
{
	free(prompt.text);
	prompt.text = strdup(text != NULL ? text : "");
	prompt.handler = handler;
	prompt.installs++;
	prompt.top = prompt.top_comes;
	prompt.top_comes = prompt.announced = false;
}

void prompt_removed(void)
{
	prompt.handler = NULL;
}

bool prompt_is_installed(void)
{
	return prompt.handler != NULL && agent == WORKS && pthread_equal(pthread_self(), main_thread);
}

/* Calls a function of the Python part, and takes over the arguments. */
static bool call(const char *name, object *args)
{
	object *result = args == NULL ? NULL : PyObject_CallObject(named(name), args);

	if (result == NULL)
		report_python_error();
	else
		Py_DecRef(result);
	if (args != NULL)
		Py_DecRef(args);
	return result != NULL;
}

static void announce(void)
{
	int gil = PyGILState_Ensure();

	prompt.announced = true;
	if (!call("prompted", Py_BuildValue("(NN)", PyBytes_FromStringAndSize(prompt.text, (ssize_t)strlen(prompt.text)),
					    boolean(prompt.top))))
		channel_send(prompt.top ? MESSAGE_PROMPT : MESSAGE_MORE, prompt.text, strlen(prompt.text) + 1);
	PyGILState_Release(gil);
}

/* The next whole message: true; false when a signal came before it was whole. */
static bool take_message(void)
{
	while (!channel_message(&pending.type, &pending.body, &pending.n)) {
		switch (channel_read()) {
		case CHANNEL_SOME:
			break;
		case CHANNEL_INTERRUPTED:
			return false;
		case CHANNEL_GONE:
			channel_close();
			pending.type = MESSAGE_END_OF_FILE;
			return true;
		}
	}
	return true;
}

/* The channel is readable.  What poll() is to return then for standard input, or -1 and errno. */
static int take_input(void)
{
	if (!take_message()) {
		errno = EINTR;
		return -1;
	}
	if (pending.type != MESSAGE_INTERRUPT)
		return POLLIN;
	/* As the terminal does at ^C: gdb is in the foreground. */
	pending.type = 0;
	raise(SIGINT);
	errno = EINTR;
	return -1;
}

int prompt_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct pollfd *input = NULL;
	int ready, got;

	for (nfds_t i = 0; i < n; i++)
		if (fds[i].fd == STDIN_FILENO && (fds[i].events & POLLIN))
			input = &fds[i];
	if (input == NULL || channel_descriptor() < 0)
		return real_poll(fds, n, timeout);
	if (timeout != 0 && !prompt.announced)
		announce();
	input->fd = channel_descriptor();
	ready = pending.type != 0 ? 0 : real_poll(fds, n, timeout);
	input->fd = STDIN_FILENO;
	if (pending.type != 0) {        /* taken by an earlier call, and gdb turned to another descriptor first */
		input->revents = POLLIN;
		return 1;
	}
	if (ready <= 0 || input->revents == 0)
		return ready;
	got = take_input();
	if (got < 0)
		return -1;
	input->revents = (short)got;
	return ready;
}

/* To gdb, as readline does. */
static void give_line(char *line)
{
	unsigned before = prompt.installs;
	line_handler *handler = prompt.handler;

	readline_ends(line == NULL);
	/* May leave by longjmp(). */
	handler(line);
	if (prompt.handler != NULL && prompt.installs == before)
		prompt.announced = false;       /* readline would show the same prompt again */
}

static void call_python(const char *name, int type, const char *body, size_t n)
{
	int gil = PyGILState_Ensure();

	call(name, Py_BuildValue("(iN)", type, PyBytes_FromStringAndSize(body, (ssize_t)n)));
	PyGILState_Release(gil);
}

void prompt_read(void)
{
	int type = pending.type;

	pending.type = 0;
	switch (type) {
	case 0:
		break;
	case MESSAGE_LINE:
	case MESSAGE_END_OF_FILE:
		if (prompt.top)
			call_python("line_comes", type, pending.body, type == MESSAGE_LINE ? pending.n : 0);
		give_line(type == MESSAGE_LINE ? strndup(pending.body, pending.n) : NULL);
		break;
	case MESSAGE_CLOCK_RUN:
	case MESSAGE_MEASURE:
	case MESSAGE_BEGIN:
	case MESSAGE_LAND:
	case MESSAGE_HITS:
		call_python("prepare", type, pending.body, pending.n);
		give_line(strdup("server python __fred__()"));
		break;
	default:
		call_python("serve", type, pending.body, pending.n);
	}
}
