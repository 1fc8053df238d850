/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Going to a position: restore its snapshot, or the nearest one above it and run the rest again. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_priv.h"
#include "fred/terminal.h"

void work_begin(struct session *s)
{
	s->internal = s->silent = true;
	s->work_since = clock_us();
	s->work_most = s->patience.most = 0;
	outer_set(OUTER_QUIET);
}

void work_tell(struct session *s, char *doing)
{
	if (doing) {
		free(s->doing);
		s->doing = doing;
	}
	double seconds = (double)(clock_us() - s->work_since) / 1e6, most = (double)s->work_most / 1e6;

	if (most > seconds)
		progress_line("%s, %.0f of %.0f s; ^C stops", s->doing, seconds, most);
	else
		progress_line("%s, %.0f s; ^C stops", s->doing ? s->doing : "at work", seconds);
}

void work_end(struct session *s)
{
	progress_end();
	free(steal_pointer(&s->doing));
	s->internal = s->silent = false;
	outer_rest();
	snapshots_thin(s->timeline);
}

int travel_keep_here(struct session *s, struct err *err)
{
	struct node *here = s->timeline->here;
	struct ckpt_snapshot *snapshot;

	if (here->snapshot || here->ended)
		return 0;
	request_place_of_node(s, here);
	if (ckpt_snapshot(s->ckpt, &snapshot, err))
		return -1;
	snapshots_keep(s->timeline, here, snapshot);
	return 0;
}

/* The last of the present, before it is given up.  The debugger may be reading meanwhile: what it gets dies with it. */
static void leave(struct session *s)
{
	session_drain(s);
	s->adapter->take_back(s->agent);
}

void travel_between(void *session)
{
	struct session *s = session;

	s->adapter->reset(s->agent);
	input_discard(s);
	s->patience.most = 0;
}

/* A restore has failed: before the present was killed it is as it was, and it may go on. */
static int not_restored(struct session *s)
{
	if (!ckpt_leader(s->ckpt))
		s->state = SESSION_ENDED;
	return -1;
}

/* Into the state that the session was in when the snapshot was taken: at a prompt, long since told to us. */
static void restored(struct session *s, const char *prompt)
{
	free(s->prompt);
	s->prompt = xstrdup(prompt);
	s->state = SESSION_PROMPT;
	s->quitting = false;
}

int travel_restore(struct session *s, const struct ckpt_snapshot *snapshot, const char *prompt, int signal, struct err *err)
{
	cleanup_free char *copy = xstrdup(prompt);

	leave(s);
	if (signal ? ckpt_restore_signalled(s->ckpt, snapshot, signal, err) : ckpt_restore(s->ckpt, snapshot, NULL, err))
		return not_restored(s);
	restored(s, copy);
	return 0;
}

/* Restores a node's snapshot.  The first time that a position without a snapshot is left, its memory becomes one. */
static int restore_node(struct session *s, struct node *node, bool here_is_live, struct err *err)
{
	struct node *here = s->timeline->here;
	struct ckpt_snapshot *abandoned = NULL;
	bool keep = here_is_live && !here->snapshot && !here->ended && s->state == SESSION_PROMPT;

	leave(s);
	int r = ckpt_restore(s->ckpt, node->snapshot, keep ? &abandoned : NULL, err);
	if (r && keep && ckpt_leader(s->ckpt)) {
		/* The present cannot be kept, its program killed by somebody say.  All the more reason to leave it. */
		log_info(LOG_SESSION, "the present is lost: %s", err->what);
		r = ckpt_restore(s->ckpt, node->snapshot, NULL, err);
	}
	if (r)
		return not_restored(s);
	if (abandoned)
		snapshots_keep(s->timeline, here, abandoned);
	restored(s, node->prompt);
	return 0;
}

/* Where the command that leads to `node` is run from: what it was split into need not be gone through, but for who reads where. */
static struct node *start_of(const struct node *from, const struct node *node)
{
	struct node *start = node->parent;

	while (start != from && start->whole == node && !start->typed.len && !start->eofs)
		start = start->parent;
	return start;
}

/* Edges from a snapshotted node down to `node`. */
static int run_down(struct session *s, struct node *from, struct node *node, struct err *err)
{
	if (node == from)
		return 0;
	struct node *start = start_of(from, node);
	if (run_down(s, from, start, err))
		return -1;
	return run_again(s, start, node, err);
}

/* A command that go_on_command cannot end (split_rest_end()) is run from its start, with all that the debugger does at its end. */
static struct node *nearest(const struct session *s, struct node *node)
{
	struct node *from = timeline_snapshotted(node);

	while (from && from->whole && timeline_is_above(from->whole, node) && split_rest_end(s, from->whole).pc)
		from = timeline_snapshotted(timeline_run_start(from));
	return from;
}

int travel_to(struct session *s, struct node *node, struct err *err)
{
	struct node *from;

	err_set(err, "there is no snapshot to go back to (see fredapp --doctor)");
	for (;;) {
		from = nearest(s, node);
		if (!from)
			return -1;
		/* Where the session has been moved off its node by work under way, there is nothing at `here` to keep. */
		if (restore_node(s, from, !s->astray, err) == 0)
			break;
		/* A snapshot that is no good, killed by the machine for its memory say, costs that position only. */
		say_error("lost the snapshot of a position: %s", err->what);
		snapshots_keep(s->timeline, from, NULL);
	}
	s->astray = true;
	if (run_down(s, from, node, err))
		return -1;
	s->astray = false;
	s->timeline->here = node;
	s->in.pos = s->stdin_is_input ? node->stdin_pos : s->in.pos;
	/* The position is reached all the same. */
	if (from != node && travel_keep_here(s, err))
		log_info(LOG_SESSION, "not kept: %s", err->what);
	return 0;
}

void travel_due(struct session *s, struct node *node)
{
	s->astray |= s->timeline->here != node;
	s->timeline->here = node;
}

int travel_show(struct session *s, struct node *node, struct err *err)
{
	struct node *was = s->timeline->here;
	struct err lost;

	if (node->ended && node->command)
		return err_set(err, "the debugger has exited there, after `%s`: nothing can be shown", node->command);
	if (node->ended)
		return err_set(err, "the debugger had been killed there: nothing can be shown");
	s->cancelled = false;
	work_begin(s);
	int r = travel_to(s, node, err);
	if (r && was->snapshot && travel_to(s, was, &lost))
		log_info(LOG_SESSION, "cannot return either: %s", lost.what);
	work_end(s);
	return r ? -1 : request_show(s, err);
}
