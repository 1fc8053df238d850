/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several threads of a traced process at once: each round trip through their tracer costs as much as all that one of them is
 * asked. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

/* One thread's part of a round trip. */
struct part {
	size_t first, waited, where;
	uint64_t status, pc;
};

static void add_start(struct batch *b, const struct batch *work, struct part *p)
{
	const struct remote *r = work->r;
	struct arch_regs regs = r->regs;

	arch_set_run(&regs, r->place->insn, batch_table(work), work->n);
	uint64_t regs_at = batch_put(b, &regs, sizeof regs);
	struct iovec v = {(void *)regs_at, sizeof regs};
	uint64_t v_at = batch_put(b, &v, sizeof v);
	p->status = batch_room(b, sizeof(int));
	p->pc = batch_room(b, sizeof(uint64_t));
	p->first = batch_call(b, SYS_ptrace, PTRACE_SETREGSET, (uint64_t)r->ns_tid, NT_PRSTATUS, v_at);
	batch_call(b, SYS_ptrace, PTRACE_CONT, (uint64_t)r->ns_tid, 0, 0);
}

static void add_end(struct batch *b, const struct remote *r, struct part *p)
{
	p->waited = tracer_add_wait(b, r, p->status, false);
	p->where = batch_call(b, SYS_ptrace, PTRACE_PEEKUSER, (uint64_t)r->ns_tid, ARCH_PC_OFFSET, p->pc);
}

/* What it is usually is at the end of its code; else it goes on by itself. */
static int finish(const struct batch *b, struct remote *r, const struct part *p)
{
	uint64_t end = arch_run_end(r->place->insn), pc;

	if (batch_check(b, p->first, p->first + 2) < 0 || batch_check(b, p->waited, p->waited + 1) < 0)
		return -1;
	if (b->calls[p->waited].result == 0)
		return tracer_go_on(r, false, end);
	memcpy(&r->status, batch_at(b, p->status), sizeof r->status);
	memcpy(&pc, batch_at(b, p->pc), sizeof pc);
	if (!WIFSTOPPED(r->status))
		return -1;
	return b->calls[p->where].result == 0 && pc == end ? 0 : tracer_go_on(r, true, end);
}

size_t tracer_room_for_each(const struct tracer *t)
{
	const size_t most = 4 * sizeof(struct batch_call) + sizeof(struct arch_regs) + 5 * 16;

	size_t n = t->size / most;
	return n * 4 <= BATCH_CALLS ? n : BATCH_CALLS / 4;
}

/* The main thread last: it may be that it cannot be waited for before the others. */
int tracer_run_each(struct batch *work, size_t n)
{
	cleanup_batch struct batch b = {0};
	cleanup_free struct part *parts = xcalloc(n, sizeof *parts);
	int result = 0;

	tracer_batch(&b, work[0].r->via);
	for (size_t i = 0; i < n; i++) {
		if (fault("ckpt-traced-kill"))
			kill(work[i].r->tid, SIGKILL);
		if (batch_send(&work[i]) < 0)
			return -1;
		add_start(&b, &work[i], &parts[i]);
	}
	for (size_t i = n; i-- > 0;)
		add_end(&b, work[i].r, &parts[i]);
	if (batch_run(&b) < 0)
		return -1;
	for (size_t i = n; i-- > 0;)
		if (finish(&b, work[i].r, &parts[i]) < 0) {
			work[i].r->dead = true;
			result = -1;
		}
	for (size_t i = 0; i < n && result == 0; i++)
		result = batch_receive(&work[i]);
	return result;
}

static int attach_some(struct remote *r, size_t n, unsigned options)
{
	cleanup_batch struct batch b = {0};
	cleanup_free struct part *parts = xcalloc(n, sizeof *parts);
	struct arch_regs ignored;
	bool awaited = true;

	tracer_batch(&b, r->via);
	for (size_t i = 0; i < n; i++) {
		parts[i].status = batch_room(&b, sizeof(int));
		parts[i].first = batch_call(&b, SYS_ptrace, PTRACE_ATTACH, (uint64_t)r[i].ns_tid, 0, 0);
	}
	for (size_t i = n; i-- > 0;) {
		parts[i].waited = tracer_add_wait(&b, &r[i], parts[i].status, false);
		parts[i].where = batch_call(&b, SYS_ptrace, PTRACE_SETOPTIONS, (uint64_t)r[i].ns_tid, 0, options);
	}
	if (batch_run(&b) < 0)
		return -1;
	for (size_t i = n; i-- > 0;) {
		const struct part *p = &parts[i];
		if (batch_check(&b, p->first, p->first + 1) < 0 || batch_check(&b, p->waited, p->waited + 1) < 0)
			return -1;
		memcpy(&r[i].status, batch_at(&b, p->status), sizeof r[i].status);
		awaited = b.calls[p->waited].result != 0;
		if (awaited && (!WIFSTOPPED(r[i].status) || batch_check(&b, p->where, p->where + 1) < 0))
			return -1;
	}
	/* Only the main thread, which was the last. */
	return awaited ? 0 : tracer_await(r, &ignored) < 0 ? -1 : tracer_ptrace(r->via, PTRACE_SETOPTIONS, r->ns_tid, 0, options);
}

/* The main thread in the last round: killed, it would be told of after the others, and they must be traced for it to learn
 * when (tracer_wait.c). */
int tracer_attach_each(struct remote *r, size_t n, unsigned options)
{
	size_t most = BATCH_CALLS / 3, some;

	for (; n; n -= some) {
		some = n < most ? n : most;
		if (attach_some(r + n - some, some, options) < 0)
			return -1;
	}
	return 0;
}
