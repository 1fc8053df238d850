/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log for FReD's own developers and bug reports: FRED_LOG=ckpt:debug,pty:info (or all:debug), one line an event,
 * to stderr or to the file of --log.  Off by default; a disabled line costs one comparison. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_area { LOG_CKPT, LOG_PTY, LOG_AGENT, LOG_SESSION, LOG_DECOMPOSE, LOG_AREAS };
enum log_level { LOG_OFF, LOG_INFO, LOG_DEBUG };

extern enum log_level log_levels[LOG_AREAS];

/* Reads a specification as in FRED_LOG; words that are no area are ignored.  path NULL: stderr. */
int log_open(const char *spec, const char *path, struct err *err) must_check;
void log_line(enum log_area area, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line with bytes that arrived or left, escaped. */
void log_bytes(enum log_area area, const char *what, const char *data, unsigned long n);

#define log_info(area, ...) ((log_levels[area] >= LOG_INFO) ? log_line(area, __VA_ARGS__) : (void)0)
#define log_debug(area, ...) ((log_levels[area] >= LOG_DEBUG) ? log_line(area, __VA_ARGS__) : (void)0)

#endif
