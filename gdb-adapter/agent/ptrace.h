/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdb's calls of ptrace(), before the kernel gets them. */
#ifndef GDB_ADAPTER_AGENT_PTRACE_H
#define GDB_ADAPTER_AGENT_PTRACE_H

#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef long ptrace_function(enum __ptrace_request request, ...);

/* PTRACE_SETREGSET of the extended registers. */
long xstate_write(ptrace_function *real, pid_t tid, void *type, struct iovec *given);

#endif
