/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How readline reaches the terminal, with few system calls: a `next` takes a tenth of a millisecond, and readline's own ways
 * make some eighty calls for it.  For each line they save and set the terminal, the window's size and five signals, and
 * look for input twice a byte; and they write in bits, each of which wakes who reads the terminal.
 *
 * Here the terminal is in the state that readline wants from one command to the next (OUTER_EDITED, terminal.h), and what is
 * written is kept until editor_write(). */
#ifndef FRED_EDITOR_TERMINAL_H
#define FRED_EDITOR_TERMINAL_H

#include <stddef.h>

#include "base/buf.h"

/* Once.  Where readline has a keypad mode to switch (enable-keypad in inputrc), it sets the terminal itself. */
void editor_take_terminal(void);
/* Input comes from that buffer, and when it is empty from the terminal, as much as there is.  What is left of it after a line
 * belongs to the program that the line sets going, or is the next line. */
void editor_reads(struct buf *ahead);
/* What readline has written goes out, and then n bytes of data.  0, or -1: the terminal has gone away. */
int editor_write(const char *data, size_t n);

#endif
