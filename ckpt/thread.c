/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read of a thread, and given back to it, in the same way whoever traces it. */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "ckpt/ckpt_priv.h"

#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

#define RSEQ_CS_OFFSET 8                /* struct rseq, linux/rseq.h */

void thread_read(struct ckpt_thread *t)
{
	void *head = NULL;
	size_t len = 0;

	if (syscall(SYS_get_robust_list, t->tid, &head, &len) == 0) {
		t->robust = (uint64_t)(uintptr_t)head;
		t->robust_len = len;
	}
	if (t->rseq.ptr && remote_read(t->tid, t->rseq.ptr + RSEQ_CS_OFFSET, &t->rseq_cs, sizeof t->rseq_cs) < 0)
		t->rseq_cs = 0;
}

int thread_put_rseq_cs(const struct ckpt_thread *t, pid_t tid)
{
	return t->rseq_cs ? remote_write(tid, t->rseq.ptr + RSEQ_CS_OFFSET, &t->rseq_cs, sizeof t->rseq_cs) : 0;
}

void thread_pin(struct ckpt_thread *t)
{
	cpu_set_t here;

	if (sched_getaffinity(t->tid, sizeof t->affinity, &t->affinity) < 0)
		CPU_ZERO(&t->affinity);
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	sched_setaffinity(t->tid, sizeof here, &here);
}

int thread_ask(struct ckpt_thread *t, struct remote *r, bool main_thread, struct err *err)
{
	struct { stack_t altstack; uint64_t clear_tid; } answer;
	uint64_t at = r->place->scratch, tid_at = at + sizeof answer.altstack;

	long stack = remote_call(r, SYS_sigaltstack, 0, at);
	long address = remote_call(r, SYS_prctl, PR_GET_TID_ADDRESS, tid_at);
	if (stack < 0 || remote_read(t->tid, at, &answer, sizeof answer) < 0)
		return err_set(err, "thread %d does not answer: it was killed, or cannot make system calls", t->tid);
	/* EINVAL: a kernel without CONFIG_CHECKPOINT_RESTORE. */
	t->clear_tid = address < 0 ? 0 : answer.clear_tid;
	if (t->clear_tid && remote_read(t->tid, t->clear_tid, &t->tid_word, sizeof t->tid_word) < 0)
		t->clear_tid = 0;
	t->altstack = answer.altstack;
	t->altstack.ss_flags &= ~SS_ONSTACK;
	if (!main_thread)
		remote_call(r, SYS_prctl, PR_GET_NAME, at);
	if (!main_thread && remote_read(t->tid, at, t->name, sizeof t->name) < 0)
		t->name[0] = 0;
	return 0;
}
