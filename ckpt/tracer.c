/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ptrace() of a process that the leader traces, through the leader.
 *
 * A process has one tracer, and here it is the debugger.  So the debugger's thread, frozen by us, makes the ptrace() and
 * wait4() calls.  A remote system call in the traced thread then is four such calls, made in one go.  It ends, as in
 * remote.c, in a signal-delivery stop: given back its registers and its siginfo
 * there, the thread goes on as it would have from the stop that its debugger knows. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ckpt/ckpt_priv.h"

/* The vector registers do not fit into the scratch bytes.  Mapped for the operation only: the program's memory map is not
 * changed. */
int tracer_open(struct tracer *t, struct remote *r, struct err *err)
{
	cleanup_batch struct batch b = {0};

	batch_begin(&b, r);
	size_t mapped = batch_call(&b, SYS_mmap, 0, TRACER_BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1);
	uint64_t action = tracer_add_listen(&b);
	*t = (struct tracer){0};
	if (batch_run(&b) < 0)
		return err_set(err, "process %d does not answer", r->tid);
	long at = b.calls[mapped].result;
	if (at < 0 && at >= -4095) {
		errno = (int)-at;
		return err_sys(err, "get %d bytes of memory in process %d", TRACER_BUFFER, r->tid);
	}
	*t = (struct tracer){.r = r, .buffer = (uint64_t)at, .size = TRACER_BUFFER, .mapped = true};
	tracer_listens(t, batch_at(&b, action));
	return 0;
}

void tracer_close(struct tracer *t)
{
	if (t->mapped)
		remote_call(t->r, SYS_munmap, t->buffer, t->size);
	t->mapped = false;
}

void tracer_on_scratch(struct tracer *t, struct remote *r)
{
	*t = (struct tracer){.r = r, .buffer = r->place->scratch, .size = SCRATCH_SIZE};
}

void tracer_batch(struct batch *b, const struct tracer *t)
{
	batch_begin_in(b, t->r, t->buffer, t->size);
}

/* The page is not writable, which only ptrace() overrides, and that a word at a time. */
static int put_behind(const struct tracer *t, pid_t ns_tid, const struct place *place, const unsigned char *bytes)
{
	cleanup_batch struct batch b = {0};

	tracer_batch(&b, t);
	for (size_t i = 0; i < ARCH_CODE_SIZE; i += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, bytes + i, sizeof word);
		batch_call(&b, SYS_ptrace, PTRACE_POKETEXT, (uint64_t)ns_tid, arch_behind(place->insn) + i, word);
	}
	return batch_run(&b) < 0 ? -1 : batch_check(&b, 0, b.n);
}

int tracer_arm(const struct tracer *t, pid_t ns_tid, const struct place *place)
{
	return fault("ckpt-traced-code") ? -1 : put_behind(t, ns_tid, place, arch_code);
}

void tracer_disarm(const struct tracer *t, pid_t ns_tid, const struct place *place)
{
	(void)!put_behind(t, ns_tid, place, place->behind);
}

int tracer_ptrace(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, uint64_t data)
{
	long result = remote_call(t->r, SYS_ptrace, (uint64_t)request, (uint64_t)ns_tid, addr, data);

	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	return (int)result;
}

int tracer_get(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, void *data, size_t n)
{
	int result = tracer_ptrace(t, request, ns_tid, addr, t->buffer);

	if (result >= 0 && remote_read(t->r->tid, t->buffer, data, n) < 0)
		return -1;
	return result;
}

int tracer_put(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, const void *data, size_t n)
{
	if (remote_write(t->r->tid, t->buffer, data, n) < 0)
		return -1;
	return tracer_ptrace(t, request, ns_tid, addr, t->buffer);
}

int tracer_set_mask(const struct tracer *t, pid_t ns_tid, uint64_t mask)
{
	return tracer_put(t, PTRACE_SETSIGMASK, ns_tid, sizeof mask, &mask, sizeof mask);
}

/* One turn of waiting: 1 when there is nothing yet.  resume: before it, sets the registers, if there are any, and steps or
 * runs; it reads the registers at the stop. */
