/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fredapp: options, and from start to exit. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/doctor.h"
#include "fred/editor.h"
#include "fred/message.h"
#include "fred/repl.h"
#include "fred/session.h"
#include "fred/settings.h"
#include "fred/terminal.h"

#define VERSION "0.1.0"

static const char usage[] =
	"Usage: fredapp [options] [--] DEBUGGER-COMMAND...\n"
	"Puts itself in front of a debugger and makes it reversible.\n"
	"\n"
	"  fredapp gdb --args ./prog args           gdb 12 or newer\n"
	"  fredapp python3 -m pdb script.py args\n"
	"  fredapp python3 script.py                a program that calls breakpoint()\n"
	"  fredapp pytest --pdb\n"
	"\n"
	"  -x FILE      run the commands in FILE, then go on interactively\n"
	"  -e COMMAND   run one command first; can be given again\n"
	"  --batch      with -x or -e: leave when the commands are done; no colour, no questions\n"
	"  --log FILE   write a log for bug reports\n"
	"  --debug      with all details\n"
	"  --doctor     say what this machine allows, and what to do about the rest\n"
	"  --version, --help\n"
	"\n"
	"At the prompt, fred-help lists the commands.  See also fredapp(1), fred-commands(7).\n";

struct options {
	struct repl_options repl;
	bool debug, doctor;
	const char *log;
	char **argv;
};

static int bad_usage(void)
{
	fputs("Try fredapp --help.\n", stderr);
	return 2;
}

/* -1 to go on, else the exit status. */
static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"batch", no_argument, NULL, 'b'}, {"log", required_argument, NULL, 'l'},
		{"debug", no_argument, NULL, 'd'}, {"doctor", no_argument, NULL, 'D'},
		{"version", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+x:e:h", longs, NULL)) != -1) {
		switch (c) {
		case 'x':
			o->repl.script = optarg;
			break;
		case 'e':
			array_grow(o->repl.commands, o->repl.n_commands);
			o->repl.commands[o->repl.n_commands++] = optarg;
			break;
		case 'b':
			o->repl.batch = true;
			break;
		case 'l':
			o->log = optarg;
			break;
		case 'd':
			o->debug = true;
			break;
		case 'D':
			o->doctor = true;
			break;
		case 'v':
			puts("fredapp " VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return bad_usage();
		}
	}
	o->argv = argv + optind;
	if (!o->doctor && !*o->argv) {
		fputs("FReD: which debugger? For example: fredapp gdb ./prog, or fredapp python3 -m pdb script.py\n", stderr);
		return bad_usage();
	}
	return -1;
}

static int debug_it(struct options *o)
{
	struct session_options so = {.argv = o->argv, .stdin_is_input = o->repl.stdin_is_input};
	struct session *session;
	struct err err;

	outer_save();
	if (session_open(&session, &so, &err)) {
		say_error("%s", err.what);
		return 2;
	}
	if (!o->repl.batch)
		editor_open();
	int status = repl_run(session, &o->repl);
	session_close(session);
	outer_set(OUTER_AS_FOUND);
	if (!o->repl.batch)
		editor_close();
	return status;
}

/* With one of the standard descriptors closed, the next file opened would get its number and be taken for the user. */
static void fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
			_exit(2);
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct err err;

	fill_standard_descriptors();
	int status = parse(argc, argv, &o);

	if (status >= 0)
		return status;
	const char *areas = getenv("FRED_LOG");
	if (log_open(o.debug ? "all:debug" : areas ? areas : o.log ? "all:info" : NULL, o.log, &err)) {
		say_error("%s", err.what);
		return 2;
	}
	if (o.doctor)
		return doctor();
	if (settings_read_files(&err)) {
		say_error("%s", err.what);
		return 2;
	}
	/* A script leaves stdin to the program.  Without a human there is nothing to edit lines for. */
	o.repl.stdin_is_input = (o.repl.script || o.repl.n_commands) && (o.repl.batch || !isatty(STDIN_FILENO));
	o.repl.batch = o.repl.batch || !isatty(STDIN_FILENO);
	status = debug_it(&o);
	free(o.repl.commands);
	return status;
}
