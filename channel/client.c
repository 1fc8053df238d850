/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/client.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "channel/launch.h"
#include "channel/messages.h"
#include "channel/protocol.h"

struct client {
	struct messages messages;
	int theirs;             /* the other end of the channel, kept: see client_take_back() */
};

int client_open(void **self, struct adapter_launch *launch, const char *library, struct err *err)
{
	cleanup_free char *agent = launch_find_agent(library, err);
	struct client *a;
	int pair[2];

	if (agent == NULL)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "socketpair");
	if (fd_set_nonblocking(pair[0], 1) < 0 || fcntl(pair[1], F_SETFD, 0) < 0) {
		err_sys(err, "fcntl of the channel");
		goto close_pair;
	}
	if (launch_preload(launch, agent, pair[1], err) < 0)
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

void client_spawned(void *self)
{
	struct client *a = self;

	fcntl(a->theirs, F_SETFD, FD_CLOEXEC);
}

void client_close(void *self)
{
	struct client *a = self;

	if (a == NULL)
		return;
	close(a->theirs);
	close(a->messages.fd);
	buf_free(&a->messages.in);
	free(a);
}

int client_fd(void *self)
{
	struct client *a = self;

	/* A closed channel is readable for ever. */
	return a->messages.closed ? -1 : a->messages.fd;
}

int client_read_event(void *self, struct adapter_event *event, struct err *err)
{
	struct client *a = self;

	return messages_read(&a->messages, event, err);
}

/* What lies in the socket is no part of any process, and so of no snapshot: a restored agent would take the request that
 * the abandoned one has not read for its own, and the answer to it would be taken for the answer to the next. */
void client_take_back(void *self)
{
	struct client *a = self;
	char waste[4096];

	while (recv(a->theirs, waste, sizeof waste, MSG_DONTWAIT) > 0)
		;
}

void client_reset(void *self)
{
	struct client *a = self;

	messages_forget(&a->messages);
}

