/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands about positions: checkpoints, branches, history. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "fred/command.h"
#include "fred/message.h"
#include "fred/session.h"

static int show(int r, const struct buf *b, const char *end)
{
	if (r)
		return -1;
	if (put_output(STDOUT_FILENO, buf_str(b), b->len) || put_output(STDOUT_FILENO, end, end[0] != 0))
		return 0;       /* the loop notices that nobody reads any more */
	return 0;
}

static int number(const char *args, long *n, struct err *err)
{
	char *end;

	errno = 0;
	*n = strtol(args, &end, 10);
	if (errno || end == args || *end || *n < 0)
		return err_set(err, "'%s' is no checkpoint number; fred-list shows them", args);
	return 0;
}

static int checkpoint(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return session_checkpoint(s, args, err);
}

static int list(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	cleanup_buf struct buf b = {0};
	bool trail = !strcmp(args, "--trail");

	if (*args && !trail)
		return err_set(err, "fred-list takes --trail or nothing, not '%s'", args);
	int r = session_list(s, &b, err);
	if (r == 0 && trail)
		session_trail(s, &b);
	return show(r, &b, "");
}

static int restart(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	long n = 0;

	return *args && number(args, &n, err) ? -1 : session_restart(s, n, err);
}

static int delete(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	long n;

	if (!*args)
		return err_set(err, "fred-delete needs the number of a checkpoint; fred-list shows them");
	return number(args, &n, err) ? -1 : session_delete(s, n, err);
}

static int history(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	cleanup_buf struct buf b = {0};

	return show(session_history(s, &b, err), &b, "\n");
}

static int when(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	cleanup_buf struct buf b = {0};

	if (session_when(s, &b, err))
		return -1;
	say("%s", buf_str(&b));
	return 0;
}

static int branch(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return session_branch(s, args, err);
}

static int switch_to(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return session_switch(s, args, err);
}

const struct command place_commands[] = {
	{"fred-checkpoint", "fred-ckpt", "[NOTE]", "keep a checkpoint here",
	 "Keeps this position under a number, for fred-restart and fred-history; it is never thinned away.\n"
	 "Example: `fred-checkpoint before the import`.",
	 checkpoint, false},
	{"fred-list", NULL, "[--trail]", "show checkpoints and branches",
	 "Number, place, time that the program had run, commands since, memory that only this checkpoint holds, and note.\n"
	 "The first position is checkpoint 0; * is where we are.  --trail: the snapshots in the middle of long runs, too.",
	 list, false},
	{"fred-restart", NULL, "[N]", "go to checkpoint N, or to the first position",
	 "Example: `fred-restart 1`.", restart, false},
	{"fred-delete", NULL, "N", "forget checkpoint N", "Example: `fred-delete 1`.", delete, false},
	{"fred-history", NULL, "", "show the commands since the checkpoint",
	 "After a reverse move it shows the next and step commands that lead here.\n"
	 "Example output: [break 6, next, next, step, where]",
	 history, false},
	{"fred-when", NULL, "", "show where in time we are",
	 "The last checkpoint and how many commands ago that was, how far along the timeline, how long the program ran.",
	 when, false},
	{"fred-branch", NULL, "NAME", "start another timeline from here",
	 "What is done from here on belongs to the new branch; the old one keeps its newest position.\n"
	 "Example: `fred-branch what-if`, then `x = 3` (in gdb `set var x = 3`) and `continue`.",
	 branch, false},
	{"fred-switch", NULL, "NAME", "go to the newest position of a branch",
	 "The first branch is called main.  Example: `fred-switch main`.", switch_to, false},
	{0},
};
