/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads commands (scripts, -e, a human with readline, or a stdin that is no terminal), and has each executed. */
#ifndef FRED_REPL_H
#define FRED_REPL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "fred/session.h"

struct repl_options {
	char **commands;        /* -e, in order */
	size_t n_commands;
	const char *script;     /* -x or NULL */
	bool batch;             /* no readline; leave when the commands are used up */
	bool stdin_is_input;    /* never read commands from stdin */
};

struct repl;

/* Runs until the user leaves.  Returns fredapp's exit status: the debugger's own where it ended, 1 after a script's
 * error in batch mode, else 0. */
int repl_run(struct session *session, const struct repl_options *options);
/* fred-source: its lines come next. */
int repl_source(struct repl *repl, const char *path, struct err *err) must_check;

#endif
