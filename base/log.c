/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"

static const char *const names[LOG_AREAS] = {"ckpt", "pty", "agent", "session", "decompose"};
enum log_level log_levels[LOG_AREAS];
static int log_fd = STDERR_FILENO;

static void set(const char *word, size_t len)
{
	const char *colon = memchr(word, ':', len);
	size_t name = colon ? (size_t)(colon - word) : len;
	enum log_level level = colon && !strncmp(colon + 1, "info", 4) ? LOG_INFO : LOG_DEBUG;

	for (int i = 0; i < LOG_AREAS; i++)
		if ((strlen(names[i]) == name && !strncmp(names[i], word, name)) || (name == 3 && !strncmp(word, "all", 3)))
			log_levels[i] = level;
}

int log_open(const char *spec, const char *path, struct err *err)
{
	for (const char *p = spec; p && *p;) {
		size_t n = strcspn(p, ",");
		set(p, n);
		p += n + (p[n] == ',');
	}
	if (path) {
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_sys(err, "open the log %s", path);
		log_fd = fd;
	}
	return 0;
}

void log_line(enum log_area area, const char *fmt, ...)
{
	cleanup_buf struct buf b = {0};
	char text[1000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_printf(&b, "%.3f %s: %s\n", (double)clock_us() / 1000, names[area], text);
	if (fd_write_all(log_fd, b.data, b.len))
		log_fd = STDERR_FILENO;
}

void log_bytes(enum log_area area, const char *what, const char *data, unsigned long n)
{
	cleanup_buf struct buf b = {0};

	if (log_levels[area] < LOG_DEBUG)
		return;
	buf_addescaped(&b, data, n > 300 ? 300 : n);
	log_line(area, "%s %lu bytes: %s%s", what, n, buf_str(&b), n > 300 ? "..." : "");
}
