/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two terminals: the user's (outer), and the pty on which the debugger lives (inner).
 *
 * Outer modes.  At rest, where a human types, it is as readline wants it, for good: from one line to the next there is but the
 * way to raw and back, each a system call and not the dozen that readline makes of it.  While the program runs it is raw,
 * also on output, so that the program's bytes arrive as the inner terminal made them, and each key goes to the program.
 * While FReD itself works it is quiet: nothing is echoed and ^C is a signal to fredapp.
 *
 * Inner output.  Where our stdout is a terminal the inner one turns \n into \r\n as any terminal does, and the outer
 * one adds nothing.  Where stdout is a file or a pipe the inner one leaves \n alone, so that the file holds what the
 * program wrote. */
#ifndef FRED_TERMINAL_H
#define FRED_TERMINAL_H

#include <stdbool.h>

#include "base/err.h"

enum outer_mode { OUTER_AS_FOUND, OUTER_EDITED, OUTER_RAW, OUTER_QUIET, OUTER_MODES };

/* Opens the inner pty: the size of the outer terminal if there is one, no echo unless a human types. */
int inner_open(int *master, int *slave, struct err *err) must_check;
/* Copies the outer window size to the inner terminal, which tells its foreground processes by SIGWINCH. */
void inner_resize(int master);
bool outer_was_resized(void);   /* since the last call, as inner_resize() saw it */

void outer_save(void);          /* once, at the start */
void outer_set(enum outer_mode mode);
/* From now on OUTER_EDITED is what it rests in, and not as it was found.  brackets: pasted text comes in brackets then. */
void outer_edit(bool brackets);
void outer_rest(void);
bool outer_echoes(void);        /* as it was found */
/* ^Z: gives the terminal back, stops until somebody continues us, and takes it again in the same mode. */
void outer_suspend(void);
bool outer_was_suspended(void); /* since the last call: what was on the screen is to be drawn again */
/* Does the outer terminal itself turn \n into \r\n just now?  Then the inner one's \r is one too many. */
bool outer_adds_returns(void);
bool outer_is_terminal(void);   /* is there a human: stdin is a terminal */

#endif
