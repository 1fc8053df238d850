/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which snapshot to drop when there are too many: recent ones stay dense, older ones get exponentially sparser, so that
 * a budget of b snapshots covers a session of any length, and undo replays at most a fraction of the age it goes
 * back by. */
#ifndef DECOMPOSE_THIN_H
#define DECOMPOSE_THIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thin_snapshot {
	uint64_t seq;           /* when it was taken, in commands or any other clock; strictly increasing along the array */
	bool pinned;            /* the user's checkpoint, or in use: never dropped */
};

/* The index of the one to drop, -1 when n <= budget or none may go.  now: the present time on the clock of seq.  The first
 * (oldest) always stays, and so does the last.  Call again until -1. */
int thin_pick(const struct thin_snapshot *snapshots, size_t n, size_t budget, uint64_t now);

#endif
