/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ckpt/ reads of /proc/PID: timers, and maps, in which the program chooses names.  The parsers are nobody else's
 * business, so the files come in whole. */
#include "tests/fuzz/fuzz.h"

#include "ckpt/resource/shared_memory.c"
#include "ckpt/resource/timers.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	struct ckpt_thread threads[2] = { { .tid = 17 }, { .tid = 4711 } };
	struct ckpt_proc process = { .threads = threads, .n = 2 };
	struct posix_timer timer;
	struct area area;

	for (const char *at = text, *next; (next = parse_timer(at, &process, &timer)) != NULL; at = next) {
		must(next > at && next <= text + strlen(text));
		must(timer.thread < process.n);
	}
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		(void)parse_area(line, &area);
	}
	return 0;
}
