/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running a part of a long command again at full speed, to somewhere in its middle; and the node there. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "fred/session_split.h"

int land_ask(struct session *s, struct landing *l, struct err *err)
{
	static const char *const names[] = {"landed", "pass", "many", "vain", "hit"};
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
	l->is_stop = reply.n_fields > 5 && !strcmp(reply.fields[5], "1");
	adapter_event_free(&reply);
	return 0;
}

void land_input(const struct node *from, const struct node *to, struct input_rest *rest)
{
	if (to == from)
		return;
	land_input(from, to->parent, rest);
	buf_add(&rest->typed, to->typed.data, to->typed.len);
	rest->eofs += to->eofs;
}

static bool is_at(const struct node *node, const struct landing *l)
{
	return node->state && l->state && !strcmp(node->state, l->state);
}

static int send(struct session *s, const struct order *order, struct err *err)
{
	const struct adapter *a = s->adapter;
	const struct node *whole = timeline_whole(order->to);
	struct pass at = split_rest_end(s, whole);
	const struct pass *end = order->end ? order->end : at.pc ? &at : NULL;

	if (order->hits)
		return a->hits(s->agent, a->go_on_command, order->hits, order->nth, order->most, order->exactly, end,
			       order->to == whole && !whole->partial ? whole->state : NULL, err);
	return a->land(s->agent, a->go_on_command, order->pass, order->nth, end, err);
}

int land(struct session *s, const struct order *order, struct landing *l, struct err *err)
{
	struct input_rest rest = {0};
	struct adapter_event event;
	cleanup_fd int alarm = -1;
	uint64_t ns = 0;

	*l = (struct landing){0};
	if (!order->input && timeline_is_above(order->from, order->to))
		land_input(order->from, order->to, &rest);
	int r = travel_to(s, order->from, err) || input_feed(s, order->input ? order->input : &rest, err);
	buf_free(&rest.typed);
	if (r)
		return -1;
	s->astray = true;
	if (order->us && (alarm = ckpt_alarm(s->ckpt, order->us, 0, err)) < 0)
		return -1;
	if (send(s, order, err) || run_to_prompt(s, &event, err))
		return -1;
	bool prompt = event.kind == ADAPTER_PROMPT;
	adapter_event_free(&event);
	if (!prompt)
		return err_set(err, "the debugger asked a question while the program ran");
	if (alarm >= 0 && read(alarm, &ns, sizeof ns) == sizeof ns)
		l->us = ns / 1000;
	if (land_ask(s, l, err))
		return -1;
	if (order->until && is_at(order->until, l))
		l->how = AT_END;
	return 0;
}

bool land_between(const struct node *from, const struct node *end, const struct landing *l)
{
	return (l->how == LANDED || l->how == AT_PASS) && !is_at(from, l) && !is_at(end, l);
}

static struct node *found(struct session *s, struct node *from, const char *command, const struct node *after, struct landing *l)
{
	struct node *mid = timeline_add_found(s->timeline, from, command, COMMAND_MOVES, s->prompt);

	mid->partial = true;
	mid->tick = UINT64_MAX;
	mid->whole = timeline_whole(after);
	mid->state = steal_pointer(&l->state);
	mid->at = l->at;
	mid->ran_us = from->ran_us + l->us < after->ran_us ? from->ran_us + l->us : after->ran_us;
	s->astray = false;
	return mid;
}

int land_behind(struct session *s, struct node *from, struct node *whole, struct landing *l, struct node **here, struct err *err)
{
	*here = found(s, from, s->adapter->go_on_command, whole, l);
	return travel_keep_here(s, err);
}

int land_here(struct session *s, struct node *after, struct landing *l, struct node **here, struct err *err)
{
	struct node *mid = found(s, after->parent, after->command, after, l);

	mid->calm = after->calm;
	mid->still = after->still;
	input_settle(s, after, mid);
	if (travel_keep_here(s, err))
		return -1;
	buf_eat(&after->typed, mid->typed.len);
	after->eofs -= mid->eofs;
	after->parent = mid;
	if (after->whole || after->given)
		free(after->command);
	else
		after->given = after->command;
	after->command = xstrdup(s->adapter->go_on_command);
	after->died = 0;                /* what was counted from another start */
	if (after->partial) {
		after->tick = UINT64_MAX;
		after->way = 0;
	}
	*here = mid;
	return 0;
}

void land_out(struct session *s, struct node *mid, struct node *next)
{
	struct buf typed = {0};

	buf_add(&typed, buf_str(&mid->typed), mid->typed.len);
	buf_add(&typed, buf_str(&next->typed), next->typed.len);
	buf_free(&next->typed);
	next->typed = typed;
	next->eofs += mid->eofs;
	next->died = 0;
	next->still = mid->still < next->still ? mid->still : next->still;
	if (next->partial) {
		next->tick = UINT64_MAX;
		next->way = 0;
	}
	next->parent = mid->parent;
	free(next->command);
	next->command = xstrdup(mid->command);
	if (next->parent->whole != next)
		free(steal_pointer(&next->given));
	if (!mid->kept)
		snapshots_keep(s->timeline, mid, NULL);
}

void land_instead(struct session *s, struct node *here, struct node *of)
{
	if (of->typed.len || of->eofs)
		return;
	here->parent = of->parent;
	free(here->command);
	here->command = xstrdup(of->command);
	snapshots_keep(s->timeline, of, NULL);
}
