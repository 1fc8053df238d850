/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands that move through time. */
#include <string.h>

#include "fred/command.h"
#include "fred/session.h"
#include "fred/words.h"

static int undo(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	long n;

	return command_count(args, &n, err) ? -1 : session_undo(s, n, err);
}

static int redo(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	long n;

	return command_count(args, &n, err) ? -1 : session_redo(s, n, err);
}

static int reverse(struct session *s, enum session_reverse how, const char *args, struct err *err)
{
	long n;

	return command_count(args, &n, err) ? -1 : session_reverse(s, how, n, err);
}

static int reverse_step(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return reverse(s, REVERSE_STEP, args, err);
}

static int reverse_next(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return reverse(s, REVERSE_NEXT, args, err);
}

static int reverse_finish(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return reverse(s, REVERSE_FINISH, args, err);
}

static int reverse_continue(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return reverse(s, REVERSE_CONTINUE, args, err);
}

static int reverse_stepi(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return reverse(s, REVERSE_STEPI, args, err);
}

static int reverse_nexti(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	return reverse(s, REVERSE_NEXTI, args, err);
}

const char *const change_options[CHANGES] = {
	[CHANGE_ANY] = "--any", [CHANGE_FIRST] = "--first", [CHANGE_LAST] = "--last",
};

/* "--frist" is no expression in any language, but "--n" may begin one: "--n<3". */
static size_t option_length(const char *args)
{
	size_t n = !strncmp(args, "--", 2) ? 2 + strspn(args + 2, "abcdefghijklmnopqrstuvwxyz-") : 0;

	return n > 2 && (!args[n] || strchr(" \t", args[n])) ? n : 0;
}

/* Of options there may be none; *which is then as it was, CHANGE_ANY unless `given`.  *args: behind them. */
static int watch_options(const char **args, bool given, enum session_change *which, struct err *err)
{
	for (size_t n; (n = option_length(*args)) > 0; *args = skip_blanks(*args + n), given = true) {
		enum session_change i = 0;

		while (i < CHANGES && (strlen(change_options[i]) != n || strncmp(*args, change_options[i], n) != 0))
			i++;
		if (i == CHANGES)
			return err_set(err, "there is no option %.*s; there are --first, --last and --any", (int)n, *args);
		if (given && i != *which)
			return err_set(err, "one change at a time, please: --first, --last or --any");
		*which = i;
	}
	return 0;
}

static int reverse_watch(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	enum session_change which = CHANGE_ANY;

	if (watch_options(&args, false, &which, err))
		return -1;
	if (!*args)
		return err_set(err, "fred-reverse-watch needs an expression, for example: fred-reverse-watch total < 100");
	return session_watch(s, args, which, err);
}

static int last(struct repl *repl, struct session *s, const char *args, struct err *err)
{
	enum session_change which = CHANGE_LAST;

	if (watch_options(&args, true, &which, err))
		return -1;
	if (!*args)
		return err_set(err, "fred-last needs an expression, for example: fred-last total");
	return session_watch(s, args, which, err);
}

static int start(struct repl *repl, struct session *s, const char *args, struct err *err) { return session_start(s, err); }
static int end(struct repl *repl, struct session *s, const char *args, struct err *err) { return session_end(s, err); }

const struct command travel_commands[] = {
	{"fred-undo", NULL, "[N]", "take back the last N state-changing commands",
	 "Puts program and debugger back as they were before the last N commands that changed anything: moves,\n"
	 "assignments, breakpoints, reverse moves.  Exact, also where the program uses the clock or random numbers.\n"
	 "Example: `next`, then `fred-undo`: the statement has not been executed.",
	 undo, true},
	{"fred-redo", NULL, "[N]", "put back the last N commands that fred-undo took back",
	 "Nothing is executed again: the position that was left is restored.  A new command after fred-undo forgets\n"
	 "what could be put back.\n"
	 "Example: `fred-undo 2`, then `fred-redo`.",
	 redo, true},
	{"fred-reverse-step", "fred-rs", "[N]", "go back N stops, into functions",
	 "Goes to the stop before this one, where `step` would have stopped; with N, N stops back.\n"
	 "Example: `fred-reverse-step 3`.",
	 reverse_step, true},
	{"fred-reverse-next", "fred-rn", "[N]", "go back N stops in this function or its callers",
	 "Goes to the last stop before this one in the present call of the function or in one of its callers: calls are\n"
	 "passed over backwards, and from the first line of a function it goes to the call.\n"
	 "Example: `fred-reverse-next`.",
	 reverse_next, true},
	{"fred-reverse-stepi", "fred-rsi", "[N]", "go back N instructions (gdb)",
	 "Goes to the instruction before this one, into functions; with N, N instructions back.  In the history it is\n"
	 "stepi N from the start of a statement.\n"
	 "Example: `fred-reverse-stepi`.",
	 reverse_stepi, true},
	{"fred-reverse-nexti", "fred-rni", "[N]", "go back N instructions in this function or its callers (gdb)",
	 "As fred-reverse-stepi, but calls are passed over backwards.\n"
	 "Example: `fred-reverse-nexti`.",
	 reverse_nexti, true},
	{"fred-reverse-finish", "fred-rf", "[N]", "go back to the call of the selected function",
	 "Goes to the start of the statement that called the function of the selected frame (see up and down); in gdb to the\n"
	 "instruction that called it, in the middle of that statement.\n"
	 "Example: in a function, `fred-reverse-finish`.",
	 reverse_finish, true},
	{"fred-reverse-continue", "fred-rc", "[N]", "go back to the last breakpoint",
	 "Goes to the last stop before this one where an enabled breakpoint is and its condition holds, else to the start.\n"
	 "Breakpoints set later count too; ignore counts do not.  A watchpoint of gdb's leads to the start of the statement\n"
	 "in which it triggers: the value is still the one before.  So does a breakpoint where `step` would not stop, as in a\n"
	 "function that a library calls; `continue` leads to it from there.\n"
	 "Example: `break 12`, then `fred-reverse-continue`.",
	 reverse_continue, true},
	{"fred-reverse-watch", "fred-rw", "[--WHICH] EXPR", "go to the statement that gave EXPR its present value",
	 "Searches the life of the program for a statement before which EXPR had another value and after which it has the\n"
	 "present one, and goes there: EXPR is still good, and the next statement makes it bad.  EXPR may call functions;\n"
	 "what they change is taken back.  If it has local variables it is evaluated in the frame that is selected now, in\n"
	 "callees in that frame up the stack, and before its function was called it has no value.\n"
	 "WHICH is any, unless you say so: the value may have changed again later.  --last looks at every stop backwards and finds\n"
	 "the latest change; --first looks at every stop from the start on, and finds the first statement after which EXPR is no\n"
	 "longer what it was when it first had a value.\n"
	 "Example: `fred-reverse-watch len(queue) < 100`; in gdb `fred-reverse-watch list_len(head) < 17`.",
	 reverse_watch, false},
	{"fred-last", NULL, "EXPR", "go to the statement that changed EXPR last",
	 "Short for fred-reverse-watch --last.\n"
	 "Example: `fred-last self.tail`.",
	 last, false},
	{"fred-start", NULL, "", "go to where the program was started",
	 "In gdb that is main(), wherever `run` stopped: the program is started once more to come there.\n"
	 "Example: `fred-start`.",
	 start, false},
	{"fred-end", NULL, "", "go to the newest live position of this timeline",
	 "Example: after some reverse moves, `fred-end`.", end, false},
	{0},
};
