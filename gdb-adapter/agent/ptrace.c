/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Some of gdb's requests are not the kernel's as they are: extended registers (xstate.c), steps of the statement clock
 * (stride.c, calls.c), and to attach to a process, which
 * is refused wherever the command came from, a script of .gdbinit's too.  FReD cannot take such a process back; and if it
 * is one of FReD's own, the init of the session, all would stand still.  (What FReD does in gdb's place it does by system
 * calls of its own, which do not come here.) */
#include "gdb-adapter/agent/ptrace.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "gdb-adapter/agent/alarm.h"
#include "gdb-adapter/agent/calls.h"
#include "gdb-adapter/agent/limit.h"
#include "gdb-adapter/agent/prompt.h"
#include "gdb-adapter/agent/stride.h"

static long refuse_attach(void)
{
	dprintf(STDERR_FILENO, "FReD: only a program that gdb has started itself can be taken back: use run instead of attach\n");
	errno = EPERM;
	return -1;
}

__attribute__((visibility("default"))) long ptrace(enum __ptrace_request request, ...)
{
	static ptrace_function *real;
	va_list ap;
	pid_t tid;
	void *address, *data;

	va_start(ap, request);
	tid = va_arg(ap, pid_t);
	address = va_arg(ap, void *);
	data = va_arg(ap, void *);
	va_end(ap);
	if (real == NULL)
		real = (ptrace_function *)(uintptr_t)dlsym(RTLD_NEXT, "ptrace");
	if ((request == PTRACE_ATTACH || request == PTRACE_SEIZE) && is_in_gdb())
		return refuse_attach();
	limit_steps(request, tid);
	if (stride(real, request, tid, (long)data))
		return 0;
	if (request == PTRACE_SINGLESTEP && call_is_told(real, tid))
		request = PTRACE_SYSCALL;
	alarm_resumes(real, request, tid);
	if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE)
		return xstate_write(real, tid, address, data);
	return real(request, tid, address, data);
}
