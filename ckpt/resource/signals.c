/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pending signals: of each thread, and of the process.  fork() starts with none. */
#include <errno.h>
#include <sys/syscall.h>

#include "ckpt/ckpt_priv.h"

int signals_save(pid_t tid, bool shared, struct pending *p, struct err *err)
{
	for (;;) {
		siginfo_t some[16];
		struct __ptrace_peeksiginfo_args args = {
			.off = p->n,
			.flags = shared ? PTRACE_PEEKSIGINFO_SHARED : 0,
			.nr = (int)(sizeof some / sizeof *some),
		};
		long n = ptrace(PTRACE_PEEKSIGINFO, tid, &args, some);
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
