/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugger gdb, for the session: its names, and how it is started. */
#include "gdb-adapter/adapter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "channel/client.h"
#include "channel/protocol.h"

/* What gdb's and rr's users know; in gdb no variable of the program can be meant. */
static const struct adapter_alias aliases[] = {
	{ "set exec-direction reverse", "fred-set backwards on", false },
	{ "set exec-direction forward", "fred-set backwards off", false },
	{ "show exec-direction", "fred-show backwards", false },
	{ "step", "fred-reverse-step", true }, { "s", "fred-reverse-step", true },
	{ "next", "fred-reverse-next", true }, { "n", "fred-reverse-next", true },
	{ "stepi", "fred-reverse-stepi", true }, { "si", "fred-reverse-stepi", true },
	{ "nexti", "fred-reverse-nexti", true }, { "ni", "fred-reverse-nexti", true },
	{ "finish", "fred-reverse-finish", true }, { "fin", "fred-reverse-finish", true },
	{ "continue", "fred-reverse-continue", true }, { "c", "fred-reverse-continue", true },
	{ "reverse-step", "fred-reverse-step", false },
	{ "rs", "fred-reverse-step", false },
	{ "reverse-next", "fred-reverse-next", false },
	{ "rn", "fred-reverse-next", false },
	{ "reverse-stepi", "fred-reverse-stepi", false },
	{ "rsi", "fred-reverse-stepi", false },
	{ "reverse-nexti", "fred-reverse-nexti", false },
	{ "rni", "fred-reverse-nexti", false },
	{ "reverse-finish", "fred-reverse-finish", false },
	{ "reverse-continue", "fred-reverse-continue", false },
	{ "rc", "fred-reverse-continue", false },
	{ "undo", "fred-undo", false },
	{ "redo", "fred-redo", false },
	{ "when", "fred-when", false },
	{ "checkpoint", "fred-checkpoint", false },
	{ "restart", "fred-restart", false },
	{ "info checkpoints", "fred-list", false },
	{ "delete checkpoint", "fred-delete", false },
	{ NULL, NULL, false },
};

/* gdb, gdb-multiarch, x86_64-linux-gnu-gdb, gdb-12.1: by the name alone. */
static bool is_gdb(const char *command)
{
	const char *slash = strrchr(command, '/'), *name = slash != NULL ? slash + 1 : command, *at = strstr(name, "gdb");

	return at != NULL && (at == name || at[-1] == '-') && strchr("-.0123456789", at[3]) != NULL;
}

/* Which word of the command is gdb, after env and its assignments; -1: none. */
static int gdb_word(char *const *argv)
{
	const char *slash;
	int i = 0;

	if (argv[0] == NULL)
		return -1;
	slash = strrchr(argv[0], '/');
	if (strcmp(slash != NULL ? slash + 1 : argv[0], "env") == 0)
		for (i = 1; argv[i] != NULL && (*argv[i] == '-' || strchr(argv[i], '=') != NULL); i++)
			;
	return argv[i] != NULL && is_gdb(argv[i]) ? i : -1;
}

