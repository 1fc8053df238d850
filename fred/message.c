/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

static bool progress_shown;

static void vsay(int fd, const char *fmt, va_list ap)
{
	cleanup_buf struct buf b = {0};
	char text[2000];

	progress_end();
	vsnprintf(text, sizeof text, fmt, ap);
	buf_printf(&b, "FReD: %s\n", text);
	/* A reader that has gone away shows at the next program output; a message has nobody else to tell. */
	if (fd_write_all(fd, b.data, b.len))
		return;
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(STDOUT_FILENO, fmt, ap);
	va_end(ap);
}

void say_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(STDERR_FILENO, fmt, ap);
	va_end(ap);
}

int put_output(int fd, const char *data, unsigned long n)
{
	progress_end();
	return fd_write_all(fd, data, n);
}

void progress_line(const char *fmt, ...)
{
	cleanup_buf struct buf b = {0};
	struct winsize size;
	char text[300];
	va_list ap;

	const char *term = getenv("TERM");
	if (!isatty(STDERR_FILENO) || !term || !strcmp(term, "dumb"))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* What does not fit would begin a line that nobody wipes. */
	int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 8 ? size.ws_col - 7 : (int)sizeof text;
	buf_printf(&b, "\r\033[KFReD: %.*s", columns, text);
	progress_shown = fd_write_all(STDERR_FILENO, b.data, b.len) == 0;
}

void progress_end(void)
{
	if (!progress_shown)
		return;
	progress_shown = false;
	if (fd_write_all(STDERR_FILENO, "\r\033[K", 4))
		return;
}
