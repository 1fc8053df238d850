/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dropping snapshot i leaves a gap from its older to its younger neighbour.  What that costs is felt in proportion: a gap
 * of 100 commands is nothing for what lies 10,000 back, and much for what lies 100 back.  So the one goes whose gap is
 * the smallest in relation to its age (compared by cross multiplication; both are far below 2^64). */
#include "decompose/thin.h"

static bool cheaper(uint64_t gap, uint64_t age, uint64_t best_gap, uint64_t best_age)
{
	return (unsigned __int128)gap * best_age < (unsigned __int128)best_gap * age;
}

int thin_pick(const struct thin_snapshot *snapshots, size_t n, size_t budget, uint64_t now)
{
	uint64_t best_gap = 0, best_age = 0;
	int best = -1;

	if (n <= budget)
		return -1;
	for (size_t i = 1; i + 1 < n; i++) {
		uint64_t gap = snapshots[i + 1].seq - snapshots[i - 1].seq;
		/* Of the younger neighbour: that is where undo would replay to.  1 more, as it can be 0. */
		uint64_t age = now - snapshots[i + 1].seq + 1;

		if (snapshots[i].pinned)
			continue;
		if (best < 0 || cheaper(gap, age, best_gap, best_age)) {
			best = (int)i;
			best_gap = gap;
			best_age = age;
		}
	}
	return best;
}
