/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What FReD itself says to the user: lines that begin "FReD: ", messages on stdout and errors on stderr.  Only files in
 * fred/ print, and each error is printed once. */
#ifndef FRED_MESSAGE_H
#define FRED_MESSAGE_H

#include "base/err.h"

void say(const char *fmt, ...) printf_like(1, 2);
void say_error(const char *fmt, ...) printf_like(1, 2);
/* Program and debugger output, unchanged.  -1 when nobody reads any more. */
int put_output(int fd, const char *data, unsigned long n) must_check;

/* A line that is overwritten by the next one, on a terminal only, and cut to its width; progress_end() wipes it. */
void progress_line(const char *fmt, ...) printf_like(1, 2);
void progress_end(void);

#endif
