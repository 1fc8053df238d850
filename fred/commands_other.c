/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands about FReD itself. */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fred/command.h"
#include "fred/message.h"
#include "fred/repl.h"
#include "fred/session.h"
#include "fred/settings.h"
#include "fred/words.h"

static int source(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return *args ? repl_source(repl, args, err) : err_set(err, "fred-source needs a file");
}

static int set(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	cleanup_free char *words = xstrdup(args);
	char *save, *name = strtok_r(words, " \t", &save);

	if (!name)
		return err_set(err, "fred-set needs a name and a value; fred-show lists the settings");
	return settings_set(name, strtok_r(NULL, " \t", &save), err);
}

static int show(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	cleanup_buf struct buf b = {0};

	if (settings_show(args, &b, err))
		return -1;
	return put_output(STDOUT_FILENO, buf_str(&b), b.len) ? err_sys(err, "write") : 0;
}

static int help_one(const char *name, struct buf *b, const struct session *s, struct err *err)
{
	const char *args;
	bool unknown;
	cleanup_free char *full = strncmp(name, "fred-", 5) ? xasprintf("fred-%s", name) : xstrdup(name);
	const struct command *c = command_find(full, session_aliases(s), &args, &unknown);

	if (!c)
		c = command_find(name, session_aliases(s), &args, &unknown);
	if (!c) {
		const char *near = nearest_word(full, command_name);
		return err_set(err, "there is no command '%s'%s%s%s; fred-help lists them", name, near ? "; did you mean " : "",
			       near ? near : "", near ? "?" : "");
	}
	buf_printf(b, "%s %s", c->name, c->usage);
	if (c->second)
		buf_printf(b, "   (short: %s)", c->second);
	buf_printf(b, "\n%s.\n%s\n", c->summary, c->text);
	return 0;
}

static int help(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	cleanup_buf struct buf b = {0};

	if (*args && help_one(args, &b, s, err))
		return -1;
	for (int i = 0; !*args && command_table(i); i++) {
		const struct command *c = command_table(i);
		cleanup_free char *head = xasprintf("%s%s%s %s", c->name, c->second ? ", " : "", c->second ? c->second : "",
						    c->usage);
		buf_printf(&b, "%-46s %s\n", head, c->summary);
	}
	if (!*args)
		buf_addstr(&b, "Everything else goes to the debugger.  fred-help NAME explains one command; see also "
			       "fred-commands(7).\n");
	return put_output(STDOUT_FILENO, buf_str(&b), b.len) ? err_sys(err, "write") : 0;
}

const struct command other_commands[] = {
	{"fred-source", NULL, "FILE", "run the commands in a file",
	 "One command a line, fred commands and the debugger's; # begins a comment line.  Stops at the first FReD error,\n"
	 "unless - stands in front of the line.\n"
	 "Example: `fred-source hunt.fred`.",
	 source, false},
	{"fred-set", NULL, "NAME VALUE", "change a setting",
	 "fred-show lists the settings.  ~/.config/fred/fredrc and ./.fredrc hold such lines.\n"
	 "Example: `fred-set max-snapshots 50`.",
	 set, false},
	{"fred-show", NULL, "[NAME]", "show settings with their meaning and default", "Example: `fred-show eval-timeout`.",
	 show, false},
	{"fred-help", NULL, "[NAME]", "list the fred commands, or explain one", "Example: `fred-help reverse-watch`.", help, false},
	{0},
};
