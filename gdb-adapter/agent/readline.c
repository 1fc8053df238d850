/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/readline.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#include "gdb-adapter/agent/prompt.h"

#define EXPORTED __attribute__((visibility("default")))
#define REAL(name, result, args) ((result (*) args)(uintptr_t)dlsym(RTLD_NEXT, #name))

/* The prototypes of those that stand in for others; no header of readline's is read. */
EXPORTED void rl_callback_handler_install(const char *prompt, line_handler *handler);
EXPORTED void rl_callback_handler_remove(void);
EXPORTED void rl_callback_read_char(void);
EXPORTED void stifle_history(int max);
EXPORTED int unstifle_history(void);

enum { STATE_EOF = 0x8000000 };         /* RL_STATE_EOF, readline 8.2 */

void rl_callback_handler_install(const char *text, line_handler *handler)
{
	if (agent_works())
		prompt_installed(text, handler);
	else
		REAL(rl_callback_handler_install, void, (const char *, line_handler *))(text, handler);
}

void rl_callback_handler_remove(void)
{
	if (prompt_is_installed())
		prompt_removed();
	else
		REAL(rl_callback_handler_remove, void, (void))();
}

void rl_callback_read_char(void)
{
	if (prompt_is_installed())
		prompt_read();
	else
		REAL(rl_callback_read_char, void, (void))();
}

/* gdb calls one of these two just before its first prompt, when Python is there: time to ask for the event that
 * announces that prompt. */
void stifle_history(int max)
{
	agent_works();
	REAL(stifle_history, void, (int))(max);
}

int unstifle_history(void)
{
	agent_works();
	return REAL(unstifle_history, int, (void))();
}

int real_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	static int (*real)(struct pollfd *, nfds_t, int);

	if (real == NULL)
		real = REAL(poll, int, (struct pollfd *, nfds_t, int));
	return real(fds, n, timeout);
}

EXPORTED int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return prompt_is_installed() ? prompt_poll(fds, n, timeout) : real_poll(fds, n, timeout);
}

bool readline_is_shared(void)
{
	return dlsym(RTLD_NEXT, "rl_callback_handler_install") != NULL;
}

void readline_ends(bool end_of_file)
{
	unsigned long *state = dlsym(RTLD_DEFAULT, "rl_readline_state");
	int *found = dlsym(RTLD_DEFAULT, "rl_eof_found");
	void (**deprep)(void) = dlsym(RTLD_DEFAULT, "rl_deprep_term_function");

	/* gdb writes "quit" there at an end of file. */
	if (end_of_file && found != NULL)
		*found = 1;
	if (end_of_file && state != NULL)
		*state |= STATE_EOF;
	if (deprep != NULL && *deprep != NULL)
		(*deprep)();
	if (state != NULL)
		*state &= ~(unsigned long)STATE_EOF;
}
