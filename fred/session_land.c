/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a part of a long command again at full speed, to somewhere in its middle; and the node there. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "fred/session_split.h"

static int ask_where_landed(struct session *s, struct landing *l, struct err *err)
{
	static const char *const names[] = {"landed", "pass", "many", "vain"};
	struct adapter_event reply;

	if (s->adapter->landed(s->agent, err) || request_reply(s, &reply, -1, err))
		return -1;
	l->how = AT_END;
	for (int i = 0; i < AT_END && reply.n_fields; i++)
		if (!strcmp(reply.fields[0], names[i]))
			l->how = (enum landed)i;
	l->passes = reply.n_fields > 1 ? strtoull(reply.fields[1], NULL, 10) : 0;
	l->state = reply.n_fields > 2 ? xstrdup(reply.fields[2]) : NULL;
	if (reply.n_fields > 4)
		l->at = (struct pass){strtoull(reply.fields[3], NULL, 10), strtoull(reply.fields[4], NULL, 10)};
	adapter_event_free(&reply);
	return 0;
}

/* What was typed at the program between the two. */
static void add_input(const struct node *from, const struct node *to, struct input_rest *rest)
{
	if (to == from)
		return;
	add_input(from, to->parent, rest);
	buf_add(&rest->typed, to->typed.data, to->typed.len);
	rest->eofs += to->eofs;
}

int land(struct session *s, const struct order *order, struct landing *l, struct err *err)
{
	struct input_rest rest = {0};
	struct adapter_event event;
	cleanup_fd int alarm = -1;
	uint64_t ns = 0;

	*l = (struct landing){0};
	if (timeline_is_above(order->from, order->to))
		add_input(order->from, order->to, &rest);
	int r = travel_to(s, order->from, err) || input_feed(s, &rest, err);
	buf_free(&rest.typed);
	if (r)
		return -1;
	s->astray = true;
	if (order->us && (alarm = ckpt_alarm(s->ckpt, order->us, err)) < 0)
		return -1;
	if (s->adapter->land(s->agent, s->adapter->go_on_command, order->pass, order->nth, order->end, err) || run_to_prompt(s, &event, err))
		return -1;
	if (event.kind != ADAPTER_PROMPT)
		return err_set(err, "the debugger asked a question while the program ran");
	adapter_event_free(&event);
	if (alarm >= 0 && read(alarm, &ns, sizeof ns) == sizeof ns)
		l->us = ns / 1000;
	return ask_where_landed(s, l, err);
}

static struct node *found(struct session *s, struct node *from, const char *command, const struct node *after, struct landing *l)
{
	struct node *mid = timeline_add_found(s->timeline, from, command, COMMAND_MOVES, s->prompt);

	mid->partial = true;
	mid->tick = UINT64_MAX;
	mid->whole = after->whole ? after->whole : (struct node *)(uintptr_t)after;
	mid->state = steal_pointer(&l->state);
	mid->at = l->at;
	mid->ran_us = from->ran_us + l->us < after->ran_us ? from->ran_us + l->us : after->ran_us;
	s->astray = false;
	return mid;
}

int land_behind(struct session *s, struct node *from, struct node *whole, struct landing *l, struct node **here, struct err *err)
{
	*here = found(s, from, s->adapter->go_on_command, whole, l);
	(*here)->rest = from->whole != NULL;
	return travel_keep_here(s, err);
}

int land_here(struct session *s, struct node *after, struct landing *l, struct node **here, struct err *err)
{
	struct node *mid = found(s, after->parent, after->command, after, l);

	mid->rest = after->rest;
	mid->calm = after->calm;
	input_settle(s, after, mid);
	if (travel_keep_here(s, err))
		return -1;
	buf_eat(&after->typed, mid->typed.len);
	after->eofs -= mid->eofs;
	after->parent = mid;
	after->rest = true;
	free(after->command);
	after->command = xstrdup(s->adapter->go_on_command);
	*here = mid;
	return 0;
}

void land_instead(struct session *s, struct node *here, struct node *of)
{
	if (of->typed.len || of->eofs)
		return;
	here->parent = of->parent;
	here->rest = of->rest;
	free(here->command);
	here->command = xstrdup(of->command);
	snapshots_keep(s->timeline, of, NULL);
}
