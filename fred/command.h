/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fred commands: one table entry each, found by name, by second name, or by the debugger's users' bare name. */
#ifndef FRED_COMMAND_H
#define FRED_COMMAND_H

#include <stdbool.h>

#include "base/err.h"
#include "fred/adapter.h"
#include "fred/session.h"

struct repl;
struct session;

struct command {
	const char *name;       /* "fred-reverse-step" */
	const char *second;     /* "fred-rs" or NULL */
	const char *usage;      /* its arguments: "[N]" */
	const char *summary;    /* one line for the list */
	const char *text;       /* the paragraph and the example of fred-help NAME */
	/* args: what follows the name, without blanks around it. */
	int (*exec)(struct repl *repl, struct session *session, const char *args, struct err *err);
	bool repeats;           /* an empty line after it does it again */
};

/* Is the line a fred command, in any of its names, the bare ones of `aliases` (NULL: none) included?  Then *args points
 * behind the name; NULL otherwise.  A line that begins with fred- and is none gives NULL and *unknown. */
const struct command *command_find(const char *line, const struct adapter_alias *aliases, const char **args, bool *unknown);
/* A word of another debugger that means a command of this one: `print x` is pdb's `p x`.  The line to send instead, which
 * the caller frees; NULL: send it as it is. */
char *command_translate(const char *line, const struct adapter_alias *aliases);
/* The i-th name of all (names and second names), NULL after the last. */
const char *command_name(int i);
const struct command *command_table(int i);

/* fred/commands_*.c */
extern const struct command travel_commands[], place_commands[], other_commands[];
/* The options of fred-reverse-watch. */
extern const char *const change_options[CHANGES];

/* A count argument: "" is 1; only positive numbers. */
int command_count(const char *args, long *n, struct err *err) must_check;

#endif
