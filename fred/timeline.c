/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct timeline *timeline_new(void)
{
	struct timeline *t = xcalloc(1, sizeof *t);

	t->branches = xcalloc(1, sizeof *t->branches);
	t->branches[0].name = xstrdup("main");
	t->n_branches = 1;
	return t;
}

static void strings_free(char **strings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(strings[i]);
	free(strings);
}

void witness_free(struct witness *w)
{
	free(w->place);
	free(w->data);
	*w = (struct witness){0};
}

static void node_free(struct node *node)
{
	free(node->command);
	free(node->given);
	path_free(&node->steps);
	free(node->settings);
	free(node->state);
	free(node->beginning);
	free(node->no_beginning);
	witness_free(&node->witness);
	strings_free(node->reissued, node->n_reissued);
	strings_free(node->looks, node->n_looks);
	buf_free(&node->typed);
	free(node->place.file);
	free(node->place.function);
	free(node->prompt);
	free(node->note);
	free(node);
}

void timeline_free(struct timeline *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_nodes; i++)
		node_free(t->nodes[i]);
	free(t->nodes);
	free(t->snapshotted);
	for (size_t i = 0; i < t->n_branches; i++)
		free(t->branches[i].name);
	free(t->branches);
	undo_free(&t->undo);
	free(t);
}

struct node *timeline_add(struct timeline *t, struct node *parent, const char *command, enum command_class class)
{
	struct node *node = xcalloc(1, sizeof *node);

	node->id = (int)t->n_nodes;
	node->parent = parent;
	node->command = command ? xstrdup(command) : NULL;
	node->class = class;
	node->checkpoint = -1;
	array_grow(t->nodes, t->n_nodes);
	t->nodes[t->n_nodes++] = node;
	t->here = node;
	t->branches[t->branch].head = node;
	return node;
}

struct node *timeline_add_found(struct timeline *t, struct node *base, const char *command, enum command_class class,
				const char *prompt)
{
	struct node *head = t->branches[t->branch].head, *node = timeline_add(t, base, command, class);

	t->branches[t->branch].head = head;
	node->prompt = xstrdup(prompt);
	node->stdin_pos = base->stdin_pos;
	node->ran_us = base->ran_us;
	return node;
}

struct node *timeline_node(struct timeline *t, int id) { return t->nodes[id]; }

struct node *timeline_checkpoint(struct timeline *t, long number)
{
	for (size_t i = 0; i < t->n_nodes; i++)
		if (number >= 0 && t->nodes[i]->checkpoint == number)
			return t->nodes[i];
	return NULL;
}

struct branch *timeline_branch(struct timeline *t, const char *name)
{
	for (size_t i = 0; i < t->n_branches; i++)
		if (!strcmp(t->branches[i].name, name))
			return &t->branches[i];
	return NULL;
}

struct node *timeline_snapshotted(struct node *node)
{
	while (node && !node->snapshot)
		node = node->parent;
	return node;
}

struct node *timeline_origin(struct node *node)
{
	while (node->parent && !node->origin && (node->class != COMMAND_RESTARTS || node->idle))
		node = node->parent;
	return node;
}

bool timeline_is_above(const struct node *above, const struct node *node)
{
	while (node && node != above)
		node = node->parent;
	return node != NULL;
}

struct node *timeline_whole(const struct node *node)
{
	return node->whole ? node->whole : (struct node *)(uintptr_t)node;
}

struct node *timeline_run_start(const struct node *end)
{
	const struct node *whole = timeline_whole(end);
	struct node *start = end->parent;

	while (start->whole == whole)
		start = start->parent;
	return start;
}

/* Is the edge what was left of the command that had led to the parent? */
static bool is_rest(const struct node *node)
{
	const struct node *whole = node->parent ? node->parent->whole : NULL;

	return whole && (whole == node || whole == node->whole);
}

long timeline_commands(const struct node *above, const struct node *node)
{
	long n = 0;

	for (; node && node != above; node = node->parent)
		n += node->command != NULL && !is_rest(node);
	return n;
}

struct node *timeline_last_checkpoint(struct node *node)
{
	while (node->parent && node->checkpoint < 0)
		node = node->parent;
	return node;
}

void timeline_add_look(struct node *node, const char *command)
{
	if (!*command)
		return;
	array_grow(node->looks, node->n_looks);
	node->looks[node->n_looks++] = xstrdup(command);
}

static enum history_class class_for_history(enum command_class class)
{
	switch (class) {
	case COMMAND_LOOKS:
		return HISTORY_LOOKS;
	case COMMAND_DEBUGGER:
		return HISTORY_DEBUGGER;
	case COMMAND_MOVES:
		return HISTORY_MOVES;
	case COMMAND_RESTARTS:
		return HISTORY_RESTARTS;
	default:
		return HISTORY_PROGRAM;
	}
}

static void add_edge(struct history *h, const struct node *node, const struct adapter *adapter)
{
	if (node->command && !node->has_steps && !is_rest(node))
		history_add(h, node->command, class_for_history(node->class));
	for (size_t i = 0; i < node->steps.n; i++)
		history_add_run(h, node->steps.runs[i].word == PATH_STEP ? adapter->step : adapter->next, HISTORY_MOVES,
				node->steps.runs[i].count);
	for (size_t i = 0; i < node->n_reissued; i++)
		history_add(h, node->reissued[i], HISTORY_DEBUGGER);
}

static void add_looks(struct history *h, const struct node *node)
{
	for (size_t i = 0; i < node->n_looks; i++)
		history_add(h, node->looks[i], HISTORY_LOOKS);
}

struct history *timeline_history(const struct node *since, const struct node *node, const struct adapter *adapter)
{
	struct history *h;

	if (node == since || !node->parent) {
		h = xcalloc(1, sizeof *h);
	} else {
		h = timeline_history(since, node->parent, adapter);
		add_edge(h, node, adapter);
	}
	add_looks(h, node);
	return h;
}
