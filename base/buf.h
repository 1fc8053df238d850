/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A growing byte buffer.  data always has a NUL after len, so that text in it can be used as a string. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
	char *data;             /* NULL until something was added */
	size_t len, cap;
};

void buf_add(struct buf *b, const void *data, size_t n);
void buf_addstr(struct buf *b, const char *s);
void buf_addch(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes; returns where they go.  The caller adds what it wrote to len. */
char *buf_room(struct buf *b, size_t n);
/* Forget the first n bytes. */
void buf_eat(struct buf *b, size_t n);
void buf_clear(struct buf *b);          /* keeps the memory */
void buf_free(struct buf *b);
/* The content as a string, never NULL; borrowed until the next call. */
const char *buf_str(const struct buf *b);
/* Adds s with bytes that are not printable ASCII as C escapes: for logs. */
void buf_addescaped(struct buf *b, const char *s, size_t n);

#define cleanup_buf __attribute__((cleanup(buf_free)))

#endif
