/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdb-adapter/agent/alarm.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "channel/agent/channel.h"
#include "channel/protocol.h"
#include "gdb-adapter/agent/hits.h"
#include "gdb-adapter/agent/prompt.h"

typedef pid_t waitpid_function(pid_t pid, int *status, int options);

/* include/uapi/asm-generic/siginfo.h: behind the address comes what the event was opened with.  The C library's header has no
 * name for it. */
struct perf_siginfo {
	int signo, error, code;
	void *address;
	unsigned long data;
};
enum { CODE_PERF = 6 };                 /* TRAP_PERF */

/* How the program was let run the last time: an alarm does not change that. */
static struct {
	ptrace_function *real;
	pid_t tid;
	enum __ptrace_request request;
} resumed;

void alarm_resumes(ptrace_function *real, enum __ptrace_request request, pid_t tid)
{
	if (request != PTRACE_CONT && request != PTRACE_SINGLESTEP && request != PTRACE_SYSCALL)
		return;
	resumed.real = real;
	resumed.tid = tid;
	resumed.request = request;
}

static bool is_alarm(pid_t tid, int status)
{
	union {
		siginfo_t info;
		struct perf_siginfo perf;
	} at = { 0 };

	if (!WIFSTOPPED(status) || status >> 8 != SIGTRAP || resumed.tid != tid ||
	    resumed.real(PTRACE_GETSIGINFO, tid, NULL, &at.info) != 0)
		return false;
	return at.perf.code == CODE_PERF && at.perf.data == ALARM_MARK;
}

/* Shall gdb hear of it?  Not if there is nobody to ask. */
static bool ask_fredapp(void)
{
	const char *body;
	size_t n;
	int type = 0;

	if (!channel_send(MESSAGE_ALARM, "", 0))
		return false;
	while (type != MESSAGE_GO_ON && type != MESSAGE_HALT) {
		if (!channel_message(&type, &body, &n) && channel_read() == CHANNEL_GONE)
			return false;
	}
	return type == MESSAGE_HALT;
}

__attribute__((visibility("default"))) pid_t waitpid(pid_t pid, int *status, int options)
{
	static waitpid_function *real;
	int here = 0, error;
	pid_t got;

	if (real == NULL)
		real = (waitpid_function *)(uintptr_t)dlsym(RTLD_NEXT, "waitpid");
	for (;;) {
		error = errno;
		got = real(pid, &here, options);
		if (got > 0 && resumed.tid == got && is_in_gdb())
			here = hits_pass(resumed.real, resumed.request, got, here);
		if (got <= 0 || !is_in_gdb() || !is_alarm(got, here) || ask_fredapp())
			break;
		/* Killed meanwhile: the next wait says so. */
		resumed.real(resumed.request, got, NULL, NULL);
		errno = error;
	}
	if (status != NULL && got > 0)
		*status = here;
	return got;
}
