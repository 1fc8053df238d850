/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reverse-watch over the starts of segments, each of them a snapshot. */
#include "decompose/watch_priv.h"

int watch_at_boundary(struct watch *w, int i, struct machine_value *value)
{
	struct machine_stop stop;

	if (watch_trace_to(w, i) < 0)
		return -1;
	if (!watch_alive(w, i)) {
		*value = (struct machine_value){ .kind = MACHINE_UNBORN };
		return 0;
	}
	if (walk_enter(w->m, i, &stop, w->err) < 0)
		return -1;
	return watch_eval(w, 0, 0, value);
}

int watch_halve_boundaries(struct watch *w, int *lo, int hi, struct machine_value *before)
{
	while (hi - *lo > 1) {
		int mid = *lo + (hi - *lo) / 2;
		struct machine_value value;

		if (watch_at_boundary(w, mid, &value) < 0)
			return -1;
		if (watch_differs(&value, &w->now)) {
			watch_value_free(before);
			*before = value;
			*lo = mid;
		} else {
			watch_value_free(&value);
			hi = mid;
		}
	}
	return 0;
}

int watch_boundaries(struct watch *w, int *lo, struct machine_value *before)
{
	int hi = w->n, stride = 1;

	for (;;) {
		*lo = hi > stride ? hi - stride : 0;
		if (watch_at_boundary(w, *lo, before) < 0)
			return -1;
		if (watch_differs(before, &w->now))
			break;
		watch_value_free(before);
		if (*lo == 0) {
			*lo = -1;
			return 0;
		}
		while (hi > *lo)
			watch_forget(w, --hi);
		stride *= 2;
	}
	return watch_halve_boundaries(w, lo, hi, before);
}
