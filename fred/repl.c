/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where commands come from, and what becomes of each.
 *
 * Sources are a stack: a script that runs fred-source puts another on top, and below all is the human or stdin. */
#include "fred/repl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/awake.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "fred/command.h"
#include "fred/editor.h"
#include "fred/message.h"
#include "fred/settings.h"
#include "fred/terminal.h"
#include "fred/words.h"

struct source {
	char *name;             /* the file, or NULL for -e */
	char *text;             /* all of it */
	char *next;             /* the rest, NULL at the end */
	int line;
};

struct repl {
	struct session *session;
	const struct repl_options *options;
	struct source *sources;
	size_t n_sources;
	char *again;            /* the fred command that an empty line repeats, NULL: the debugger's last */
	bool failed, leave;
};

static void push(struct repl *r, const char *name, char *text)
{
	r->sources = xrealloc(r->sources, (r->n_sources + 1) * sizeof *r->sources);
	r->sources[r->n_sources++] = (struct source){name ? xstrdup(name) : NULL, text, text, 0};
}

static void pop(struct repl *r)
{
	struct source *top = &r->sources[--r->n_sources];

	free(top->name);
	free(top->text);
}

int repl_source(struct repl *r, const char *path, struct err *err)
{
	char *text = fd_slurp(path, NULL);

	if (!text)
		return err_sys(err, "read commands from %s", path);
	if (r->n_sources > 50) {
		free(text);
		return err_set(err, "%s: fred-source is nested too deeply", path);
	}
	push(r, path, text);
	return 0;
}

/* The next line of the scripts, NULL when there is none left. */
static const char *script_line(struct repl *r)
{
	while (r->n_sources) {
		struct source *top = &r->sources[r->n_sources - 1];
		char *line = strsep(&top->next, "\n");
		top->line++;
		if (!line || (!*line && !top->next)) {
			pop(r);
			continue;
		}
		size_t n = strlen(line);
		if (n && line[n - 1] == '\r')
			line[n - 1] = 0;
		/* Inside a block every line counts. */
		const char *text = skip_blanks(line);
		if (session_state(r->session) != SESSION_MORE && (!*text || *text == '#'))
			continue;
		return line;
	}
	return NULL;
}

/* Prompt and command, as if a human had typed it. */
static void echo(struct repl *r, const char *line)
{
	cleanup_buf struct buf b = {0};

	editor_add_plain(&b, session_prompt(r->session), !isatty(STDOUT_FILENO));
	buf_addstr(&b, line);
	buf_addch(&b, '\n');
	if (put_output(STDOUT_FILENO, b.data, b.len))
		r->leave = true;
}

/* The place of an error: "script.fred:3: ". */
static void complain(struct repl *r, const struct err *err, const struct source *at)
{
	if (at && at->name)
		say_error("%s:%d: %s", at->name, at->line, err->what);
	else
		say_error("%s", err->what);
}

static bool quits(const char *line)
{
	return !strcmp(line, "quit") || !strcmp(line, "q") || !strcmp(line, "exit");
}

