/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/messages.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "channel/protocol.h"

enum { MAX_DEPTH = 0xfffff };

static uint32_t u32_of(const char *data)
{
	const unsigned char *d = (const unsigned char *)data;

	return d[0] | (uint32_t)d[1] << 8 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 24;
}

static void split_fields(struct adapter_event *event, const char *body, size_t n)
{
	while (n > 0) {
		size_t len = strnlen(body, n);

		array_grow(event->fields, event->n_fields);
		event->fields[event->n_fields++] = xstrndup(body, len);
		if (len == n)   /* the last NUL is missing: no agent of ours, but no reason to fail */
			break;
		body += len + 1;
		n -= len + 1;
	}
}

static uint64_t number(char *const *fields, size_t n, size_t i)
{
	return i < n ? strtoull(fields[i], NULL, 10) : 0;
}

static int take_ticks(struct adapter_event *event, const char *body, size_t n, struct err *err)
{
	if (n % 4 != 0)
		return err_set(err, "the agent sent a broken trace (%zu bytes)", n);
	event->kind = ADAPTER_TICKS;
	event->n_ticks = n / 4;
	event->ticks = xcalloc(event->n_ticks + 1, sizeof *event->ticks);
	event->tick_ways = xcalloc(event->n_ticks + 1, sizeof *event->tick_ways);
	for (size_t i = 0; i < event->n_ticks; i++) {
		uint32_t v = u32_of(body + 4 * i);

		if ((v & 7) > MACHINE_ROUGH)
			return err_set(err, "the agent sent a broken trace (kind %u)", v & 7);
		if ((v >> 4 & MAX_DEPTH) == MAX_DEPTH)
			return err_set(err, "the program's stack has %u frames or more: too many to go back", MAX_DEPTH);
		event->ticks[i] = (struct machine_tick){ .depth = v >> 4 & MAX_DEPTH, .breakpoint = v >> 3 & 1, .kind = v & 7 };
		event->tick_ways[i] = v >> 24;
	}
	return 0;
}

static int take_message(struct adapter_event *event, int type, const char *body, size_t n, struct err *err)
{
	char **f;

	if (type == MESSAGE_TICKS)
		return take_ticks(event, body, n, err);
	split_fields(event, body, n);
	f = event->fields;
	switch (type) {
	case MESSAGE_HELLO:
		event->kind = ADAPTER_HELLO;
		if (number(f, event->n_fields, 0) != PROTOCOL_VERSION)
			return err_set(err, "the agent is of another version of FReD (protocol %s, not %d)",
				       event->n_fields > 0 ? f[0] : "?", PROTOCOL_VERSION);
		return 0;
	case MESSAGE_PROMPT:
		if (event->n_fields < 9)
			return err_set(err, "the agent sent a prompt with %zu fields", event->n_fields);
		event->kind = ADAPTER_PROMPT;
		event->stop.tick = number(f, event->n_fields, 1);
		event->stop.depth = (uint32_t)number(f, event->n_fields, 2);
		event->stop.kind = (uint8_t)(number(f, event->n_fields, 3) & 3);
		event->stop.end = number(f, event->n_fields, 4) != 0;
		event->stop.inside = number(f, event->n_fields, 5) & 1;
		event->stop.cut = number(f, event->n_fields, 5) & 2;
		event->restarted = number(f, event->n_fields, 6) & 1;
		event->goes_back = number(f, event->n_fields, 6) & 2;
		event->no_program = number(f, event->n_fields, 6) & 4;
		event->several = number(f, event->n_fields, 6) & 8;
		event->post_mortem = number(f, event->n_fields, 7) != 0;
		event->session_id = number(f, event->n_fields, 8);
		event->prompt = xstrdup(f[0]);
		event->place = (struct place){ .line = (long)number(f, event->n_fields, 10), .depth = event->stop.depth,
					       .kind = event->stop.kind };
		event->way = number(f, event->n_fields, 12);
		if (event->n_fields > 11 && *f[9]) {
			event->place.file = xstrdup(f[9]);
			event->place.function = xstrdup(f[11]);
		}
		return 0;
	case MESSAGE_MORE:
		event->kind = ADAPTER_MORE;
		event->prompt = xstrdup(event->n_fields > 0 ? f[0] : "");
		event->harmless = number(f, event->n_fields, 1) != 0;
		event->question = number(f, event->n_fields, 2) != 0;
		return 0;
	case MESSAGE_REPLY:
	case MESSAGE_FAILED:
		event->kind = ADAPTER_REPLY;
		event->failed = type == MESSAGE_FAILED;
		if (event->failed && event->n_fields == 0)
			split_fields(event, "unknown reason", sizeof "unknown reason");
		return 0;
	case MESSAGE_WAYS:
		event->kind = ADAPTER_WAYS;
		return 0;
	case MESSAGE_NOT_HALTED:
		event->kind = ADAPTER_NOT_HALTED;
		return 0;
	case MESSAGE_ALARM:
		event->kind = ADAPTER_ALARM;
		return 0;
	case MESSAGE_ARRIVING:
		event->kind = ADAPTER_ARRIVING;
		event->stop.tick = number(f, event->n_fields, 0);
		event->way = number(f, event->n_fields, 1);
		return 0;
	}
	return err_set(err, "the agent sent a message of unknown type %d", type);
}

