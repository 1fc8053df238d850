/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read of a thread, and given back to it, in the same way whoever traces it. */
#include <string.h>
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

void thread_ask(struct batch *b, struct thread_question *q, bool main_thread)
{
	q->stack = batch_room(b, sizeof(stack_t));
	q->address = batch_room(b, sizeof(uint64_t));
	q->name = main_thread ? 0 : batch_room(b, sizeof ((struct ckpt_thread *)0)->name);
	q->first = batch_call(b, SYS_sigaltstack, 0, q->stack);
	batch_call(b, SYS_prctl, PR_GET_TID_ADDRESS, q->address);
	if (!main_thread)
		batch_call(b, SYS_prctl, PR_GET_NAME, q->name);
}

int thread_told(struct ckpt_thread *t, const struct batch *b, const struct thread_question *q, struct err *err)
{
	if (batch_check(b, q->first, q->first + 1) < 0)
		return err_set(err, "thread %d does not answer: it was killed, or cannot make system calls", t->tid);
	memcpy(&t->altstack, batch_at(b, q->stack), sizeof t->altstack);
	t->altstack.ss_flags &= ~SS_ONSTACK;
	memcpy(&t->clear_tid, batch_at(b, q->address), sizeof t->clear_tid);
	/* EINVAL: a kernel without CONFIG_CHECKPOINT_RESTORE. */
	if (b->calls[q->first + 1].result < 0 ||
	    (t->clear_tid && remote_read(t->tid, t->clear_tid, &t->tid_word, sizeof t->tid_word) < 0))
		t->clear_tid = 0;
	if (q->name)
		memcpy(t->name, batch_at(b, q->name), sizeof t->name);
	return 0;
}
