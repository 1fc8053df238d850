/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/gdb_help.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"

#define PROMPT "(gdb) "

static char seen[1 << 20];

const char *g_until(struct t_session *t, const char *end)
{
	size_t n = 0, length = strlen(end);

	seen[0] = 0;
	for (;;) {
		if (n >= length && !strcmp(seen + n - length, end))
			return seen;
		/* One byte: what comes after `end` is for the next one to read. */
		ssize_t got = n < sizeof seen - 1 ? read(t->master, seen + n, 1) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			fail_msg("gdb is gone after: %s", seen);
		n += (size_t)got;
		seen[n] = 0;
	}
}

void g_type(struct t_session *t, const char *text)
{
	if (write(t->master, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("write: %s", strerror(errno));
}

static const char *do_line(struct t_session *t, const char *fmt, va_list ap)
{
	char line[1024];

	vsnprintf(line, sizeof line - 1, fmt, ap);
	strcat(line, "\n");
	g_type(t, line);
	const char *out = g_until(t, PROMPT);
	if (getenv("G_SHOW"))
		fprintf(stderr, "%s%s", line, out);
	return out;
}

const char *g_do(struct t_session *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *out = do_line(t, fmt, ap);
	va_end(ap);
	return out;
}

void g_expect(struct t_session *t, const char *part, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *out = do_line(t, fmt, ap);
	va_end(ap);
	if (!strstr(out, part))
		fail_msg("%s: not in: %s", part, out);
}

char *g_look(struct t_session *t, const char *const *commands)
{
	char *all = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&all, &n);

	for (; *commands; commands++)
		fprintf(f, "%s: %s\n", *commands, g_do(t, "%s", *commands));
	fclose(f);
	return all;
}

void g_start_with(struct t_session *t, const char *role, const char *arg, enum ckpt_isolation isolation)
{
	char self[PATH_MAX];
	struct err err;

	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
	char *argv[] = {
		"gdb", "-q", "-nx", "-iex", "set pagination off", "-iex", "set confirm off", "-iex", "set debuginfod enabled off",
		"-iex", "set width 0", "-iex", "set style enabled off", "--args", self, "--traced", (char *)role, (char *)arg, NULL,
	};
	if (ckpt_probe(isolation, &err) < 0) {
		print_message("[  SKIPPED ] here this cannot run: %s\n", err.what);
		skip();
	}
	setenv("TERM", "dumb", 1);
	if (t_try(t, argv, isolation) < 0) {
		print_message("[  SKIPPED ] here this cannot run: %s\n", t->err.what);
		skip();
	}
	struct termios modes;
	tcgetattr(t->slave, &modes);
	modes.c_lflag &= ~(tcflag_t)ECHO;
	modes.c_oflag &= ~(tcflag_t)ONLCR;
	tcsetattr(t->slave, TCSANOW, &modes);
	g_until(t, PROMPT);
	if (ckpt_watch_probe(&err) < 0) {
		print_message("watchpoints in software, for %s\n", err.what);
		g_do(t, "set can-use-hw-watchpoints 0");
	}
}

void g_start(struct t_session *t, const char *role)
{
	g_start_with(t, role, NULL, CKPT_ISOLATION_AUTO);
}

void g_end(struct t_session *t)
{
	assert_string_equal(t->warnings, "");
	t_end(t);
}
