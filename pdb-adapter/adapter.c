/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugger pdb, for the session: its channel's life, its requests, its names. */
#include "pdb-adapter/adapter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "pdb-adapter/launch.h"
#include "pdb-adapter/messages.h"
#include "pdb-adapter/protocol.h"

struct pdb_adapter {
	struct messages messages;
	int theirs;             /* the other end of the channel; -1 once the debugger has it */
};

static int pdb_open(void **self, struct adapter_launch *launch, struct err *err)
{
	cleanup_free char *agent = launch_find_agent(err);
	struct pdb_adapter *a;
	int pair[2];

	if (agent == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "socketpair");
	if (fd_set_nonblocking(pair[0], 1) < 0 || fcntl(pair[1], F_SETFD, 0) < 0) {
		err_sys(err, "fcntl of the channel to pdb");
		goto close_pair;
	}
	if (launch_prepare(launch, agent, pair[1], err) < 0)
		goto close_pair;
	a = xcalloc(1, sizeof *a);
	a->messages.fd = pair[0];
	a->theirs = pair[1];
	*self = a;
	return 0;
close_pair:
	close(pair[0]);
	close(pair[1]);
	return -1;
}

static void pdb_spawned(void *self)
{
	struct pdb_adapter *a = self;

	if (a->theirs >= 0)
		close(a->theirs);
	a->theirs = -1;
}

static void pdb_close(void *self)
{
	struct pdb_adapter *a = self;

	if (a == NULL)
		return;
	pdb_spawned(a);
	close(a->messages.fd);
	buf_free(&a->messages.in);
	free(a);
}

static int pdb_fd(void *self)
{
	struct pdb_adapter *a = self;

	/* A closed channel is readable for ever. */
	return a->messages.closed ? -1 : a->messages.fd;
}

static int pdb_read_event(void *self, struct adapter_event *event, struct err *err)
{
	struct pdb_adapter *a = self;

	return messages_read(&a->messages, event, err);
}

static void pdb_reset(void *self)
{
	struct pdb_adapter *a = self;

	messages_forget(&a->messages);
}

#define SEND(self, type, err, ...) \
	messages_send(&((struct pdb_adapter *)(self))->messages, type, err, \
		      (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static int pdb_line(void *self, const char *text, struct err *err)
{
	return SEND(self, MESSAGE_LINE, err, text);
}

static int pdb_eof(void *self, struct err *err)
{
	return SEND(self, MESSAGE_END_OF_FILE, err);
}

static int pdb_interrupt(void *self, struct err *err)
{
	return SEND(self, MESSAGE_INTERRUPT, err);
}

static int pdb_classify(void *self, const char *text, struct err *err)
{
	return SEND(self, MESSAGE_CLASSIFY, err, text);
}

static int pdb_complete(void *self, const char *text, size_t start, size_t end, struct err *err)
{
	char from[24], to[24];

	snprintf(from, sizeof from, "%zu", start);
	snprintf(to, sizeof to, "%zu", end);
	return SEND(self, MESSAGE_COMPLETE, err, text, from, to);
}

static int pdb_where(void *self, struct err *err)
{
	return SEND(self, MESSAGE_WHERE, err);
}

static int pdb_show(void *self, struct err *err)
{
	return SEND(self, MESSAGE_SHOW, err);
}

static int pdb_state(void *self, struct err *err)
{
	return SEND(self, MESSAGE_STATE, err);
}

static int pdb_eval(void *self, const char *expr, uint32_t depth, struct err *err)
{
	char number_[16];

	snprintf(number_, sizeof number_, "%u", depth);
	return SEND(self, MESSAGE_EVAL, err, expr, number_);
}

static int pdb_settings_save(void *self, struct err *err)
{
	return SEND(self, MESSAGE_SETTINGS_SAVE, err);
}

static int pdb_settings_load(void *self, const char *saved, struct err *err)
{
	return SEND(self, MESSAGE_SETTINGS_LOAD, err, saved);
}

static int pdb_clock_run(void *self, const char *text, uint64_t limit, bool trace, const char *breakpoints,
			 bool show, const char *until, struct err *err)
{
	char number_[24];

	snprintf(number_, sizeof number_, "%llu", (unsigned long long)limit);
	return SEND(self, MESSAGE_CLOCK_RUN, err, text != NULL ? "1" : "0", text != NULL ? text : "", number_,
		    trace ? "1" : "0", breakpoints != NULL ? breakpoints : "", show ? "1" : "0", until != NULL ? until : "");
}

static int pdb_go_on(void *self, struct err *err)
{
	return SEND(self, MESSAGE_GO_ON, err);
}

/* `rc` and the like may be variables of the program: pdb gets the long names only. */
static const struct adapter_alias aliases[] = {
	{ "reverse-step", "fred-reverse-step" },
	{ "reverse-next", "fred-reverse-next" },
	{ "reverse-finish", "fred-reverse-finish" },
	{ "reverse-continue", "fred-reverse-continue" },
	/* In Python 3 `print x` is a syntax error, so that nothing is taken from anybody. */
	{ "print", "p" },
	{ NULL, NULL },
};

const struct adapter pdb_adapter = {
	.name = "pdb", .aliases = aliases, .step = "step", .next = "next",
	.claims = launch_claims, .open = pdb_open, .spawned = pdb_spawned, .close = pdb_close, .fd = pdb_fd,
	.read_event = pdb_read_event, .reset = pdb_reset,
	.line = pdb_line, .eof = pdb_eof, .interrupt = pdb_interrupt,
	.classify = pdb_classify, .complete = pdb_complete, .where = pdb_where, .show = pdb_show, .place_of = messages_place,
	.eval = pdb_eval, .value_of = messages_value,
	.settings_save = pdb_settings_save, .settings_load = pdb_settings_load,
	.state = pdb_state, .clock_run = pdb_clock_run, .go_on = pdb_go_on,
};
