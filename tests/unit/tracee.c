/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugged program of the ckpt tests: `TEST --tracee ROLE` in any test binary.  It gets commands on a socket, does
 * them, answers.  All state that a test looks at is made and shown by such commands. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TALK_FD 100

static int counter;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (send(TALK_FD, line, (size_t)n, MSG_NOSIGNAL) < 0)
		_exit(3);
}

static void command(const char *c)
{
	if (!strcmp(c, "add"))
		say("%d", ++counter);
	else if (!strcmp(c, "pid"))
		say("%d", getpid());
	else
		say("what?");
}

static void serve(void)
{
	char line[1024];

	say("ready");
	for (;;) {
		ssize_t n = recv(TALK_FD, line, sizeof line - 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			exit(0);
		line[n] = 0;
		command(line);
	}
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "--tracee"))
		return;
	serve();
	exit(0);
}
