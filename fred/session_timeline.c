/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The verbs that name positions: undo and redo, checkpoints, branches; and what is told about them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "decompose/history.h"
#include "fred/message.h"
#include "fred/session_reverse.h"

static int no_past(struct session *s, struct err *err)
{
	return session_has_past(s) ? 0 : err_set(err, "the debugger has not stopped yet: there is nothing to go back to");
}

static int ready(struct session *s, struct err *err)
{
	if (no_past(s, err))
		return -1;
	return s->state == SESSION_MORE ? err_set(err, "finish the present command first (end, or ^D)") : 0;
}

int session_undo(struct session *s, long n, struct err *err)
{
	struct undo *u = &s->timeline->undo;
	int position;

	if (ready(s, err))
		return -1;
	size_t can = undo_can_undo(u);
	if (can == 0)
		return err_set(err, "nothing to undo");
	size_t done = undo_undo(u, (size_t)n, &position);
	if (travel_show(s, timeline_node(s->timeline, position), err)) {
		undo_redo(u, done, &position);
		return -1;
	}
	if (done < (size_t)n)
		say("only %zu command%s could be undone: this is the first position", done, done == 1 ? "" : "s");
	return 0;
}

int session_redo(struct session *s, long n, struct err *err)
{
	struct undo *u = &s->timeline->undo;
	int position;

	if (ready(s, err))
		return -1;
	if (undo_can_redo(u) == 0)
		return err_set(err, "nothing to redo");
	size_t done = undo_redo(u, (size_t)n, &position);
	if (travel_show(s, timeline_node(s->timeline, position), err)) {
		undo_undo(u, done, &position);
		return -1;
	}
	if (done < (size_t)n)
		say("only %zu command%s could be put back", done, done == 1 ? "" : "s");
	return 0;
}

static bool has_command(const struct history *h, const char *text)
{
	for (size_t i = 0; i < h->n; i++)
		if (!strcmp(h->entries[i].text, text))
			return true;
	return false;
}

/* For the history: the commands that made the settings which `from` has and the present node not, oldest first. */
static void collect_reissued(struct session *s, const struct node *from, struct node *with)
{
	struct node *root = s->timeline->nodes[0];
	struct history *there = timeline_history(root, with, s->adapter);
	struct history *here = timeline_history(root, from, s->adapter);

	for (size_t i = 0; i < here->n; i++) {
		if (here->entries[i].class != HISTORY_DEBUGGER || has_command(there, here->entries[i].text))
			continue;
		array_grow(with->reissued, with->n_reissued);
		with->reissued[with->n_reissued++] = xstrdup(here->entries[i].text);
	}
	history_free(there);
	history_free(here);
	free(there);
	free(here);
}

/* Breakpoints and the like come along, as with every move but undo: the position with these is a node of its own. */
static int bring_settings(struct session *s, struct node *from, char *settings, struct err *err)
{
	struct timeline *t = s->timeline;
	struct node *node = t->here, **head = &t->branches[t->branch].head;
	cleanup_free char *there = NULL;

	if (request_settings(s, &there, err))
		return -1;
	if (!strcmp(there, settings))
		return 0;
	if (request_load_settings(s, settings, err))
		return -1;
	struct node *with = timeline_add_found(t, node, NULL, COMMAND_DEBUGGER, node->prompt);
	if (*head == node)
		*head = with;
	collect_reissued(s, from, with);
	with->settings = xstrdup(settings);
	request_place_of_node(s, with);
	return 0;
}

/* A jump to a known position is a command as any other: undo takes it back. */
static int jump(struct session *s, struct node *node, struct err *err)
{
	cleanup_free char *settings = NULL;
	struct node *from = s->timeline->here;

	if (ready(s, err) || (s->state == SESSION_PROMPT && request_settings(s, &settings, err)) ||
	    travel_show(s, node, err) || (settings && bring_settings(s, from, settings, err)))
		return -1;
	undo_do(&s->timeline->undo, s->timeline->here->id);
	return 0;
}

static const char *place_text(const struct place *place, char *text, size_t size)
{
	const char *slash = place->file ? strrchr(place->file, '/') : NULL;

	if (!place->file)
		snprintf(text, size, "no program");
	else
		snprintf(text, size, "%s:%ld in %s", slash ? slash + 1 : place->file, place->line,
			 place->function ? place->function : "?");
	return text;
}

int session_checkpoint(struct session *s, const char *note, struct err *err)
{
	char where[300];

	if (ready(s, err))
		return -1;
	if (s->state != SESSION_PROMPT)
		return err_set(err, "the debugger has exited; fred-undo goes back before that");
	struct node *here = s->timeline->here;
	uint64_t began = clock_us();
	if (travel_keep_here(s, err))
		return -1;
	double ms = (double)(clock_us() - began) / 1000;
	if (here->checkpoint < 0)
		here->checkpoint = s->timeline->next_checkpoint++;
	free(here->note);
	here->note = note && *note ? xstrdup(note) : NULL;
	request_place_of_node(s, here);
	say("checkpoint %d at %s (%.1f ms)", here->checkpoint, place_text(&here->place, where, sizeof where), ms);
	return 0;
}

static int no_checkpoint(long number, struct err *err)
{
	return err_set(err, "there is no checkpoint %ld; fred-list shows which there are", number);
}

int session_restart(struct session *s, long number, struct err *err)
{
	struct node *node = timeline_checkpoint(s->timeline, number);

	if (no_past(s, err))
		return -1;
	return node ? jump(s, node, err) : no_checkpoint(number, err);
}

