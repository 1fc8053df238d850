/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls of functions in the program on CPUs with more vector state than gdb knows.
 *
 * gdb up to 13 writes the extended registers back with a buffer of the size that it has compiled in; the kernel wants
 * the whole of what it has, or answers EFAULT (arch/x86/kernel/fpu/regset.c, xstateregs_set: count != max_size), so that
 * `print f(3)` fails with "Couldn't write extended state status: Bad address".  What gdb does not know is filled in from
 * what the thread has.  The first time that gdb writes tells whether that is necessary here. */
#include "gdb-adapter/agent/ptrace.h"

#include <stddef.h>
#include <string.h>

enum { ROOM = 65536 };                  /* AMX makes it 11 KB */

static enum { UNKNOWN, FITS, TOO_SHORT } known;

/* The kernel's whole state with gdb's in front: a struct iovec for it, of length 0 where gdb's is enough. */
static struct iovec whole_state(ptrace_function *real, pid_t tid, void *type, const struct iovec *given)
{
	static char state[ROOM];
	struct iovec whole = { state, sizeof state };

	if (real(PTRACE_GETREGSET, tid, type, &whole) < 0)
		return (struct iovec){ NULL, 0 };
	known = whole.iov_len > given->iov_len ? TOO_SHORT : FITS;
	if (known == FITS)
		return (struct iovec){ NULL, 0 };
	memcpy(state, given->iov_base, given->iov_len);
	return whole;
}

long xstate_write(ptrace_function *real, pid_t tid, void *type, struct iovec *given)
{
	struct iovec whole = { NULL, 0 };

	if (known != FITS)
		whole = whole_state(real, tid, type, given);
	return real(PTRACE_SETREGSET, tid, type, whole.iov_len > 0 ? &whole : given);
}
