/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Back by instructions.  The statement clock goes back to the start of a statement before now; from there a clock of
 * instructions counts the way to now again, and says which of them is the target.  In the history it is that start and
 * `stepi N`. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_reverse.h"
#include "fred/session_split.h"

/* More than is counted in a day. */
#define ENDLESS 1000000000

struct search {
	struct session *s;
	struct departure d;
	bool over_calls;
	uint64_t n;
	struct node *base;              /* the statement's start that is counted from; NULL: there is none before now */
	bool no_more;
};

/* Its snapshot, settings and input are the base's. */
static int book(struct session *s, struct node *base, uint64_t instructions, struct err *err)
{
	struct place place = {0};
	struct node *node = base;

	if (instructions) {
		cleanup_free char *state = NULL, *command = xasprintf("%s %llu", s->adapter->stepi,
								       (unsigned long long)instructions);
		if (request_state(s, "", &state, err) || request_where(s, &place, NULL, err))
			return -1;
		node = timeline_add_found(s->timeline, base, command, COMMAND_MOVES, s->prompt);
		node->instructions = instructions;
		node->state = steal_pointer(&state);
		node->place = place;
		node->inside = place.inside;
	}
	s->astray = false;
	undo_do(&s->timeline->undo, node->id);
	return 0;
}

int instructions_open(struct session *s, struct node *base, char *until, struct instructions *in, struct err *err)
{
	*in = (struct instructions){.base = base, .command = xasprintf("%s %d", s->adapter->stepi, ENDLESS)};
	if (travel_keep_here(s, err))
		return -1;
	in->end = (struct node){.parent = base, .command = in->command, .class = COMMAND_MOVES, .state = until,
				.by_instruction = true};
	in->m = machine_open_between(s, base, &in->end, &in->fm);
	return 0;
}

void instructions_close(struct instructions *in)
{
	if (in->m)
		machine_close(in->fm);
	free(in->command);
}

int instructions_go(struct session *s, struct instructions *in, struct reverse_target *target, struct err *err)
{
	struct machine_stop stop;

	machine_show(in->fm);
	if (reverse_go(in->m, target, &stop, err))
		return -1;
	s->silent = false;
	if (!target->tick && request_show(s, err))
		return -1;
	return book(s, in->base, target->tick, err);
}

/* From where the machine stands, at the target in its segment, on along the commands to the end of the segment `last`. */
static int go_on(struct session *s, struct departure *d, int segment, int last, struct err *err)
{
	struct machine_stop stop;

	if (machine_run_on(d->fm, UINT64_MAX, &stop, err))
		return -1;
	if (stop.diverged)
		return err_set(err, "the program did not run the same way again");
	for (int i = segment + 1; i <= last; i++)
		if (run_again(s, machine_node(d->fm, i), machine_node(d->fm, i + 1), err))
			return -1;
	return 0;
}

int instructions_until(struct session *s, struct departure *d, const struct reverse_target *base, uint64_t tick, int last,
		       char **state, struct err *err)
{
	struct machine_mark *mark;
	struct machine_stop stop;

	if (d->m->mark(d->m->self, &mark, err))
		return -1;
	int r = tick == UINT64_MAX ? go_on(s, d, base->segment, last, err) : machine_run_on(d->fm, tick, &stop, err);
	if (r == 0)
		r = request_state(s, "", state, err);
	if (r == 0)
		r = d->m->go(d->m->self, mark, &stop, err);
	d->m->drop(d->m->self, mark);
	return r;
}

static int find_back(const struct search *f, struct machine *m, uint64_t n, struct reverse_target *target, struct err *err)
{
	return f->over_calls ? reverse_next(m, n, target, err) : reverse_step(m, n, target, err);
}

/* The session stands at the base.  Looks for the target on the way from there to `now`, and goes there; *enough: it is not
 * farther back. */
static int count_back(struct search *f, char *now, bool *enough, struct err *err)
{
	struct reverse_target target = {0};
	struct instructions in;

	int r = instructions_open(f->s, f->base, now, &in, err);
	if (r == 0)
		r = find_back(f, in.m, f->n, &target, err);
	*enough = !target.no_more || f->no_more;
	if (r == 0 && *enough) {
		f->no_more = target.no_more;
		r = instructions_go(f->s, &in, &target, err);
	}
	reverse_target_free(&target);
	instructions_close(&in);
	return r;
}

/* Statements are taken back 1, 2, 4, ... until the instructions fit in between. */
static int search(struct search *f, struct err *err)
{
	bool enough = false;

	for (uint64_t statements = 1; !enough; statements *= 2) {
		struct reverse_target from = {0};
		struct machine_stop stop;
		char *now = NULL;
		int r;

		do {
			split_limit(f->s, &f->d, f->over_calls);
			reverse_target_free(&from);
			from = (struct reverse_target){0};
			r = find_back(f, f->d.m, statements, &from, err);
		} while (search_again(f->s, &f->d, &from, 0, 0, &r, err));
		travel_due(f->s, f->d.from);
		f->no_more = from.no_more;
		f->base = NULL;
		if (r == 0 && from.moved)
			r = reverse_go(f->d.m, &from, &stop, err);
		if (r == 0 && from.moved)
			r = instructions_until(f->s, &f->d, &from, UINT64_MAX, f->d.m->segments(f->d.m->self) - 1, &now, err);
		if (r == 0 && from.moved && !(f->base = arrival_node(f->s, &f->d, &from, err)))
			r = -1;
		reverse_target_free(&from);
		if (r == 0 && f->base)
			r = count_back(f, now, &enough, err);
		free(now);
		if (r || !f->base)
			return r;
	}
	return 0;
}

int reverse_by_instruction(struct session *s, bool over_calls, uint64_t n, struct err *err)
{
	struct search f = {.s = s, .over_calls = over_calls, .n = n};

	if (!s->adapter->stepi)
		return err_set(err, "%s knows no instructions; fred-reverse-step goes back by statements", s->adapter->name);
	if (depart(s, &f.d, true, err))
		return -1;
	f.d.chain = over_calls ? f.d.depth : 0;
	int r = search(&f, err);
	if (r == 0 && f.no_more)
		say_no_more(s);
	if (r == 0 && !f.base && s->astray)
		r = travel_to(s, f.d.from, err);
	if (r) {
		travel_due(s, f.d.from);
		go_back(s, &f.d, err);
	}
	depart_end(s, &f.d);
	return r;
}