static int wait_for_stop(struct remote *r, bool resume, const struct arch_regs *set, int how, bool sleep, struct arch_regs *got)
{
	cleanup_batch struct batch b = {0};

	tracer_batch(&b, r->via);
	uint64_t regs = set ? batch_put(&b, set, sizeof *set) : 0;
	struct iovec in = {(void *)regs, sizeof *got}, out = in;
	uint64_t in_at = batch_put(&b, &in, sizeof in), out_at = batch_put(&b, &out, sizeof out);
	uint64_t out_regs = batch_room(&b, sizeof *got);
	((struct iovec *)batch_at(&b, out_at))->iov_base = (void *)out_regs;
	uint64_t status = batch_room(&b, sizeof r->status);
	if (resume && set)
		batch_call(&b, SYS_ptrace, PTRACE_SETREGSET, (uint64_t)r->ns_tid, NT_PRSTATUS, in_at);
	if (resume)
		batch_call(&b, SYS_ptrace, (uint64_t)how, (uint64_t)r->ns_tid, 0, 0);
	size_t resumed = b.n, waited = tracer_add_wait(&b, r, status, sleep);
	size_t read = batch_call(&b, SYS_ptrace, PTRACE_GETREGSET, (uint64_t)r->ns_tid, NT_PRSTATUS, out_at);
	if (batch_run(&b) < 0 || batch_check(&b, 0, resumed) < 0)
		return -1;
	if (b.calls[waited].result == 0)
		return 1;
	memcpy(&r->status, batch_at(&b, status), sizeof r->status);
	memcpy(got, batch_at(&b, out_regs), sizeof *got);
	return batch_check(&b, waited, read + 1) < 0 || !WIFSTOPPED(r->status) ? -1 : 0;
}

int tracer_await(struct remote *r, struct arch_regs *got)
{
	int left = 1;

	while (left > 0)
		left = wait_for_stop(r, false, NULL, 0, !tracer_reap_others(r), got);
	return left;
}

static int to_next_stop(struct remote *r, const struct arch_regs *set, int how, struct arch_regs *got)
{
	if (fault("ckpt-traced-kill"))
		kill(r->tid, SIGKILL);
	int left = wait_for_stop(r, true, set, how, true, got);
	return left > 0 ? tracer_await(r, got) : left;
}

int tracer_run(struct remote *r, const struct arch_regs *set, int how, struct arch_regs *got)
{
	for (;;) {
		if (to_next_stop(r, set, how, got) < 0)
			return -1;
		/* It cannot be blocked.  A debugger may have sent one that has not come yet, and wait for it. */
		if (r->status >> 8 != SIGSTOP)
			return 0;
		r->stops++;
		set = NULL;
	}
}

void tracer_add_set(struct batch *b, pid_t ns_tid, const struct arch_regs *regs, const siginfo_t *info, uint64_t mask)
{
	uint64_t regs_at = batch_put(b, regs, sizeof *regs);
	struct iovec v = {(void *)regs_at, sizeof *regs};
	uint64_t v_at = batch_put(b, &v, sizeof v), mask_at = batch_put(b, &mask, sizeof mask);

	batch_call(b, SYS_ptrace, PTRACE_SETREGSET, (uint64_t)ns_tid, NT_PRSTATUS, v_at);
	if (info)
		batch_call(b, SYS_ptrace, PTRACE_SETSIGINFO, (uint64_t)ns_tid, 0, batch_put(b, info, sizeof *info));
	batch_call(b, SYS_ptrace, PTRACE_SETSIGMASK, (uint64_t)ns_tid, sizeof mask, mask_at);
}

/* Where in the batch the answers of one thread are. */
struct answers {
	size_t needed, info, rseq, pending;
	uint64_t iovecs;                /* of registers, of vectors */
	uint64_t at_mask, at_info, at_control, at_rseq;
};

#define LOOK_CALLS 8
#define LOOK_ROOM (sizeof(struct look) + 512)

static void add_look(struct batch *b, pid_t ns_tid, size_t vectors, struct answers *a)
{
	static const uint64_t all = ~(1ull << (SIGTRAP - 1));
	struct __ptrace_peeksiginfo_args first = {.nr = 1};
	struct look *l = NULL;
	uint64_t tid = (uint64_t)ns_tid;
	uint64_t block = batch_put(b, &all, sizeof all), peek = batch_put(b, &first, sizeof first);
	struct iovec v[2] = {{NULL, sizeof l->regs}, {NULL, vectors}};

	a->iovecs = batch_put(b, v, sizeof v);
	a->at_mask = batch_room(b, sizeof l->mask);
	a->at_info = batch_room(b, sizeof l->info);
	a->at_control = batch_room(b, sizeof l->debug_control);
	a->at_rseq = batch_room(b, sizeof l->rseq);
	uint64_t pending = batch_room(b, sizeof(siginfo_t));
	struct iovec *out = batch_at(b, a->iovecs);
	out[0].iov_base = (void *)batch_room(b, sizeof l->regs);
	out[1].iov_base = (void *)batch_room(b, vectors);
	a->needed = batch_call(b, SYS_ptrace, PTRACE_GETREGSET, tid, NT_PRSTATUS, a->iovecs);
	batch_call(b, SYS_ptrace, PTRACE_GETSIGMASK, tid, sizeof l->mask, a->at_mask);
	batch_call(b, SYS_ptrace, PTRACE_GETREGSET, tid, ARCH_VECTORS, a->iovecs + sizeof v[0]);
	batch_call(b, SYS_ptrace, PTRACE_PEEKUSER, tid, arch_debug_offset(ARCH_DEBUG_CONTROL), a->at_control);
	batch_call(b, SYS_ptrace, PTRACE_SETSIGMASK, tid, sizeof all, block);
	/* These may fail: for want of a signal, of Linux 5.13. */
	a->info = batch_call(b, SYS_ptrace, PTRACE_GETSIGINFO, tid, 0, a->at_info);
	a->rseq = batch_call(b, SYS_ptrace, PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof l->rseq, a->at_rseq);
	a->pending = batch_call(b, SYS_ptrace, PTRACE_PEEKSIGINFO, tid, peek, pending);
}

