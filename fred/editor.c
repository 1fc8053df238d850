/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/fd.h"
#include "base/mem.h"
#include "fred/completion.h"
#include "fred/editor_terminal.h"
#include "fred/message.h"
#include "fred/settings.h"
#include "fred/terminal.h"

static char *history_file;
static int typed;                       /* lines of this session in the history */
static char *got;                       /* the line that readline has handed over */
static bool finished;

/* The length of an escape sequence at s (CSI or OSC), 0 if there is none. */
static size_t escape_length(const char *s)
{
	if (s[0] != '\033' || (s[1] != '[' && s[1] != ']'))
		return 0;
	size_t n = 2;
	if (s[1] == '[') {
		while (s[n] && (s[n] < '@' || s[n] > '~'))
			n++;
	} else {
		while (s[n] && s[n] != '\a')
			n++;
	}
	return s[n] ? n + 1 : 0;
}

void editor_add_plain(struct buf *b, const char *prompt, bool plain)
{
	while (*prompt) {
		size_t n = escape_length(prompt);
		if (!n || !plain)
			buf_add(b, prompt, n ? n : 1);
		prompt += n ? n : 1;
	}
}

/* Readline must know which bytes of the prompt take no room on the screen. */
static char *prompt_for_readline(const char *prompt)
{
	struct buf b = {0};

	buf_addstr(&b, "");
	while (*prompt) {
		size_t n = escape_length(prompt);
		if (n)
			buf_addch(&b, RL_PROMPT_START_IGNORE);
		buf_add(&b, prompt, n ? n : 1);
		if (n)
			buf_addch(&b, RL_PROMPT_END_IGNORE);
		prompt += n ? n : 1;
	}
	return b.data;
}

static void hand_over(char *line)
{
	got = line;
	finished = true;
	rl_callback_handler_remove();
}

static void before_output(void)
{
	rl_clear_visible_line();
	(void)!editor_write(NULL, 0);          /* if the terminal has gone away, what follows will notice */
}

static void after_output(void)
{
	rl_on_new_line();
	rl_redisplay();
	(void)!editor_write(NULL, 0);
}

static char *default_history_file(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state)
		return xasprintf("%s/fred/history", state);
	return home && *home ? xasprintf("%s/.local/state/fred/history", home) : NULL;
}

void editor_open(void)
{
	rl_readline_name = "FReD";
	rl_catch_signals = 0;           /* the session watches them */
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;      /* LINES and COLUMNS are the program's business */
	rl_attempted_completion_function = completion;
	rl_completer_word_break_characters = (char *)" \t\n`@#$%^&*()=+[{]}\\|;:'\",<>?";
	using_history();
	history_file = default_history_file();
	if (history_file && settings.history_size)
		read_history(history_file);
	editor_take_terminal();
}

static void make_parents(const char *path)
{
	cleanup_free char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(copy, 0700);
		*slash = '/';
	}
}

void editor_close(void)
{
	if (!history_file || !settings.history_size || typed == 0)
		return;
	make_parents(history_file);
	/* Behind what other sessions have written meanwhile. */
	cleanup_fd int fd = open(history_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int r = fd < 0 ? errno : append_history(typed, history_file);
	if (r == 0)
		r = history_truncate_file(history_file, (int)settings.history_size);
	if (r)
		say_error("cannot keep the typed history in %s: %s", history_file, strerror(r));
	free(steal_pointer(&history_file));
}

static enum editor_result give(char **line)
{
	if (!got)
		return EDITOR_EOF;
	*line = steal_pointer(&got);
	if (**line) {
		HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
		if (!last || strcmp(last->line, *line) != 0) {
			add_history(*line);
			typed++;
		}
	}
	return EDITOR_LINE;
}

/* The window may have another size, ^Z may have been typed. */
static void look_after_terminal(void)
{
	if (outer_was_suspended())
		after_output();
	if (outer_was_resized())
		rl_resize_terminal();
}

enum editor_result editor_read(struct session *session, const char *prompt, char **line)
{
	cleanup_free char *shown = prompt_for_readline(prompt);
	enum session_state was = session_state(session);
	struct buf *ahead = session_typeahead(session);
	bool interrupted;

	completion_for(session);
	editor_reads(ahead);
	finished = false;
	got = NULL;
	rl_callback_handler_install(shown, hand_over);
	while (!finished) {
		if (ahead->len) {
			rl_callback_read_char();
			continue;
		}
		if (editor_write(NULL, 0)) {
			rl_callback_handler_remove();
			session_hang_up(session);
			return EDITOR_STATE;
		}
		bool readable = session_idle(session, &interrupted, before_output, after_output);
		look_after_terminal();
		if (interrupted || session_state(session) != was) {
			/* Before readline goes: that moves the cursor to the start of the line. */
			if (editor_write(interrupted ? "^C\n" : "\n", interrupted ? 3 : 1))
				finished = true;
			rl_callback_handler_remove();
			return interrupted ? EDITOR_INTERRUPT : EDITOR_STATE;
		}
		if (readable)
			rl_callback_read_char();
	}
	if (editor_write("\n", got ? 0 : 1)) {
		session_hang_up(session);
		return EDITOR_STATE;
	}
	return give(line);
}
