/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugger pdb, for the session: its names, and how it is started. */
#include "pdb-adapter/adapter.h"

#include "channel/client.h"
#include "channel/messages.h"
#include "pdb-adapter/launch.h"

/* `rc` and the like may be variables of the program: pdb gets the long names only. */
static const struct adapter_alias aliases[] = {
	{ "reverse-step", "fred-reverse-step", false },
	{ "reverse-next", "fred-reverse-next", false },
	{ "reverse-finish", "fred-reverse-finish", false },
	{ "reverse-continue", "fred-reverse-continue", false },
	/* In Python 3 `print x` is a syntax error, so that nothing is taken from anybody. */
	{ "print", "p", false },
	{ NULL, NULL, false },
};

static int pdb_open(void **self, struct adapter_launch *launch, struct err *err)
{
	return client_open(self, launch, "fred-pdb-agent.so", err);
}

const struct adapter pdb_adapter = {
	.name = "pdb", .aliases = aliases, .step = "step", .next = "next",
	.claims = launch_claims, .open = pdb_open, CLIENT_MEMBERS,
	.frame_for = client_frame_for, .witness = client_witness, .observe = client_observe, .observed = client_observed, .seen_of = messages_seen,
};
