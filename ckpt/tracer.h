/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ptrace through the leader: a part of ckpt_priv.h. */
#ifndef CKPT_TRACER_H
#define CKPT_TRACER_H

#define TRACER_BUFFER 65536

struct tracer {
	struct remote *r;               /* the leader's thread that is the tracer, frozen */
	uint64_t buffer;                /* memory of its process, for what ptrace() reads and writes */
	size_t size;
	uint64_t code;                  /* for batch.c; 0: there is none */
	bool mapped;
};

/* Maps the buffer. */
int tracer_open(struct tracer *t, struct remote *r, struct err *err) must_check;
void tracer_close(struct tracer *t);
/* Without vector registers the scratch bytes will do. */
void tracer_on_scratch(struct tracer *t, struct remote *r);
/* As ptrace(2), of a thread by its number inside; `data` is an address there, or a plain value. */
int tracer_ptrace(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, uint64_t data);
/* ... with data that the kernel writes, or reads. */
int tracer_get(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, void *data, size_t n);
int tracer_put(const struct tracer *t, int request, pid_t ns_tid, uint64_t addr, const void *data, size_t n);
int tracer_wait(const struct tracer *t, pid_t ns_tid, int *status);
int tracer_set_mask(const struct tracer *t, pid_t ns_tid, uint64_t mask) must_check;
/* Sets registers (unless NULL), steps or runs (`how`) to the next stop, r->status, and reads them there; -1 when it ended. */
int tracer_run(struct remote *r, const struct arch_regs *set, int how, struct arch_regs *got);
/* Registers, siginfo (unless NULL) and mask, of a thread in a signal stop. */
int tracer_set(const struct tracer *t, pid_t ns_tid, const struct arch_regs *regs, const siginfo_t *info,
	       uint64_t mask) must_check;
/* To a signal stop for a SIGSTOP. */
int tracer_attach(const struct tracer *t, pid_t ns_tid, unsigned options) must_check;

/* All that can be read from outside of a stopped thread; its signals are blocked then.  A struct remote with `via` set works
 * for it as for our own, if it stands in a signal stop. */
struct look {
	struct arch_regs regs;
	void *xstate;                   /* the caller frees it */
	size_t xstate_len;
	uint64_t mask;
	siginfo_t info;
	unsigned long debug_control;
	struct rseq_area { uint64_t ptr; uint32_t size, sig, flags, pad; } rseq;
	bool have_info, have_rseq, pending;
};
int tracer_look(const struct tracer *t, pid_t ns_tid, struct look *l) must_check;
long tracer_syscall(struct remote *r, long nr, const uint64_t args[6]);

/* ---- several calls of the tracer in one go: batch.c ---- */

struct batch {
	const struct tracer *t;
	size_t n, used, sent;
	struct {
		int64_t nr;
		uint64_t args[6];
		int64_t result;
	} calls[16];                    /* one less, and the end */
	char data[24 << 10];            /* as in the tracer's memory */
};

void batch_begin(struct batch *b, const struct tracer *t);
/* Room for data, or data, in the tracer: its address there.  What goes in comes before what only comes out. */
uint64_t batch_room(struct batch *b, size_t n);
uint64_t batch_put(struct batch *b, const void *data, size_t n);
/* After the run: our copy of what is at that address. */
void *batch_at(struct batch *b, uint64_t at);
/* Returns its index in calls[]. */
size_t batch_syscall(struct batch *b, long nr, const uint64_t args[6]);
#define batch_call(b, nr, ...) batch_syscall((b), (nr), (const uint64_t[6]){__VA_ARGS__})
/* All of them are made, whatever their results. */
int batch_run(struct batch *b) must_check;
/* -1 with the errno of the first of these that failed. */
int batch_check(const struct batch *b, size_t from, size_t to) must_check;

extern const unsigned char arch_batch_code[];
extern const size_t arch_batch_size, arch_batch_end;
void arch_set_run(struct arch_regs *regs, uint64_t code, uint64_t stack, uint64_t argument);
bool arch_is_at(const struct arch_regs *regs, uint64_t address);

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
