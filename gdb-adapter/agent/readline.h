/* SPDX-License-Identifier: GPL-3.0-or-later */
/* readline's and libc's functions that gdb calls and the library interposes. */
#ifndef GDB_ADAPTER_AGENT_READLINE_H
#define GDB_ADAPTER_AGENT_READLINE_H

#include <poll.h>
#include <stdbool.h>

int real_poll(struct pollfd *fds, nfds_t n, int timeout);
/* Does gdb take readline from a library? */
bool readline_is_shared(void);
/* What readline does when it has got a line, before it hands it over. */
void readline_ends(bool end_of_file);

#endif