int session_delete(struct session *s, long number, struct err *err)
{
	struct node *node = timeline_checkpoint(s->timeline, number);

	if (!node)
		return no_checkpoint(number, err);
	if (node->parent == NULL)
		return err_set(err, "checkpoint 0 is the start of everything and stays");
	node->checkpoint = -1;
	return 0;
}

int session_start(struct session *s, struct err *err)
{
	if (no_past(s, err))
		return -1;
	struct node *here = s->timeline->here;
	struct err lost;

	if (s->state == SESSION_PROMPT) {
		if (travel_keep_here(s, err))
			return -1;
		work_begin(s);
		int r = begin_history(s, err);
		if (r < 0 && travel_to(s, here, &lost))
			log_info(LOG_SESSION, "cannot return either: %s", lost.what);
		work_end(s);
		if (r < 0)
			return -1;
	}
	return jump(s, timeline_origin(here), err);
}

int session_end(struct session *s, struct err *err)
{
	if (no_past(s, err))
		return -1;
	return jump(s, s->timeline->branches[s->timeline->branch].head, err);
}

int session_branch(struct session *s, const char *name, struct err *err)
{
	struct timeline *t = s->timeline;

	if (ready(s, err))
		return -1;
	if (!name || !*name)
		return err_set(err, "fred-branch needs a name");
	if (timeline_branch(t, name))
		return err_set(err, "there is a branch '%s' already; fred-switch %s goes there", name, name);
	if (travel_keep_here(s, err))
		return -1;
	t->branches = xrealloc(t->branches, (t->n_branches + 1) * sizeof *t->branches);
	t->branches[t->n_branches] = (struct branch){xstrdup(name), t->here};
	t->branch = t->n_branches++;
	say("branch %s begins here", name);
	return 0;
}

int session_switch(struct session *s, const char *name, struct err *err)
{
	struct branch *b = name ? timeline_branch(s->timeline, name) : NULL;

	if (!b)
		return err_set(err, "there is no branch '%s'; fred-list shows which there are", name ? name : "");
	size_t was = s->timeline->branch;
	s->timeline->branch = (size_t)(b - s->timeline->branches);
	if (jump(s, b->head, err) == 0)
		return 0;
	s->timeline->branch = was;
	return -1;
}

const char *session_branch_name(const struct session *s, size_t i)
{
	return i < s->timeline->n_branches ? s->timeline->branches[i].name : NULL;
}

/* Settings that were brought along make a node of their own at the same position. */
static bool is_here(const struct timeline *t, const struct node *node)
{
	return timeline_is_above(node, t->here) && timeline_commands(node, t->here) == 0;
}

static void list_node(struct session *s, const struct node *node, struct buf *out)
{
	struct timeline *t = s->timeline;
	struct ckpt_info info = {0};
	char where[300], memory[32] = "-";

	if (node->snapshot) {
		ckpt_info(node->snapshot, &info);
		snprintf(memory, sizeof memory, "%.1f MB", (double)info.private_bytes / (1 << 20));
	}
	buf_printf(out, "%s %-3d %-32s %8.2f s  ", is_here(t, node) ? "*" : " ", node->checkpoint,
		   place_text(&node->place, where, sizeof where), (double)node->ran_us / 1e6);
	if (timeline_is_above(node, t->here)) {
		long n = timeline_commands(node, t->here);
		buf_printf(out, "%3ld command%s since  ", n, n == 1 ? " " : "s");
	} else {
		buf_printf(out, "on another branch   ");
	}
	buf_printf(out, "%8s  %s\n", memory, node->note ? node->note : "");
}

int session_list(struct session *s, struct buf *out, struct err *err)
{
	struct timeline *t = s->timeline;

	if (no_past(s, err))
		return -1;
	request_place_of_node(s, t->here);
	for (int number = 0; number < t->next_checkpoint; number++) {
		struct node *node = timeline_checkpoint(t, number);
		if (node)
			list_node(s, node, out);
	}
	for (size_t i = 0; t->n_branches > 1 && i < t->n_branches; i++)
		buf_printf(out, "%s branch %s\n", i == t->branch ? "*" : " ", t->branches[i].name);
	struct node *last = timeline_last_checkpoint(t->here);
	if (!is_here(t, last)) {
		long n = timeline_commands(last, t->here);
		buf_printf(out, "* here: checkpoint %d and %ld command%s\n", last->checkpoint < 0 ? 0 : last->checkpoint, n,
			   n == 1 ? "" : "s");
	}
	return 0;
}

int session_history(struct session *s, struct buf *out, struct err *err)
{
	if (no_past(s, err))
		return -1;
	struct node *here = s->timeline->here;
	struct history *h = timeline_history(timeline_last_checkpoint(here), here, s->adapter);
	history_render(h, 0, out);
	history_free(h);
	free(h);
	return 0;
}

int session_when(struct session *s, struct buf *out, struct err *err)
{
	struct timeline *t = s->timeline;

	if (no_past(s, err))
		return -1;
	struct node *last = timeline_last_checkpoint(t->here), *head = t->branches[t->branch].head;
	long n = timeline_commands(last, t->here);
	double percent = head->ran_us ? 100.0 * (double)t->here->ran_us / (double)head->ran_us : 100;
	buf_printf(out, "checkpoint %d and %ld command%s; %.0f%% of the timeline; the program has run %.3f s",
		   last->checkpoint < 0 ? 0 : last->checkpoint, n, n == 1 ? "" : "s", percent > 100 ? 100 : percent,
		   (double)t->here->ran_us / 1e6);
	if (t->n_branches > 1)
		buf_printf(out, "; branch %s", t->branches[t->branch].name);
	return 0;
}
