/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One error: what failed, on what, and why, in one line for the user.
 *
 * The lowest frame that knows the process or the file fills it with err_set() or err_sys(); callers put context in
 * front with err_context(); fred/ prints it once.  Functions that can fail return 0 or -1 (or NULL) and fill the
 * caller's struct err; they never print. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, first) __attribute__((format(printf, fmt, first)))

struct err {
	int sys;                /* errno of the failed call, 0 when no call failed */
	char what[400];         /* one line, no newline, no final full stop */
};

/* Each returns -1, so that a caller can write `return err_sys(err, "open %s", path);`. */
int err_set(struct err *err, const char *fmt, ...) printf_like(2, 3);
/* As err_set(), and adds ": " and the text of the present errno. */
int err_sys(struct err *err, const char *fmt, ...) printf_like(2, 3);
/* Puts "context: " in front of what err says already. */
int err_context(struct err *err, const char *fmt, ...) printf_like(2, 3);

#endif