/* Reads what there is; 1: something, 0: nothing now, -1: the channel is closed. */
static int fill(struct messages *m)
{
	ssize_t n;

	do
		n = recv(m->fd, buf_room(&m->in, 65536), 65536, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		m->in.len += (size_t)n;
		m->in.data[m->in.len] = '\0';
		return 1;
	}
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
}

int messages_read(struct messages *m, struct adapter_event *event, struct err *err)
{
	*event = (struct adapter_event){ .kind = ADAPTER_NOTHING };
	for (;;) {
		if (m->in.len >= MESSAGE_HEADER) {
			size_t n = u32_of(m->in.data);
			int type = (unsigned char)m->in.data[4], result;

			if (n > MESSAGE_MAX)
				return err_set(err, "the agent sent garbage (a message of %zu bytes)", n);
			if (m->in.len >= MESSAGE_HEADER + n) {
				log_bytes(LOG_AGENT, "from the agent", m->in.data + MESSAGE_HEADER - 1, n + 1);
				result = take_message(event, type, m->in.data + MESSAGE_HEADER, n, err);
				buf_eat(&m->in, MESSAGE_HEADER + n);
				return result;
			}
		}
		switch (m->closed ? -1 : fill(m)) {
		case 0:
			return 0;
		case -1:
			m->closed = true;
			event->kind = ADAPTER_CLOSED;
			return 0;
		}
	}
}

void messages_forget(struct messages *m)
{
	char waste[4096];

	buf_clear(&m->in);
	m->closed = false;
	/* What the abandoned process sent is still in the socket: it is no snapshot's. */
	while (recv(m->fd, waste, sizeof waste, MSG_DONTWAIT) > 0)
		;
}

int messages_send(struct messages *m, int type, struct err *err, const char *const *fields)
{
	cleanup_buf struct buf out = { 0 };
	size_t body = 0;

	for (size_t i = 0; fields != NULL && fields[i] != NULL; i++)
		body += strlen(fields[i]) + 1;
	if (body > MESSAGE_MAX)
		return err_set(err, "too long for the debugger: %zu bytes", body);
	for (int k = 0; k < 4; k++)
		buf_addch(&out, (char)(body >> (8 * k)));
	buf_addch(&out, (char)type);
	for (size_t i = 0; fields != NULL && fields[i] != NULL; i++)
		buf_add(&out, fields[i], strlen(fields[i]) + 1);
	log_bytes(LOG_AGENT, "to the agent", out.data + MESSAGE_HEADER - 1, body + 1);
	for (size_t at = 0; at < out.len;) {
		ssize_t n = send(m->fd, out.data + at, out.len - at, MSG_NOSIGNAL);

		if (n > 0) {
			at += (size_t)n;
		} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			struct pollfd p = { .fd = m->fd, .events = POLLOUT };

			if (poll(&p, 1, 10000) == 0)
				return err_set(err, "the debugger does not read its channel");
		} else if (n == 0 || errno != EINTR) {
			return err_sys(err, "the channel to the debugger");
		}
	}
	return 0;
}

int messages_place(const struct adapter_event *reply, struct place *here, struct place *caller)
{
	struct place *places[] = { here, caller };

	for (size_t i = 0; i < 2; i++) {
		size_t first = 2 + 4 * i;
		char **f = reply->fields;

		*places[i] = (struct place){ .kind = (uint8_t)(number(f, reply->n_fields, 0) & 3),
					     .inside = number(f, reply->n_fields, 0) & 4 };
		if (reply->failed || first + 4 > reply->n_fields)
			continue;
		places[i]->file = xstrdup(f[first]);
		places[i]->line = (long)number(f, reply->n_fields, first + 1);
		places[i]->function = xstrdup(f[first + 2]);
		places[i]->depth = (uint32_t)number(f, reply->n_fields, first + 3);
		places[i]->selected = (uint32_t)number(f, reply->n_fields, 1);
	}
	return here->file != NULL ? 0 : -1;
}

int messages_value(const struct adapter_event *reply, struct machine_value *value)
{
	*value = (struct machine_value){ .kind = MACHINE_UNDEFINED };
	if (reply->failed || reply->n_fields < 2) {
		value->text = xstrdup(reply->n_fields > 0 ? reply->fields[0] : "no answer from the debugger");
		return reply->failed ? 0 : -1;
	}
	value->kind = number(reply->fields, reply->n_fields, 0) ? MACHINE_VALUE : MACHINE_UNDEFINED;
	value->text = xstrdup(reply->fields[1]);
	return 0;
}

int messages_seen(const struct adapter_event *reply, struct machine_seen *seen)
{
	if (reply->n_fields < 8)
		return -1;
	*seen = (struct machine_seen){
		.whole = number(reply->fields, reply->n_fields, 0),
		.changes = strtoull(reply->fields[1], NULL, 10),
		.last = strtoull(reply->fields[2], NULL, 10),
		.value = { .kind = number(reply->fields, reply->n_fields, 3) ? MACHINE_VALUE : MACHINE_UNDEFINED,
			   .text = xstrdup(reply->fields[4]) },
		.valued = number(reply->fields, reply->n_fields, 5),
		.since = strtoull(reply->fields[6], NULL, 10),
		.first = strtoull(reply->fields[7], NULL, 10),
	};
	return 0;
}
