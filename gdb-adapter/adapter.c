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

static int gdb_open(void **self, struct adapter_launch *launch, struct err *err)
{
	return client_open(self, launch, "fred-gdb-agent.so", err);
}

const struct adapter gdb_adapter = {
	.name = "gdb", .aliases = aliases, .step = "step", .next = "next", .repeats = true,
	.claims = gdb_claims, .open = gdb_open, CLIENT_MEMBERS,
};
