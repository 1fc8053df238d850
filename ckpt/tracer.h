/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ptrace through the leader: a part of ckpt_priv.h. */
#ifndef CKPT_TRACER_H
#define CKPT_TRACER_H

#define TRACER_BUFFER 65536

struct tracer {
	struct remote *r;               /* the leader's thread that is the tracer, frozen */
	uint64_t buffer;                /* memory of its process, for what ptrace() reads and writes */
	size_t size;
	bool mapped;
	bool deaf;                      /* it is not told of stops: tracer_wait.c */
};

/* Maps the buffer. */
int tracer_open(struct tracer *t, struct remote *r, struct err *err) must_check;
void tracer_close(struct tracer *t);
/* Without vector registers the scratch bytes will do. */
void tracer_on_scratch(struct tracer *t, struct remote *r);
/* Several of its calls in one go. */
void tracer_batch(struct batch *b, const struct tracer *t);
/* As place_arm() and place_disarm(), of a process that it traces. */
int tracer_arm(const struct tracer *t, pid_t ns_tid, const struct place *place) must_check;
void tracer_disarm(const struct tracer *t, pid_t ns_tid, const struct place *place);
/* As ptrace(2), of a thread by its number inside; `data` is an address there, or a plain value. */
int tracer_ptrace(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, uint64_t data);
/* ... with data that the kernel writes, or reads. */
int tracer_get(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, void *data, size_t n);
int tracer_put(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, const void *data, size_t n);
int tracer_set_mask(const struct tracer *t, pid_t ns_tid, uint64_t mask) must_check;
/* Sets registers (unless NULL), steps or runs (`how`) to the next stop, r->status, and reads them there; -1 when it ended. */
int tracer_run(struct remote *r, const struct arch_regs *set, int how, struct arch_regs *got);
/* Waits for the stop of a thread that has been resumed, and reads its registers there. */
int tracer_await(struct remote *r, struct arch_regs *got);
/* Adds what sets registers, siginfo (unless NULL) and mask, of a thread in a signal stop. */
#define TRACER_SET_CALLS 3
#define TRACER_SET_ROOM 512
void tracer_add_set(struct batch *b, pid_t ns_tid, const struct arch_regs *regs, const siginfo_t *info, uint64_t mask);

/* tracer_wait.c */
/* Adds the question whether the tracer is told of stops; its answer is at the address. */
uint64_t tracer_add_listen(struct batch *b);
void tracer_listens(struct tracer *t, const void *answer);
/* Adds the call that waits for the thread, or (its result is 0) only asks; with sleep, as long as there is no news at all.
 * Returns its index. */
size_t tracer_add_wait(struct batch *b, const struct remote *r, uint64_t status, bool sleep);
/* Where the thread is delayed in ending by others: have its tracer reap them.  Returns whether there was one. */
bool tracer_reap_others(const struct remote *r);
/* The tracer has been sent SIGCHLD for what we did. */
void tracer_forget_news(const struct tracer *t);

/* All that can be read from outside of a stopped thread; its signals are blocked then.  After it a struct remote with `via` set works
 * for it as for our own, if it stands in a signal stop. */
struct look {
	struct arch_regs regs;
	void *xstate;                   /* the caller frees it, also on failure */
	size_t xstate_len;
	uint64_t mask;
	siginfo_t info;
	unsigned long debug_control;
	struct rseq_area { uint64_t ptr; uint32_t size, sig, flags, pad; } rseq;
	bool have_info, have_rseq, pending;
};
/* At as many of n threads as there is room for: how many. */
ssize_t tracer_look(const struct tracer *t, const struct remote *r, size_t n, struct look *l) must_check;
long tracer_syscall(struct remote *r, long nr, const uint64_t args[6]);
int tracer_run_code(struct remote *r, uint64_t table, size_t n) must_check;
/* Until it is at `end`, whatever stops it on the way; stopped: it is, elsewhere, and r->status says why. */
int tracer_go_on(struct remote *r, bool stopped, uint64_t end) must_check;

/* tracer_each.c */
/* As batch_run(), of batches of threads of one process at once; -1 when one of them is gone. */
int tracer_run_each(struct batch *work, size_t n) must_check;
/* ... how many at most. */
size_t tracer_room_for_each(const struct tracer *t);
/* To signal stops for a SIGSTOP: all threads of a process, the main thread first. */
int tracer_attach_each(struct remote *r, size_t n, unsigned options) must_check;

#define ARCH_VECTORS 0x202              /* NT_X86_XSTATE */
#define ARCH_VECTORS_ROOM (16 << 10)    /* 2.7 KB with AVX-512, 11 KB with AMX */

/* Debug registers; arch/x86_64_traced.c. */
#define ARCH_DEBUG_CONTROL 7            /* DR7: which of DR0 to DR3 are in use */
struct arch_debug {
	unsigned long r[8];
};
size_t arch_debug_offset(unsigned i);
int arch_debug_get(const struct tracer *t, pid_t ns_tid, struct arch_debug *d) must_check;
int arch_debug_set(pid_t tid, const struct arch_debug *d) must_check;
/* Did an instruction cause the signal, so that executing it again causes it again? */
bool arch_is_fault(const siginfo_t *info);
/* For a twin that is put into a signal stop with these registers: see arch_rewind(). */
void arch_resumable(struct arch_regs *regs);
/* From the registers in a system call's entry stop: those to enter it with, at insn. */
void arch_set_entry(struct arch_regs *regs, uint64_t insn);

#endif
