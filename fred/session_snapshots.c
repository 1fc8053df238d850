/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The snapshots that hang on the timeline's nodes, and which of them go when there are too many. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "decompose/thin.h"
#include "fred/session_points.h"
#include "fred/settings.h"

static void forget(struct timeline *t, size_t i)
{
	ckpt_drop(steal_pointer(&t->snapshotted[i]->snapshot));
	t->n_snapshotted--;
	memmove(&t->snapshotted[i], &t->snapshotted[i + 1], (t->n_snapshotted - i) * sizeof *t->snapshotted);
}

void snapshots_drop_all(struct timeline *t)
{
	while (t->n_snapshotted)
		forget(t, t->n_snapshotted - 1);
}

void snapshots_keep(struct timeline *t, struct node *node, struct ckpt_snapshot *snapshot)
{
	for (size_t i = t->n_snapshotted; node->snapshot && i-- > 0;)
		if (t->snapshotted[i] == node)
			forget(t, i);
	if (!snapshot)
		return;
	node->snapshot = snapshot;
	node->taken = ++t->next_taken;
	array_grow(t->snapshotted, t->n_snapshotted);
	t->snapshotted[t->n_snapshotted++] = node;
}

static bool drop_one(struct timeline *t, size_t budget)
{
	struct node **nodes = t->snapshotted;
	size_t n = t->n_snapshotted;
	cleanup_free struct thin_snapshot *list = xcalloc(n, sizeof *list);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct thin_snapshot){
			.seq = nodes[i]->taken,
			.pinned = nodes[i]->checkpoint >= 0 || nodes[i]->origin || nodes[i]->kept || nodes[i] == t->here,
		};
	int pick = thin_pick(list, n, budget, t->next_taken);
	if (pick < 0)
		return false;
	log_info(LOG_SESSION, "thin: drop the snapshot of position %d", nodes[pick]->id);
	forget(t, (size_t)pick);
	return true;
}

/* What several of them share is counted once. */
static bool over_memory(const struct timeline *t)
{
	size_t bytes = points_bytes(t);

	for (size_t i = 0; i < t->n_snapshotted; i++) {
		struct ckpt_info info;
		ckpt_info(t->snapshotted[i]->snapshot, &info);
		bytes += info.share_bytes;
	}
	return bytes >> 20 > (size_t)settings.max_snapshot_memory;
}

void snapshots_thin(struct timeline *t)
{
	while (t->n_snapshotted > (size_t)settings.max_snapshots && drop_one(t, (size_t)settings.max_snapshots))
		;
	while (points_drop_one(t, (size_t)settings.max_snapshots / 4))
		;
	uint64_t began = clock_us();
	if (began < t->weigh_next)
		return;
	while (t->n_points > 2 && over_memory(t) && points_drop_one(t, t->n_points - 1))
		;
	while (t->n_snapshotted > 2 && over_memory(t) && drop_one(t, t->n_snapshotted - 1))
		;
	/* To weigh a snapshot costs 0.2 ms and more (the kernel walks its page tables): 2 % of the time is enough. */
	t->weigh_next = clock_us() + 50 * (clock_us() - began);
}
