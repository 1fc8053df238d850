/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pending signals: of each thread, and of the process.  fork() starts with none. */
#include <errno.h>
#include <sys/syscall.h>

#include "ckpt/ckpt_priv.h"

#define MANY 16                         /* are read at once */

static long peek_via(const struct tracer *via, pid_t ns_tid, const struct __ptrace_peeksiginfo_args *args, siginfo_t *some)
{
	struct { struct __ptrace_peeksiginfo_args args; siginfo_t some[MANY]; } *there = (void *)(uintptr_t)via->buffer;

	if (remote_write(via->r->tid, via->buffer, args, sizeof *args) < 0)
		return -1;
	int n = tracer_ptrace(via, PTRACE_PEEKSIGINFO, ns_tid, via->buffer, (uint64_t)(uintptr_t)there->some);
	if (n > 0 && remote_read(via->r->tid, (uint64_t)(uintptr_t)there->some, some, (size_t)n * sizeof *some) < 0)
		return -1;
	return n;
}

int signals_save(const struct tracer *via, pid_t tid, bool shared, struct pending *p, struct err *err)
{
	for (;;) {
		siginfo_t some[MANY];
		struct __ptrace_peeksiginfo_args args = {
			.off = p->n,
			.flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0,
			.nr = MANY,
		};
		long n = via ? peek_via(via, tid, &args, some) : ptrace(PTRACE_PEEKSIGINFO, tid, &args, some);
		if (n < 0)
			return err_sys(err, "read the pending signals of thread %d", tid);
		for (long i = 0; i < n; i++) {
			array_grow(p->info, p->n);
			p->info[p->n++] = some[i];
		}
		if (n < args.nr)
			return 0;
	}
}

int signals_restore(struct remote *r, pid_t ns_pid, pid_t ns_tid, bool shared, const struct pending *p, struct err *err)
{
	uint64_t at = r->place->scratch;

	if (fault("ckpt-signals"))
		return err_set(err, "fault ckpt-signals");
	for (size_t i = 0; i < p->n; i++) {
		uint64_t sig = (uint64_t)p->info[i].si_signo;
		long result;

		if (remote_write(r->tid, at, &p->info[i], sizeof p->info[i]) < 0)
			return err_sys(err, "write to thread %d", r->tid);
		/* Any si_code may be sent, as long as it is to oneself (kernel/signal.c, do_rt_sigqueueinfo). */
		if (shared)
			result = remote_call(r, SYS_rt_sigqueueinfo, (uint64_t)ns_pid, sig, at);
		else
			result = remote_call(r, SYS_rt_tgsigqueueinfo, (uint64_t)ns_pid, (uint64_t)ns_tid, sig, at);
		if (result < 0) {
			errno = (int)-result;
			return err_sys(err, "restore pending signal %llu", (unsigned long long)sig);
		}
	}
	return 0;
}