static int take_look(const struct batch *b, const struct answers *a, struct look *l)
{
	const struct iovec *in = batch_at(b, a->iovecs);

	if (batch_check(b, a->needed, a->info) < 0)
		return -1;
	if (in[0].iov_len != sizeof l->regs) {
		errno = ENOEXEC;        /* a 32-bit program: fewer and smaller registers */
		return -1;
	}
	memcpy(&l->regs, batch_at(b, (uint64_t)in[0].iov_base), sizeof l->regs);
	memcpy(&l->mask, batch_at(b, a->at_mask), sizeof l->mask);
	memcpy(&l->info, batch_at(b, a->at_info), sizeof l->info);
	memcpy(&l->rseq, batch_at(b, a->at_rseq), sizeof l->rseq);
	memcpy(&l->debug_control, batch_at(b, a->at_control), sizeof l->debug_control);
	l->xstate_len = in[1].iov_len;
	l->xstate = xmalloc(l->xstate_len);
	memcpy(l->xstate, batch_at(b, (uint64_t)in[1].iov_base), l->xstate_len);
	l->have_info = b->calls[a->info].result == 0;
	l->have_rseq = b->calls[a->rseq].result > 0;
	l->pending = b->calls[a->pending].result != 0;
	return 0;
}

ssize_t tracer_look(const struct tracer *t, const struct remote *r, size_t n, struct look *l)
{
	static size_t vectors = ARCH_VECTORS_ROOM;      /* then what they need */
	cleanup_free struct answers *a = xcalloc(n, sizeof *a);
	cleanup_batch struct batch b = {0};
	size_t k;

	tracer_batch(&b, t);
	for (k = 0; k < n && batch_fits(&b, LOOK_CALLS, LOOK_ROOM + vectors); k++)
		add_look(&b, r[k].ns_tid, vectors, &a[k]);
	if (batch_run(&b) < 0)
		return -1;
	for (size_t i = 0; i < k; i++)
		if (take_look(&b, &a[i], &l[i]) < 0)
			return -1;
	/* The kernel gives what its processor has, whatever the program uses of it (arch/x86/kernel/fpu/regset.c). */
	if (l[0].xstate_len < vectors)
		vectors = l[0].xstate_len;
	return (ssize_t)k;
}

long tracer_syscall(struct remote *r, long nr, const uint64_t args[6])
{
	struct arch_regs call = r->regs, now;
	const struct arch_regs *set = &call;
	long result = -ESRCH;

	if (r->dead)
		return -ESRCH;
	arch_set_call(&call, r->place->insn, r->place->scratch, nr, args);
	while (tracer_run(r, set, PTRACE_CONT, &now) == 0) {
		if (arch_call_done(&now, r->place->insn, &result))
			return result;
		set = NULL;
	}
	r->dead = true;
	return -ESRCH;
}

int tracer_run_code(struct remote *r, uint64_t table, size_t n)
{
	struct arch_regs code = r->regs, now;

	arch_set_run(&code, r->place->insn, table, n);
	if (!r->dead && tracer_run(r, &code, PTRACE_CONT, &now) == 0 &&
	    (arch_is_at(&now, arch_run_end(r->place->insn)) || tracer_go_on(r, true, arch_run_end(r->place->insn)) == 0))
		return 0;
	r->dead = true;
	errno = ESRCH;
	return -1;
}

int tracer_go_on(struct remote *r, bool stopped, uint64_t end)
{
	struct arch_regs now;
	int left = stopped ? 0 : tracer_await(r, &now);

	if (stopped && r->status >> 8 == SIGSTOP)
		r->stops++;
	while (left == 0 && (stopped || !arch_is_at(&now, end))) {
		left = tracer_run(r, NULL, PTRACE_CONT, &now);
		stopped = false;
	}
	return left;
}
