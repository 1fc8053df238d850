/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The snapshots that hang on the timeline's nodes, and which of them go when there are too many. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "decompose/thin.h"
#include "fred/session_priv.h"
#include "fred/settings.h"

void snapshots_drop_all(struct timeline *t)
{
	for (size_t i = 0; i < t->n_nodes; i++)
		ckpt_drop(steal_pointer(&t->nodes[i]->snapshot));
}

void snapshots_keep(struct timeline *t, struct node *node, struct ckpt_snapshot *snapshot)
{
	ckpt_drop(node->snapshot);
	node->snapshot = snapshot;
	node->taken = ++t->next_taken;
}

/* The snapshots in the order they were taken. */
static size_t collect(const struct timeline *t, struct node **nodes)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_nodes; i++)
		if (t->nodes[i]->snapshot)
			nodes[n++] = t->nodes[i];
	for (size_t i = 1; i < n; i++)          /* nearly sorted: nodes are made in the order of their snapshots */
		for (size_t j = i; j > 0 && nodes[j - 1]->taken > nodes[j]->taken; j--) {
			struct node *swap = nodes[j];
			nodes[j] = nodes[j - 1];
			nodes[j - 1] = swap;
		}
	return n;
}

static bool drop_one(struct timeline *t, struct node **nodes, size_t n, size_t budget)
{
	cleanup_free struct thin_snapshot *list = xcalloc(n, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct thin_snapshot){
			.seq = nodes[i]->taken,
			.pinned = nodes[i]->checkpoint >= 0 || nodes[i]->origin || nodes[i] == t->here,
		};
	int pick = thin_pick(list, n, budget, t->next_taken);
	if (pick < 0)
		return false;
	log_info(LOG_SESSION, "thin: drop the snapshot of position %d", nodes[pick]->id);
	ckpt_drop(steal_pointer(&nodes[pick]->snapshot));
	return true;
}

static bool over_memory(struct node **nodes, size_t n)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		struct ckpt_info info;
		ckpt_info(nodes[i]->snapshot, &info);
		bytes += info.private_bytes;
	}
	return bytes >> 20 > (size_t)settings.max_snapshot_memory;
}

void snapshots_thin(struct timeline *t)
{
	cleanup_free struct node **nodes = xcalloc(t->n_nodes + 1, sizeof(struct node *));
	size_t n = collect(t, nodes);

	while (n > (size_t)settings.max_snapshots && drop_one(t, nodes, n, (size_t)settings.max_snapshots))
		n = collect(t, nodes);
	uint64_t began = clock_us();
	if (began < t->weigh_next)
		return;
	while (n > 2 && over_memory(nodes, n) && drop_one(t, nodes, n, n - 1))
		n = collect(t, nodes);
	/* To weigh a snapshot costs 0.2 ms and more (the kernel walks its page tables): 2 % of the time is enough. */
	t->weigh_next = clock_us() + 50 * (clock_us() - began);
}