static int run_line(struct repl *r, const char *line, struct err *err)
{
	const char *args;
	bool unknown;
	const struct command *c = NULL;

	if (settings.stay_awake)
		awake_begin();
	if (session_state(r->session) != SESSION_MORE) {
		if (!*skip_blanks(line) && r->again)
			line = r->again;
		c = command_find(line, session_aliases(r->session), &args, &unknown);
		if (!c && unknown) {
			cleanup_free char *word = xstrndup(line, strcspn(line, " \t"));
			const char *near = nearest_word(word, command_name);
			return err_set(err, "there is no command '%s'%s%s%s; fred-help lists them", word,
				       near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
		}
		if (*skip_blanks(line) && line != r->again) {
			free(steal_pointer(&r->again));
			if (c && c->repeats)
				r->again = xstrdup(line);
		}
	}
	if (c) {
		cleanup_free char *trimmed = xstrdup(args);
		for (size_t n = strlen(trimmed); n && strchr(" \t", trimmed[n - 1]); n--)
			trimmed[n - 1] = 0;
		return c->exec(r, r->session, trimmed, err);
	}
	if (session_state(r->session) == SESSION_ENDED && quits(skip_blanks(line))) {
		r->leave = true;
		return 0;
	}
	cleanup_free char *other = session_state(r->session) == SESSION_MORE ? NULL
									 : command_translate(line, session_aliases(r->session));
	return session_line(r->session, other ? other : line, err);
}

/* A line of a script: `-` in front says that its error does not matter. */
static void run_script_line(struct repl *r, const char *line)
{
	struct source at = r->n_sources ? r->sources[r->n_sources - 1] : (struct source){0};
	cleanup_free char *name = at.name ? xstrdup(at.name) : NULL;
	bool careless = *line == '-' && session_state(r->session) != SESSION_MORE;
	cleanup_free char *copy = xstrdup(line + careless);
	struct err err;

	at.name = name;
	echo(r, copy);
	if (run_line(r, copy, &err) == 0)
		return;
	complain(r, &err, &at);
	if (careless)
		return;
	r->failed = true;
	while (r->n_sources)
		pop(r);
}

static void run_stdin_line(struct repl *r)
{
	cleanup_free char *line = session_stdin_line(r->session);
	struct err err;

	if (!line) {
		r->leave = true;
		return;
	}
	if (session_state(r->session) != SESSION_MORE && *skip_blanks(line) == '#')
		return;
	echo(r, line);
	if (run_line(r, line, &err)) {
		complain(r, &err, NULL);
		r->failed = true;
	}
}

static void run_typed_line(struct repl *r)
{
	cleanup_free char *line = NULL;
	struct err err;
	int bad = 0;

	switch (editor_read(r->session, session_prompt(r->session), &line)) {
	case EDITOR_LINE:
		bad = run_line(r, line, &err);
		break;
	case EDITOR_EOF:
		if (session_state(r->session) == SESSION_ENDED)
			r->leave = true;
		else
			bad = session_eof(r->session, &err);
		break;
	case EDITOR_INTERRUPT:
		if (session_state(r->session) != SESSION_ENDED)
			bad = session_interrupt(r->session, &err);
		break;
	case EDITOR_STATE:      /* the debugger died while we were typing, or the terminal is gone */
		break;
	}
	if (bad)
		complain(r, &err, NULL);
}

static int exit_status(const struct repl *r)
{
	int status = session_status(r->session);

	if (session_state(r->session) == SESSION_ENDED && (!r->options->batch || !r->failed))
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return r->failed && r->options->batch;
}

static void say_ended(struct repl *r)
{
	int status = session_status(r->session);

	if (WIFSIGNALED(status))
		say("the debugger was killed by signal %d (%s); fred-undo goes back before that, quit leaves", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		say("the debugger has exited with status %d; fred-undo goes back before that, quit leaves", WEXITSTATUS(status));
}

static void step(struct repl *r)
{
	const char *line = script_line(r);

	if (line)
		run_script_line(r, line);
	else if (r->options->batch && r->options->stdin_is_input)
		r->leave = true;
	else if (outer_is_terminal() && !r->options->batch)
		run_typed_line(r);
	else
		run_stdin_line(r);
}

int repl_run(struct session *session, const struct repl_options *options)
{
	struct repl r = {.session = session, .options = options};
	bool told = false;
	struct err err;

	if (options->script && repl_source(&r, options->script, &err)) {
		complain(&r, &err, NULL);
		return 2;
	}
	for (size_t i = options->n_commands; i-- > 0;)
		push(&r, NULL, xstrdup(options->commands[i]));
	session_wait(session);
	while (!r.leave && session_state(session) != SESSION_HANGUP) {
		bool ended = session_state(session) == SESSION_ENDED;
		if (ended && (session_was_quit(session) || !session_has_past(session)))
			break;
		if (ended && !told)
			say_ended(&r);
		told = ended;
		step(&r);
	}
	int status = session_state(session) == SESSION_HANGUP ? 1 : exit_status(&r);
	while (r.n_sources)
		pop(&r);
	free(r.sources);
	free(r.again);
	return status;
}
