/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The debugged program of the ckpt tests (tracee.c), for its parts. */
#ifndef TESTS_UNIT_TRACEE_H
#define TESTS_UNIT_TRACEE_H

/* The answer to a command. */
void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A number, or the name of errno if it is negative. */
void tell_result(long r);

/* Timers, files, memory, the terminal.  1: the command is one of these, and done. */
int resource_command(char *c, char *arg);
/* What fork() hands down, and memory that moves. */
int inherited_command(char *c, char *arg);

#endif