static bool gdb_claims(char *const *argv)
{
	return gdb_word(argv) >= 0;
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

/* gdb sees a terminal in any case.  Where there is none outside, gdb alone would ask nothing, not wait at the end of a
 * page, and not colour: it is told so, before its init files.  And it would wait for ever for watchpoints that nothing triggers. */
static char **with_options(char **argv, bool no_watchpoints)
{
	static const char *const unwatched[] = {"-iex", "set can-use-hw-watchpoints 0"};
	static const char *const alone[] = {"-iex", "set confirm off", "-iex", "set pagination off"};
	static const char *const plain[] = {"-iex", "set style enabled off"};
	size_t n = 0, to = 0, after = (size_t)gdb_word(argv) + 1;
	char **with;

	while (argv[n] != NULL)
		n++;
	with = xcalloc(n + 9, sizeof *with);
	for (; to < after; to++)
		with[to] = argv[to];
	for (size_t i = 0; i < 4 && !isatty(STDIN_FILENO); i++)
		with[to++] = (char *)(uintptr_t)alone[i];
	for (size_t i = 0; i < 2 && !isatty(STDOUT_FILENO); i++)
		with[to++] = (char *)(uintptr_t)plain[i];
	for (size_t i = 0; i < 2 && no_watchpoints; i++)
		with[to++] = (char *)(uintptr_t)unwatched[i];
	memcpy(with + to, argv + after, (n - after) * sizeof *with);
	return with;
}

static int gdb_open(void **self, struct adapter_launch *launch, struct err *err)
{
	static char **argv;             /* one debugger in a process */

	if (check_options(launch->argv + gdb_word(launch->argv), err))
		return -1;
	free(argv);
	launch->argv = argv = with_options(launch->argv, launch->no_watchpoints);
	return client_open(self, launch, "fred-gdb-agent.so", err);
}

static bool gdb_ended_next(const char *command, const char *state)
{
	return (strcmp(command, "next") == 0 || strcmp(command, "n") == 0) && strncmp(state, "step|", 5) == 0;
}

/* Without an argument, which would count breakpoints. */
static bool is_continue(const char *command)
{
	static const char *const names[] = {"continue", "c", "fg", "cont"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(command, names[i]) == 0)
			return true;
	return false;
}

/* One of those, abbreviated or not, that run to where they have set a breakpoint: with another meaning gdb refuses it. */
static bool is_run_to(const char *command)
{
	static const char *const names[] = {"next", "until", "finish", "advance"};
	size_t n = strcspn(command, " \t");

	for (size_t i = 0; n > 0 && i < sizeof names / sizeof *names; i++)
		if (strncmp(command, names[i], n) == 0)
			return true;
	return false;
}

/* clock_end.py: by itself, in the thread that was selected, or as any command that lets the program run. */
static bool ended_so(const char *ending, struct pass *end)
{
	static const char *const others[] = {"break|", "signal|", "exit|"};
	int n = 0;

	*end = (struct pass){0};
	if (sscanf(ending, "step|%*[^|]|%" SCNu64 "|%" SCNu64 "|%n", &end->pc, &end->sp, &n) == 2 && n > 0)
		return true;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strncmp(ending, others[i], strlen(others[i])) == 0)
			return true;
	return false;
}

static bool gdb_goes_on(const char *command, const char *ending, struct pass *end)
{
	if (end != NULL)
		*end = (struct pass){0};
	if (is_continue(command))
		return true;
	return is_run_to(command) && (end == NULL || (ending != NULL && ended_so(ending, end)));
}

/* clock_end.py: the place is passed more than once. */
static bool gdb_unmeasured(const char *state)
{
	return strncmp(state, "place?", strlen("place?")) == 0;
}

/* clock_end.py: behind the first word. */
static char *gdb_in_thread(const char *state, const char *thread)
{
	int n = (int)strcspn(state, "@|");

	return xasprintf("%.*s@%s%s", n, state, thread, state + strcspn(state, "|"));
}

const struct adapter gdb_adapter = {
	.name = "gdb", .aliases = aliases, .step = "step", .next = "next", .finish = "finish", .stepi = "stepi", .repeats = true, .needs_ends = true, .watches = true,
	.beginning = client_beginning, .begin = client_begin, .begin_command = "start", .go_on_command = "continue",
	.land = client_land, .hits = client_hits, .landed = client_landed, .halt = client_halt, .alarm_mark = ALARM_MARK, .call_of = client_call_of, .goes_on = gdb_goes_on,
	.ended_next = gdb_ended_next, .frame_for = client_frame_for, .eval_in = client_eval_in,
	.watch_changes = client_watch_changes, .changed_by = client_changed_by, .forget_changes = client_forget_changes,
	.observe = client_observe, .observed = client_observed, .seen_of = messages_seen,
	.alone = client_alone, .witness = client_witness, .in_thread = gdb_in_thread,
	/* A tick is 0.2 ms, a mark 5 to 10, and a return to it 15. */
	.mark_interval = 256, .leaps = true, .unmeasured = gdb_unmeasured, .measure = client_measure,
	.claims = gdb_claims, .open = gdb_open, CLIENT_MEMBERS,
};
