/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fredapp's end of the channel: bytes to events, requests to bytes.  protocol.h says what is spoken. */
#ifndef CHANNEL_MESSAGES_H
#define CHANNEL_MESSAGES_H

#include "fred/adapter.h"

struct messages {
	int fd;                 /* a non-blocking socket; the holder closes it */
	bool closed;            /* the agent is gone */
	struct buf in;          /* what has arrived of messages that were not taken yet */
};

/* Takes one message: see struct adapter, read_event. */
int messages_read(struct messages *m, struct adapter_event *event, struct err *err) must_check;
/* Drops all that has arrived, the end too: the agent of a snapshot is back. */
void messages_forget(struct messages *m);
/* Fields end with a NULL.  A request is small, and the agent reads when it is asked: this does not block for long. */
int messages_send(struct messages *m, int type, struct err *err, const char *const *fields) must_check;

/* The replies to MESSAGE_WHERE and MESSAGE_EVAL: see struct adapter, place_of and value_of. */
int messages_place(const struct adapter_event *reply, struct place *here, struct place *caller) must_check;
int messages_seen(const struct adapter_event *reply, struct machine_seen *seen) must_check;
int messages_value(const struct adapter_event *reply, struct machine_value *value) must_check;

#endif
