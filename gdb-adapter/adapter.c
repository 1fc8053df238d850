/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugger gdb, for the session: its names, and how it is started. */
#include "gdb-adapter/adapter.h"

#include <string.h>

#include "channel/client.h"

/* What gdb's and rr's users know; in gdb no variable of the program can be meant. */
static const struct adapter_alias aliases[] = {
	{ "reverse-step", "fred-reverse-step" },
	{ "rs", "fred-reverse-step" },
	{ "reverse-next", "fred-reverse-next" },
	{ "rn", "fred-reverse-next" },
	{ "reverse-finish", "fred-reverse-finish" },
	{ "reverse-continue", "fred-reverse-continue" },
	{ "rc", "fred-reverse-continue" },
	{ "undo", "fred-undo" },
	{ "redo", "fred-redo" },
	{ "when", "fred-when" },
	{ "checkpoint", "fred-checkpoint" },
	{ "restart", "fred-restart" },
	{ "info checkpoints", "fred-list" },
	{ "delete checkpoint", "fred-delete" },
	{ NULL, NULL },
};

/* gdb, gdb-multiarch, x86_64-linux-gnu-gdb, gdb-12.1: by the name alone. */
static bool gdb_claims(char *const *argv)
{
	const char *slash, *name, *at;

	if (argv[0] == NULL)
		return false;
	slash = strrchr(argv[0], '/');
	name = slash != NULL ? slash + 1 : argv[0];
	if (strcmp(name, "env") == 0) {
		for (argv++; *argv != NULL && (**argv == '-' || strchr(*argv, '=') != NULL); argv++)
			;
		return *argv != NULL && strcmp(*argv, "env") != 0 && gdb_claims(argv);
	}
	at = strstr(name, "gdb");
	return at != NULL && (at == name || at[-1] == '-') && strchr("-.0123456789", at[3]) != NULL;
}

/* An option in one of its spellings: -tui, --tui, -pid=3. */
static bool is_option(const char *word, const char *name)
{
	size_t n = strlen(name);

	word += *word == '-';
	word += *word == '-' && word[1] != '\0';
	return strncmp(word, name, n) == 0 && (word[n] == '\0' || word[n] == '=');
}

/* What could not be taken back, or not be shown, is said before gdb starts. */
static int check_options(char *const *argv, struct err *err)
{
	for (argv++; *argv != NULL && !is_option(*argv, "args"); argv++) {
		if (**argv != '-')
			continue;
		if (is_option(*argv, "p") || is_option(*argv, "pid"))
			return err_set(err, "FReD can take back only a program that gdb has started itself: leave out %s and use run", *argv);
		if (is_option(*argv, "tui"))
			return err_set(err, "gdb's text interface draws on the whole screen, which fredapp cannot show: leave out %s", *argv);
		if (is_option(*argv, "i") || is_option(*argv, "interpreter"))
			return err_set(err, "FReD works with gdb's command line: leave out %s", *argv);
	}
	return 0;
}

static int gdb_open(void **self, struct adapter_launch *launch, struct err *err)
{
	if (check_options(launch->argv, err))
		return -1;
	return client_open(self, launch, "fred-gdb-agent.so", err);
}

const struct adapter gdb_adapter = {
	.name = "gdb", .aliases = aliases, .step = "step", .next = "next", .repeats = true,
	.claims = gdb_claims, .open = gdb_open, CLIENT_MEMBERS,
};
