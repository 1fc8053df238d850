/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's end of the channel; protocol.h says what is spoken.
 *
 * Whole messages are read and written here and not in Python: a KeyboardInterrupt between two bytecodes could lose half
 * of one. */
#ifndef CHANNEL_AGENT_CHANNEL_H
#define CHANNEL_AGENT_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

/* Takes over the descriptor. */
bool channel_take(int fd);
/* Is it open, and is the descriptor still ours? */
bool channel_ours(void);
/* The descriptor, for a debugger that closes none but its own; -1: it is not open. */
int channel_descriptor(void);
void channel_close(void);

/* Sends a whole message.  False: fredapp is gone, and the channel closed. */
bool channel_send(int type, const char *body, size_t n);

enum channel_got { CHANNEL_SOME, CHANNEL_INTERRUPTED, CHANNEL_GONE };
/* One read(), which waits, of what is missing of the next message. */
enum channel_got channel_read(void);
/* Has nothing arrived since something was sent? */
bool channel_waits(void);
/* The next message, if it has arrived whole; the body is borrowed until the next channel_read(). */
bool channel_message(int *type, const char **body, size_t *n);

#endif
