/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugger pdb, for the session: its names, and how it is started. */
#include "pdb-adapter/adapter.h"

#include "channel/client.h"
#include "channel/messages.h"
#include "channel/protocol.h"
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

/* What is left of any command is what pdb would do without the halt: the agent puts all that pdb knows back as it was. */
static bool pdb_goes_on(const char *command, const char *ending, struct pass *end)
{
	return true;
}

const struct adapter pdb_adapter = {
	.name = "pdb", .aliases = aliases, .step = "step", .next = "next",
	.go_on_command = "(go on)",             /* clock.py: no pdb user types that, so it means no other */
	.mark_interval = 32768,                 /* a mark costs a millisecond and what is copied after it, a tick a fifth of a microsecond */
	.trail_signal = AGENT_HALT_SIGNAL, .landed = client_landed, .last_stop = client_last_stop, .goes_on = pdb_goes_on,
	.claims = launch_claims, .open = pdb_open, CLIENT_MEMBERS,
	.frame_for = client_frame_for, .witness = client_witness, .observe = client_observe, .observed = client_observed, .seen_of = messages_seen,
};
