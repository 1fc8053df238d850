/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two terminals: the user's (outer), and the pty on which the debugger lives (inner).
 *
 * Outer modes.  At the prompt readline is master of it.  While the program runs it is raw, also on output, so that the
 * program's bytes arrive as the inner terminal made them, and each key goes to the program.  While FReD itself works
 * it is quiet: nothing is echoed and ^C is a signal to fredapp.
 *
 * Inner output.  Where our stdout is a terminal the inner one turns \n into \r\n as any terminal does, and the outer
 * one adds nothing.  Where stdout is a file or a pipe the inner one leaves \n alone, so that the file holds what the
 * program wrote. */
#ifndef FRED_TERMINAL_H
#define FRED_TERMINAL_H

#include <stdbool.h>

#include "base/err.h"

enum outer_mode { OUTER_AS_FOUND, OUTER_RAW, OUTER_QUIET };

/* Opens the inner pty: the size of the outer terminal if there is one, no echo unless a human types. */
int inner_open(int *master, int *slave, struct err *err) must_check;
/* Copies the outer window size to the inner terminal, which tells its foreground processes by SIGWINCH. */
void inner_resize(int master);

void outer_save(void);          /* once, at the start */
void outer_set(enum outer_mode mode);
/* Does the outer terminal itself turn \n into \r\n just now?  Then the inner one's \r is one too many. */
bool outer_adds_returns(void);
bool outer_is_terminal(void);   /* is there a human: stdin is a terminal */

#endif
