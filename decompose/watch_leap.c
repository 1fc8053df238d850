/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a mark to a position, by a leap where the machine has any: nothing but the values there is asked for. */
#include "decompose/watch_priv.h"

/* 1: there; 0: the leap was cut, and the machine is anywhere. */
static int leap(struct watch *w, uint64_t position, struct machine_stop *stop)
{
	int rc = w->m->leap(w->m->self, position, 0, stop, w->err);

	if (rc < 0 || stop->cut)
		return rc;
	return walk_check_reached(position, stop, w->err) < 0 ? -1 : 1;
}

int watch_go_to(struct watch *w, int segment, struct machine_mark *mark, uint64_t marked, uint64_t position,
		struct machine_stop *stop)
{
	if (watch_go(w, mark, marked, stop) < 0)
		return -1;
	if (position <= marked)
		return 0;
	if (w->m->leap && position <= w->segments[segment].end) {
		int rc = leap(w, position, stop);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
		if (watch_go(w, mark, marked, stop) < 0)
			return -1;
	}
	return watch_run(w, segment, position, stop);
}
