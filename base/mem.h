/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory and cleanup attributes.  The small allocations of fredapp itself do not fail in practice (Linux overcommits),
 * and there is nothing sensible to do when one does: x*() say so and abort.  Sizes that a user's program determines
 * (a file's copy, a transcript) go through calls that can fail. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* Room for one more element in a growing array of `n` elements: doubles at powers of two. */
#define array_grow(array, n) \
	((((n) & ((n) - 1)) == 0) ? (void)((array) = xrealloc((array), ((n) ? 2 * (n) : 1) * sizeof *(array))) : (void)0)

static inline void cleanup_free_(void *p) { free(*(void **)p); }
#define cleanup_free __attribute__((cleanup(cleanup_free_)))

/* The value of a pointer whose ownership leaves this scope. */
static inline void *steal_pointer_(void *pp)
{
	void **p = pp, *v = *p;
	*p = NULL;
	return v;
}
#define steal_pointer(pp) ((__typeof__(*(pp)))steal_pointer_(pp))

#endif