#define SEND(self, type, err, ...) \
	messages_send(&((struct client *)(self))->messages, type, err, \
		      (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static const char *in_digits(char digits[24], uint64_t number)
{
	snprintf(digits, 24, "%" PRIu64, number);
	return digits;
}

/* Lives as long as the block it is in. */
#define NUMBER(number) in_digits((char[24]){0}, number)

int client_line(void *self, const char *text, struct err *err)
{
	return SEND(self, MESSAGE_LINE, err, text);
}

int client_eof(void *self, struct err *err)
{
	return SEND(self, MESSAGE_END_OF_FILE, err);
}

int client_interrupt(void *self, struct err *err)
{
	return SEND(self, MESSAGE_INTERRUPT, err);
}

int client_classify(void *self, const char *text, struct err *err)
{
	return SEND(self, MESSAGE_CLASSIFY, err, text);
}

int client_complete(void *self, const char *text, size_t start, size_t end, struct err *err)
{
	return SEND(self, MESSAGE_COMPLETE, err, text, NUMBER(start), NUMBER(end));
}

int client_where(void *self, struct err *err)
{
	return SEND(self, MESSAGE_WHERE, err);
}

int client_show(void *self, struct err *err)
{
	return SEND(self, MESSAGE_SHOW, err);
}

int client_state(void *self, const char *command, struct err *err)
{
	return SEND(self, MESSAGE_STATE, err, command);
}

int client_measure(void *self, const char *command, const char *state, struct err *err)
{
	return SEND(self, MESSAGE_MEASURE, err, command, state);
}

int client_beginning(void *self, const char *text, struct err *err)
{
	return SEND(self, MESSAGE_BEGINNING, err, text);
}

int client_begin(void *self, const char *where, struct err *err)
{
	return SEND(self, MESSAGE_BEGIN, err, where);
}

int client_land(void *self, const char *text, const struct pass *pass, uint64_t nth, const struct pass *end, struct err *err)
{
	return SEND(self, MESSAGE_LAND, err, text, NUMBER(pass ? pass->pc : 0), NUMBER(pass ? pass->sp : 0), NUMBER(nth),
		    NUMBER(end ? end->pc : 0), NUMBER(end ? end->sp : 0));
}

int client_hits(void *self, const char *text, const char *settings, uint64_t nth, uint64_t most, bool exactly,
		const struct pass *end, const char *state, struct err *err)
{
	return SEND(self, MESSAGE_HITS, err, text, settings, NUMBER(nth), NUMBER(most), NUMBER(exactly), NUMBER(end ? end->pc : 0),
		    NUMBER(end ? end->sp : 0), state ? state : "");
}

int client_landed(void *self, struct err *err)
{
	return SEND(self, MESSAGE_LANDED, err);
}

int client_call_of(void *self, uint32_t depth, struct err *err)
{
	return SEND(self, MESSAGE_CALL_OF, err, NUMBER(depth));
}

int client_last_stop(void *self, uint32_t depth, struct err *err)
{
	return SEND(self, MESSAGE_LAST_STOP, err, NUMBER(depth));
}

int client_eval(void *self, const char *expr, uint32_t depth, struct err *err)
{
	return client_eval_in(self, expr, depth, NULL, err);
}

int client_eval_in(void *self, const char *expr, uint32_t depth, const char *language, struct err *err)
{
	return SEND(self, MESSAGE_EVAL, err, expr, NUMBER(depth), language);    /* NULL: the message ends before it */
}

int client_observe(void *self, const char *expr, uint32_t depth, const char *language, struct err *err)
{
	return SEND(self, MESSAGE_OBSERVE, err, expr, NUMBER(depth), language);
}

int client_observed(void *self, struct err *err)
{
	return SEND(self, MESSAGE_OBSERVED, err);
}

int client_frame_for(void *self, const char *expr, uint32_t depth, struct err *err)
{
	return SEND(self, MESSAGE_FRAME_FOR, err, expr, NUMBER(depth));
}

int client_watch_changes(void *self, const char *expr, uint32_t depth, const char *statement, uint64_t halt,
			 uint64_t halt_pass, struct err *err)
{
	return SEND(self, MESSAGE_WATCH_CHANGES, err, expr, NUMBER(depth), statement, NUMBER(halt), NUMBER(halt_pass));
}

int client_changed_by(void *self, struct err *err)
{
	return SEND(self, MESSAGE_CHANGED_BY, err);
}

int client_forget_changes(void *self, struct err *err)
{
	return SEND(self, MESSAGE_FORGET_CHANGES, err);
}

int client_witness(void *self, bool other_run, struct err *err)
{
	return SEND(self, MESSAGE_WITNESS, err, NUMBER(other_run));
}

int client_alone(void *self, bool really, struct err *err)
{
	return SEND(self, MESSAGE_ALONE, err, NUMBER(really));
}

int client_settings_save(void *self, struct err *err)
{
	return SEND(self, MESSAGE_SETTINGS_SAVE, err);
}

int client_settings_load(void *self, const char *saved, struct err *err)
{
	return SEND(self, MESSAGE_SETTINGS_LOAD, err, saved);
}

int client_clock_run(void *self, const char *text, uint64_t limit, enum adapter_trace trace, uint32_t watched,
			 const char *breakpoints, const char *show, const char *until, bool by_instruction, struct err *err)
{
	cleanup_free char *shown = show ? xasprintf("1%s", show) : xstrdup("0");

	return SEND(self, MESSAGE_CLOCK_RUN, err, NUMBER(text != NULL), text != NULL ? text : "", NUMBER(limit), NUMBER((uint64_t)trace),
		    breakpoints != NULL ? breakpoints : "", shown, until != NULL ? until : "",
		    NUMBER(by_instruction), NUMBER(watched));
}

int client_go_on(void *self, struct err *err)
{
	return SEND(self, MESSAGE_GO_ON, err);
}

int client_halt(void *self, struct err *err)
{
	return SEND(self, MESSAGE_HALT, err);
}
