/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decompose/path.h"

#include <inttypes.h>
#include <stdlib.h>

void path_free(struct path *path)
{
	free(path->runs);
	path->runs = NULL;
	path->n = 0;
}

void path_format(const struct path *path, struct buf *out)
{
	for (size_t i = 0; i < path->n; i++) {
		const char *word = path->runs[i].word == PATH_NEXT ? "next" : "step";
		uint64_t count = path->runs[i].count;

		if (count > 3) {
			buf_printf(out, "%s%s %" PRIu64, i ? ", " : "", word, count);
			continue;
		}
		for (uint64_t j = 0; j < count; j++)
			buf_printf(out, "%s%s", i || j ? ", " : "", word);
	}
}
