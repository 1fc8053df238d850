/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session whose debugger is a real gdb on a pty, and whose program is a role of traced_program.c in this very binary. */
#ifndef TESTS_UNIT_GDB_HELP_H
#define TESTS_UNIT_GDB_HELP_H

#include "tests/unit/ckpt_help.h"

/* gdb at its first prompt; skips the test, aloud, where there is no gdb or this isolation cannot run. */
void g_start(struct t_session *t, const char *role);
void g_start_with(struct t_session *t, const char *role, const char *arg, enum ckpt_isolation isolation);
/* There must have been no warning. */
void g_end(struct t_session *t);
/* Types a command; what gdb and the program print up to the next prompt, borrowed until the next call. */
const char *g_do(struct t_session *t, const char *fmt, ...) printf_like(2, 3);
/* Types, and waits for no prompt. */
void g_type(struct t_session *t, const char *text);
/* What comes up to this text. */
const char *g_until(struct t_session *t, const char *end);
/* The output must have this in it. */
void g_expect(struct t_session *t, const char *part, const char *fmt, ...) printf_like(3, 4);
/* Runs these commands, and keeps all that they print: the caller frees it. */
char *g_look(struct t_session *t, const char *const *commands);

#endif
