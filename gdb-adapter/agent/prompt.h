/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdb waits for a line: from readline's functions, which gdb calls and the library interposes (readline.c), to what is
 * said on the channel.
 *
 * Every line that gdb's command line reads on a terminal comes by readline's callback interface: the top level's prompt,
 * `>` of `commands` and `define`, questions, the pager, Python's input().  A prompt is announced when gdb's event loop
 * has nothing else to do and blocks; then lines and requests are taken from the channel, and never from the terminal,
 * whose input belongs to the program. */
#ifndef GDB_ADAPTER_AGENT_PROMPT_H
#define GDB_ADAPTER_AGENT_PROMPT_H

#include <poll.h>
#include <stdbool.h>

typedef void line_handler(char *line);

/* Is the agent at work, or can it be?  Starts it when gdb's Python is there; in a process that is no gdb, never. */
bool agent_works(void);
/* The process is a gdb with all that is needed. */
void agent_is_in_gdb(void);
bool is_in_gdb(void);

void prompt_installed(const char *text, line_handler *handler);
void prompt_removed(void);
bool prompt_is_installed(void);

/* poll(), with the channel in the place of standard input. */
int prompt_poll(struct pollfd *fds, nfds_t n, int timeout);
/* gdb has seen that standard input is readable: deals with the message that has come. */
void prompt_read(void);

#endif
