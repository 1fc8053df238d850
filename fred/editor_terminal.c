/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/editor_terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <readline/readline.h>

#include "base/buf.h"
#include "fred/message.h"
#include "fred/terminal.h"

enum { INPUT_ROOM = 4096 };

static struct buf to_write, *input;

static ssize_t keep_output(void *cookie, const char *data, size_t n)
{
	buf_add(&to_write, data, n);
	return (ssize_t)n;
}

int editor_write(const char *data, size_t n)
{
	if (rl_outstream)
		fflush(rl_outstream);
	buf_add(&to_write, data, n);
	int r = to_write.len ? put_output(STDOUT_FILENO, to_write.data, to_write.len) : 0;
	buf_clear(&to_write);
	return r;
}

static void take_terminal(int meta)
{
	outer_set(OUTER_EDITED);
	RL_SETSTATE(RL_STATE_TERMPREPPED);
}

static void leave_terminal(void)
{
	RL_UNSETSTATE(RL_STATE_TERMPREPPED);
}

void editor_reads(struct buf *ahead) { input = ahead; }

static int read_byte(FILE *stream)
{
	if (input->len == 0) {
		char *to = buf_room(input, INPUT_ROOM);
		ssize_t n;

		do
			n = read(STDIN_FILENO, to, INPUT_ROOM);
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			return EOF;
		input->len = (size_t)n;
	}
	int byte = (unsigned char)input->data[0];
	buf_eat(input, 1);
	return byte;
}

/* Within the time that readline gives to the rest of a key's bytes, or to none. */
static int more_waits(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return input->len || poll(&in, 1, (rl_set_keyboard_input_timeout(-1) + 999) / 1000) > 0;
}

static bool is_on(const char *variable)
{
	const char *value = rl_variable_value(variable);

	return value && !strcmp(value, "on");
}

void editor_take_terminal(void)
{
	const char *term = getenv("TERM");

	rl_initialize();
	rl_getc_function = read_byte;
	rl_input_available_hook = more_waits;
	rl_outstream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = keep_output});
	if (is_on("enable-keypad"))
		return;
	rl_tty_set_default_bindings(rl_get_keymap());
	rl_tty_set_echoing(outer_echoes());
	rl_prep_term_function = take_terminal;
	rl_deprep_term_function = leave_terminal;
	outer_edit(is_on("enable-bracketed-paste") && term && strcmp(term, "dumb") != 0);
}
