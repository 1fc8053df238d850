/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stopped process works for us: a part of ckpt_priv.h. */
#ifndef CKPT_REMOTE_H
#define CKPT_REMOTE_H

#define SCRATCH_SIZE 4096

/* Where a process can be made to work for us.  The scratch bytes are at the very top of its stack, where the kernel put
 * the program's name and environment: always there, always writable, and put back afterwards. */
struct place {
	uint64_t insn;                  /* a system call instruction */
	unsigned char behind[ARCH_CODE_SIZE];   /* what stands behind it; our code while the process works for us */
	uint64_t scratch;
	char saved[SCRATCH_SIZE];       /* the scratch bytes as the program knows them */
};

struct tracer;

struct remote {
	pid_t tid;
	const struct tracer *via;       /* another process traces it, and that one's tracer is us; or NULL */
	pid_t ns_tid;                   /* as that one knows it */
	bool last;                      /* ... and its end is told when all other threads of its process are reaped */
	unsigned stops;                 /* SIGSTOPs that came in between: they are to be sent again */
	const struct place *place;
	struct arch_regs regs;          /* as found */
	bool code;                      /* it is there behind the instruction */
	pid_t child;                    /* what the last clone made, as we see it */
	bool dead;                      /* the thread is gone: every further call says -ESRCH */
	int status;                     /* ... and how it ended */
};

int place_find(pid_t pid, struct place *place, struct err *err) must_check;
/* Put our code behind the instruction, and take it away; of a process that we trace.  Without it every call is stepped. */
void place_arm(pid_t pid, const struct place *place);
void place_disarm(pid_t pid, const struct place *place);
/* The thread must be in a ptrace stop.  Blocks its signals (not SIGTRAP: the trap's own signal, forced on a thread
 * that blocks it, would reset the program's handler); the caller sets the mask again. */
int remote_open(struct remote *r, pid_t tid, const struct place *place, struct err *err) must_check;
/* n calls from a table in its memory: batch.c.  -1: the thread is gone. */
int remote_run(struct remote *r, uint64_t table, size_t n) must_check;
/* The result as the kernel gave it: -errno on failure.  Some 10 us when we are on the tracee's processor and
 * the place is armed, twice that when not. */
long remote_syscall(struct remote *r, long nr, const uint64_t args[6]);
#define remote_call(r, nr, ...) remote_syscall((r), (nr), (const uint64_t[6]){__VA_ARGS__})
int remote_read(pid_t pid, uint64_t addr, void *data, size_t n) must_check;
int remote_write(pid_t pid, uint64_t addr, const void *data, size_t n) must_check;

struct remote_clone {
	uint64_t flags;
	uint64_t tls, child_tid;
	pid_t want;                     /* the number in the pid namespace, or 0 for any */
};

/* The new task is stopped, traced, and shares our options.  Returns its pid as we see it, or -errno. */
pid_t remote_clone(struct remote *r, const struct remote_clone *how);

/* ---- several calls in one go: batch.c ---- */

#define BATCH_CALLS 64

struct batch {
	struct remote *r;
	uint64_t buffer;                /* memory of its process that may be overwritten */
	size_t size;
	size_t used, sent;              /* bytes of data, in all and of what goes in */
	char *data;                     /* as in the buffer */
	size_t n;
	struct batch_call {
		uint64_t nr;
		uint64_t args[6];
		int64_t result;
	} calls[BATCH_CALLS];
};
#define cleanup_batch __attribute__((cleanup(batch_end)))

/* The thread of r makes the calls; in the scratch bytes, or in a buffer. */
void batch_begin(struct batch *b, struct remote *r);
void batch_begin_in(struct batch *b, struct remote *r, uint64_t buffer, size_t size);
void batch_end(struct batch *b);
/* Is there room for so many more calls and so much more data? */
bool batch_fits(const struct batch *b, size_t calls, size_t data);
/* Room for data, or data, in the process: its address there.  What goes in comes before what only comes out. */
uint64_t batch_room(struct batch *b, size_t n);
uint64_t batch_put(struct batch *b, const void *data, size_t n);
/* After the run: our copy of what is at that address. */
void *batch_at(const struct batch *b, uint64_t at);
/* Returns its index in calls[]. */
size_t batch_syscall(struct batch *b, long nr, const uint64_t args[6]);
#define batch_call(b, nr, ...) batch_syscall((b), (nr), (const uint64_t[6]){__VA_ARGS__})
/* All of them are made, whatever their results.  -1: the thread is gone. */
int batch_run(struct batch *b) must_check;
/* The parts of it: into the process, where the table is in it, and out of it. */
int batch_send(struct batch *b) must_check;
uint64_t batch_table(const struct batch *b);
int batch_receive(struct batch *b) must_check;
/* -1 with the errno of the first of these that failed. */
int batch_check(const struct batch *b, size_t from, size_t to) must_check;

#endif
