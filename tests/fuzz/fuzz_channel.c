/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The channel from the agent: bytes to events.  The first byte says in pieces of which size the rest arrives. */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "channel/messages.h"
#include "channel/protocol.h"

enum { LARGEST = 1 << 15 };     /* less than a socket holds, with pieces of a byte */

static void add_place(struct buf *seen, const struct place *p)
{
	buf_printf(seen, " (%s %s %ld %u %u %u)", p->file ? p->file : "-", p->function ? p->function : "-", p->line,
		   p->depth, p->selected, p->kind);
}

/* What the session makes of a reply, whatever it had asked. */
static void decode(const struct adapter_event *event, struct buf *seen)
{
	struct place places[2];
	struct machine_value value;
	int found = messages_place(event, &places[0], &places[1]);

	must((found == 0) == (places[0].file != NULL));
	for (int i = 0; i < 2; i++) {
		must(places[i].kind <= MACHINE_EXCEPTION);
		add_place(seen, &places[i]);
		free(places[i].file);
		free(places[i].function);
	}
	found = messages_value(event, &value);
	must(value.text != NULL);
	buf_printf(seen, " %d %d %s", found, value.kind, value.text);
	free(value.text);
}

static void describe(const struct adapter_event *event, struct buf *seen)
{
	const struct machine_stop *s = &event->stop;

	buf_printf(seen, "%d %s %llu %u %u %d%d%d%d%d %llu", event->kind, event->prompt ? event->prompt : "-",
		   (unsigned long long)s->tick, s->depth, s->kind, s->end, s->inside, event->restarted, event->post_mortem,
		   event->failed, event->session_id);
	add_place(seen, &event->place);
	for (size_t i = 0; i < event->n_fields; i++)
		buf_printf(seen, " <%s>", event->fields[i]);
	for (size_t i = 0; i < event->n_ticks; i++) {
		must(event->ticks[i].kind <= MACHINE_ROUGH);
		buf_printf(seen, " %u/%u/%d", event->ticks[i].depth, event->ticks[i].kind, event->ticks[i].breakpoint);
	}
	if (event->kind == ADAPTER_PROMPT || event->kind == ADAPTER_MORE)
		must(event->prompt != NULL);
	if (event->failed)
		must(event->kind == ADAPTER_REPLY && event->n_fields > 0);
	if (event->kind == ADAPTER_REPLY)
		decode(event, seen);
	buf_addch(seen, '\n');
}

/* Takes what has arrived; false: the session would give up now. */
static bool take(struct messages *m, struct buf *seen)
{
	enum adapter_event_kind kind;

	do {
		struct adapter_event event;
		struct err err = { 0 };
		int result = messages_read(m, &event, &err);

		kind = event.kind;
		if (result < 0) {
			must(err.what[0] != '\0');
			buf_printf(seen, "error: %s\n", err.what);
		} else if (kind != ADAPTER_NOTHING) {
			describe(&event, seen);
		}
		adapter_event_free(&event);
		if (result < 0)
			return false;
	} while (kind != ADAPTER_NOTHING && kind != ADAPTER_CLOSED);
	return kind != ADAPTER_CLOSED;
}

static void run(const uint8_t *data, size_t size, size_t piece, struct buf *seen)
{
	struct messages m = { 0 };
	int pair[2];
	bool going = true;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	must(fd_set_nonblocking(pair[0], 1) == 0);
	m.fd = pair[0];
	for (size_t at = 0; going && at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		must(send(pair[1], data + at, n, MSG_DONTWAIT) == (ssize_t)n);
		going = take(&m, seen);
	}
	close(pair[1]);
	if (going) {
		must(!take(&m, seen));
		must(m.closed);
	}
	messages_forget(&m);
	must(m.in.len == 0 && !m.closed);
	close(m.fd);
	buf_free(&m.in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_buf struct buf whole = { 0 }, pieces = { 0 };

	if (size < 2 || size > LARGEST)
		return 0;
	run(data + 1, size - 1, size - 1, &whole);
	run(data + 1, size - 1, (size_t)data[0] + 1, &pieces);
	must(strcmp(buf_str(&whole), buf_str(&pieces)) == 0);
	return 0;
}
