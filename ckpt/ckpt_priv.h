/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside the checkpoint engine.
 *
 * The life of an operation:
 *
 *	freeze		seize and stop every thread, read what a fork() would lose        freeze.c
 *	remote		the frozen process makes system calls for us                     remote.c
 *	snapshot	one such call is clone3(): the child is the twin                 snapshot.c
 *	thaw		everything back as it was found, detach                          freeze.c
 *	restore		the present is killed                                            restore.c
 *	rebuild		the same clone3() in the twin, with the process's own number     rebuild.c
 *
 * What knows the processor is in arch/; each kind of kernel resource has a file in resource/, with a _save() called
 * while the live process is frozen and a _restore() called on the new process before it runs. */
#ifndef CKPT_CKPT_PRIV_H
#define CKPT_CKPT_PRIV_H

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <termios.h>

#include "base/aside.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ckpt/ckpt.h"

/* Newer than some libc's headers. */
#ifndef PTRACE_GETSIGMASK
#define PTRACE_GETSIGMASK 0x420a
#define PTRACE_SETSIGMASK 0x420b
#endif
#ifndef PTRACE_GET_RSEQ_CONFIGURATION
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif

/* ---- the machine: arch/ ---- */

struct arch_regs {
	struct user_regs_struct r;
};

int arch_get_regs(pid_t tid, struct arch_regs *regs) must_check;
int arch_set_regs(pid_t tid, const struct arch_regs *regs) must_check;
/* Vector and floating point registers; *state is allocated at the first call and then reused. */
int arch_get_xstate(pid_t tid, void **state, size_t *len) must_check;
int arch_set_xstate(pid_t tid, const void *state, size_t len) must_check;
/* The address of a system call instruction in the vdso at base; 0 when there is none. */
uint64_t arch_find_syscall(pid_t pid, uint64_t vdso);
/* What is put behind it while the process works for us: a trap, and a loop over the table of batch.c. */
#define ARCH_CODE_SIZE 24
extern const unsigned char arch_code[ARCH_CODE_SIZE];
uint64_t arch_behind(uint64_t insn);
void arch_set_call(struct arch_regs *regs, uint64_t insn, uint64_t stack, long nr, const uint64_t args[6]);
/* Has the system call at insn been executed?  Then *result is what it returned. */
bool arch_call_done(const struct arch_regs *regs, uint64_t insn, long *result);
/* The same for the loop. */
void arch_set_run(struct arch_regs *regs, uint64_t insn, uint64_t table, size_t n);
uint64_t arch_run_end(uint64_t insn);
bool arch_is_at(const struct arch_regs *regs, uint64_t address);
/* PTRACE_PEEKUSER: where is it? */
#define ARCH_PC_OFFSET (offsetof(struct user_regs_struct, rip))
uint64_t arch_tls(const struct arch_regs *regs);
/* Was it frozen in a call that waits for something? */
bool arch_waits(const struct arch_regs *regs);
/* A wait that was interrupted before is gone on with by restart_syscall(2), which means nothing in a twin: puts in the call that it was,
 * where its code or what was `seen` of the thread the last time (or NULL) tells. */
void arch_name_restarted(pid_t pid, struct arch_regs *regs, struct arch_regs *seen);
/* For a twin, which has none of the kernel's state of an interrupted call: make it issue the call again. */
void arch_rewind(struct arch_regs *regs);
/* Some calls (epoll_wait) end with EINTR from merely being frozen, without a signal that the program could know of: wind
 * them back in the live process too.  *until is 0 or, for a wait that an earlier freeze wound back already, when it is
 * to end (CLOCK_MONOTONIC, microseconds); *timeout tells such a wait from a new one. */
bool arch_rewind_eintr(pid_t tid, struct arch_regs *regs, uint64_t *until, uint64_t *timeout);

#include "ckpt/remote.h"

/* Settings of this processor that fork() hands down: calls that ask for one each, at most so many bytes at the address. */
#define ARCH_SETTINGS 3
#define ARCH_SETTING_SIZE 8
void arch_ask_setting(struct batch *b, int i, uint64_t at);

/* ---- tracing: remote.c, freeze.c, reap.c ---- */

int trace_mask_get(pid_t tid, uint64_t *mask) must_check;
int trace_mask_set(pid_t tid, uint64_t mask) must_check;
/* Waits for a stop of tid: 0, or -1 when it ended instead (or is not ours).  *status as from wait(2).  reap.c */
int trace_wait(pid_t tid, int *status);
/* Has the thread begun to exit?  Then nothing but its end will come of it. */
bool is_ending(pid_t tid);
/* Kills and reaps a process that we trace; false when we do not. */
bool reap_if_ours(pid_t pid);
/* For tests: FRED_FAULT=ckpt-kill:N kills a process at the N-th point at which we are about to have it do something. */
void fault_kill(pid_t pid);
/* PTRACE_SEIZE; on failure errno is left as it was set, and err says what the user can do. */
int trace_seize(pid_t tid, struct err *err) must_check;
/* From PTRACE_INTERRUPT to the stop; -1 when it ended instead. */
int trace_settle(pid_t tid);
#define TRACE_OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)

#include "ckpt/tracer.h"

/* ---- what is recorded ---- */

struct pending {
	siginfo_t *info;
	size_t n;
};

struct ckpt_thread {
	pid_t tid;                      /* as we see it; stale in a snapshot */
	pid_t ns_tid;                   /* as the program sees it */
	struct arch_regs regs;
	void *xstate;
	size_t xstate_len;
	uint64_t mask;
	uint64_t robust, robust_len;
	uint64_t clear_tid;             /* where the kernel writes 0 when the thread ends; glibc caches the tid there */
	uint32_t tid_word;              /* what stands there */
	struct rseq_area rseq;
	uint64_t rseq_cs;               /* the critical section it is in: a remote call makes the kernel forget it */
	stack_t altstack;
	cpu_set_t affinity;
	char name[16];
	struct pending pending;
	bool touched;                   /* remote calls were made: registers and mask are to be set before it goes on */
};

#define INTERVAL_TIMERS 3               /* real, virtual, prof */

/* What /proc/PID says of a process that is stopped. */
struct proc_text {
	char *status, *stat;
};

struct ckpt_proc {
	pid_t pid, ns_pid;
	struct ckpt_thread *threads;    /* [0] is the main thread */
	size_t n;
	struct place place;
	bool group_leader, session_leader, foreground;
	pid_t ns_group;                 /* of a process that is no group leader */
	int pdeath_signal;
	int subreaper;                  /* orphans below come to it: PR_SET_CHILD_SUBREAPER */
	struct itimerval interval[INTERVAL_TIMERS];
	bool shared_memory;             /* has resident MAP_SHARED anonymous or tmpfs memory */
	bool has_others;                /* children, or processes that it traces */
	long resident_kb;
	uint64_t frozen_at;
	struct proc_text text;          /* while it is frozen */
};

#include "ckpt/resource/resource.h"

/* ---- session and snapshots ---- */

struct wait {
	pid_t tid;
	uint64_t until, timeout;
	struct arch_regs seen;
};

#include "ckpt/base.h"

/* One process in a snapshot. */
struct image {
	struct ckpt_proc proc;
	pid_t twin;                     /* stopped and traced by us for ever */
	struct base *base;              /* the leader's: whose twin it is */
	struct pages *pages;            /* what is to be put into a copy of it; NULL where the twin is this snapshot's own */
	bool bare;                      /* made by way of CLONE_VM: lacks rseq and alternate stack, which fork() keeps */
	struct pending pending;         /* signals for the process */
	struct timers *timers;
	struct files *files;
	struct shared_memory *shared;
};

/* ---- processes that the leader traces: traced.c ---- */

struct stop {
	bool entry;                     /* at the entry of a system call; else before a signal is delivered, or as good as */
	enum {
		FAULT_NONE,
		FAULT_UNTRIED,          /* ... which an instruction caused: would it again? */
		FAULT_AGAIN,
		FAULT_PAST,
	} fault;
	bool have_info;
	siginfo_t info;
	unsigned sigstops;              /* that will come as soon as it goes on */
	struct arch_debug debug;
};

struct tracee {
	struct image image;
	struct stop *stops;             /* one a thread */
	struct remote *remotes;         /* ... while it is frozen */
	bool armed;                     /* ... whether our code is in it */
	size_t n_changed;               /* ... how many were moved from their stops */
	pid_t parked;                   /* the number inside of a copy that is not ours yet */
};

/* A descriptor of the leader that looks into a process that it traces: /proc/PID/mem and the like. */
struct window {
	int fd, flags;
	off_t offset;
	char path[64];
};

struct traced {
	struct tracee *list;
	size_t n;
	struct window *windows;
	size_t n_windows;
	struct tracer tracer;           /* while the leader is frozen */
	siginfo_t sigchld;              /* that the leader had pending before */
	pid_t ns_leader;
};

struct ckpt_snapshot {
	struct ckpt_session *session;
	struct ckpt_snapshot *next, **link;     /* the session's list */
	struct image leader;
	struct traced traced;
	struct terminal terminal;
	pid_t last_given;               /* numbers_save() */
	struct ckpt_info info;
};

struct ckpt_session {
	enum ckpt_isolation isolation;
	pid_t init;
	int life;                       /* init ends when this closes, and answers each byte with an empty report */
	int reports;                    /* from init: struct init_report for each process reaped */
	int tty;
	pid_t leader, ns_leader;        /* leader is 0 when it has ended, or could not be restored */
	bool killing;                   /* the leader's end will be our doing */
	bool reaped;                    /* ... and init has reaped it: its number is free */
	pid_t *awaited;                 /* others (numbers as init sees them) whose reaping is waited for */
	size_t n_awaited;
	bool asked;                     /* init has been asked for a sign */
	bool ended;
	int status;
	pid_t pid_max, last_number;     /* twins are numbered downwards from the top: see twin_number() */
	struct ckpt_snapshot *snapshots;
	struct ckpt_snapshot *untidy;   /* the last one, before ckpt_tidy() */
	struct base *base;              /* whose twin the leader was copied to, or from: what neither has written since they share */
	pid_t doomed;                   /* holds the memory of a killed present until the restore is over */
	pid_t *dying;                   /* twins that were killed and not reaped yet */
	size_t n_dying;
	bool in_the_way;                /* some of them may still be in the group or session of the original */
	char *tmpdir;
	size_t file_limit;
	unsigned trace_options;
	void (*warn)(void *ctx, const char *line);
	void *warn_ctx;
	void (*between)(void *ctx);
	void *between_ctx;
	char **warned;
	size_t n_warned;
	struct file_cache *file_cache;  /* resource/files.c */
	struct wait *waits;             /* what each thread was waiting for at the last freeze: arch_rewind_eintr(), arch_name_restarted() */
	size_t n_waits;
	uint64_t began;
	cpu_set_t own_affinity;
};

void session_warn(struct ckpt_session *s, const char *fmt, ...) printf_like(2, 3);
/* Take in what init has reported.  wait: until it has reaped the leader (if there is one) and all that are awaited. */
int session_reports(struct ckpt_session *s, bool wait, struct err *err) must_check;
/* Returns when init has finished what it was doing.  A process that it reaps is no more among its children before its
 * number is free. */
int session_settle(struct ckpt_session *s, struct err *err) must_check;
/* Move us to the processor that pid last ran on: a ptrace round trip costs 4 us there and 50 us from another. */
void cpu_enter(struct ckpt_session *s, pid_t pid, cpu_set_t *here);
void cpu_leave(struct ckpt_session *s);

/* Stops every thread and reads its state.  On -1 everything runs again. */
int freeze(struct ckpt_session *s, struct ckpt_proc *p, struct remote *main_thread, struct err *err) must_check;
void thaw(struct ckpt_session *s, struct ckpt_proc *p);
void proc_free(struct ckpt_proc *p);
/* The steps of it that serve for other processes too. */
int proc_read(struct ckpt_proc *p, struct proc_text *text, struct err *err) must_check;
/* What only one of its threads can tell: asked in a batch, told after its run. */
struct proc_question {
	size_t first;
	uint64_t signal, subreaper, timers;
};
void proc_ask(struct batch *b, struct proc_question *q);
void proc_told(struct ckpt_proc *p, const struct batch *b, const struct proc_question *q);

/* ---- thread.c ---- */

/* What can be read of a stopped thread without ptrace; rseq is known already. */
void thread_read(struct ckpt_thread *t);
/* What only the thread itself can tell: asked in a batch, told after its run. */
struct thread_question {
	size_t first;
	uint64_t stack, address, name;
};
void thread_ask(struct batch *b, struct thread_question *q, bool main_thread);
int thread_told(struct ckpt_thread *t, const struct batch *b, const struct thread_question *q, struct err *err) must_check;
/* After remote calls: into the critical section that it was in, as thread tid. */
int thread_put_rseq_cs(const struct ckpt_thread *t, pid_t tid) must_check;
/* To our processor, until it is given its own affinity. */
void thread_pin(struct ckpt_thread *t);

/* ---- /proc/PID, and its status above all: status.c ---- */

/* The whole of /proc/PID/NAME, as fd_slurp(): caller frees; NULL with errno. */
char *proc_slurp(pid_t pid, const char *name, size_t *len) must_check;
bool proc_text_read(pid_t pid, struct proc_text *text) must_check;
void proc_text_free(struct proc_text *text);
#define cleanup_text __attribute__((cleanup(proc_text_free)))
char *status_read(pid_t pid);
/* The number of a field, given as "\nName:"; 0 when there is none. */
long status_field(const char *status, const char *name);
/* ... of one that has a number for each pid namespace: that of the innermost. */
pid_t status_inside(const char *status, const char *name);
/* The number as init sees it. */
pid_t number_inside(pid_t pid);
/* A filter that the program shares with us lets our calls pass as it lets pass the program's own.  One of its own may
 * kill it for what we make it do. */
bool has_own_filter(const char *status);
/* Is the signal in that mask, "\nSigBlk:" say? */
bool status_has_signal(const char *status, const char *name, int number);
/* -1: the process has no handler for that signal. */
int check_handler(pid_t pid, int number, struct err *err) must_check;

/* ---- twins: snapshot.c ---- */

/* A copy of the process.  holder: a process that shares the memory, to keep it while the original is killed. */
pid_t twin_make(struct ckpt_session *s, struct remote *r, const struct ckpt_proc *p, bool holder, struct err *err) must_check;
/* ... of the leader, whose thread r is, for m to stand on. */
int leader_copy(struct ckpt_session *s, struct remote *r, struct image *m, bool holder, struct err *err) must_check;
/* The next number for a twin; it may be taken. */
pid_t twin_number(struct ckpt_session *s);
/* A clone under a twin's number. */
pid_t clone_numbered(struct ckpt_session *s, struct remote *r, uint64_t flags) must_check;
/* ... out of the way of the original: a number is taken as long as a process has it for its group or session. */
int twin_move_away(pid_t twin, const struct ckpt_proc *p, struct err *err) must_check;
/* The leader's, and it is asked what it can still tell, and nobody has told yet. */
int twin_settle(struct ckpt_session *s, struct ckpt_snapshot *n, struct err *err) must_check;
void twin_kill(struct ckpt_session *s, pid_t twin);
/* All of a snapshot. */
void twins_kill(struct ckpt_session *s, struct ckpt_snapshot *n);
/* ... that could not be finished: the next restore waits until they are gone, moved away or not. */
void twins_give_up(struct ckpt_session *s, struct ckpt_snapshot *n);
void twins_reap(struct ckpt_session *s, bool wait);
/* Records the frozen process with everything but its memory. */
int image_record(struct ckpt_session *s, struct image *m, struct remote *r, struct err *err) must_check;
void image_free(struct image *m);
/* The leader, and what belongs to the session as a whole. */
int snapshot_record(struct ckpt_session *s, struct ckpt_snapshot *n, struct remote *r, struct err *err) must_check;
void snapshot_link(struct ckpt_session *s, struct ckpt_snapshot *n);
void snapshot_free(struct ckpt_snapshot *n);

/* Finds what the frozen leader traces, and reads it as freeze() did the leader.  All of it must be stopped, and the leader
 * must know.  On -1 everything is as it was. */
int traced_freeze(struct ckpt_session *s, const struct ckpt_proc *leader, struct remote *main_thread, struct traced *t,
		  struct err *err) must_check;
/* Copies of them.  holder: processes that share their memory, for them to be killed. */
int traced_copy(struct ckpt_session *s, struct traced *t, bool holder, struct err *err) must_check;
/* ... become their twins; after a failure too, so that none is left. */
int traced_hold(struct ckpt_session *s, struct traced *t, bool holder, struct err *err) must_check;
/* Takes back the memory that the leader has lent. */
void traced_close(struct traced *t);
/* Every thread back to the stop where it was; the leader does not learn of anything. */
void traced_thaw(struct traced *t);
void traced_free(struct traced *t);
/* These threads of one process, in signal stops, into the stops that are recorded.  made: they are not the threads that
 * were there.  All that can be is done, also on -1. */
int tracer_place(struct remote *r, size_t n, const struct ckpt_thread *threads, const struct stop *stops, bool made,
		 pid_t ns_pid) must_check;
bool traced_has_twin(const struct traced *t, pid_t pid);

/* Faults are made anew: traced_fault.c */
/* Would thread i fault again?  Tried once, with a copy of the twin. */
bool fault_try(struct ckpt_session *s, const struct image *m, size_t i, struct stop *stop);
/* ... it does so now; a thread that we trace, or one by way of its tracer. */
int fault_again(pid_t tid, const struct ckpt_thread *t, const struct stop *stop) must_check;
void fault_again_live(struct remote *r, const struct ckpt_thread *t);

/* ---- rebuild.c ---- */

/* A process in the making. */
struct rebuilt {
	const struct image *image;
	struct remote *threads;         /* [0] is the main thread */
	pid_t *ns_tids;
	size_t n;                       /* how many have been made */
	bool let_go;                    /* not ours any more */
};

/* The process with its group and all its threads, which know nothing yet.  On -1 what was made so far is in b. */
int rebuild_process(struct ckpt_session *s, const struct image *image, struct rebuilt *b, struct err *err) must_check;
/* What fork() does not copy; the last of it are the timers, which tick from here on. */
int rebuild_state(struct ckpt_session *s, struct rebuilt *b, struct err *err) must_check;
/* Registers, masks, processors; detach. */
int rebuild_let_go(struct rebuilt *b, struct err *err) must_check;
void rebuilt_free(struct rebuilt *b);
/* Its end is reported by init. */
void rebuilt_kill(const struct rebuilt *b);

/* The processes of t, waiting for a tracer; b: one for each.  traced_restore.c */
int traced_rebuild(struct ckpt_session *s, const struct traced *t, struct rebuilt *b, struct err *err) must_check;
/* ... and that is the new leader. */
int traced_adopt(struct ckpt_session *s, const struct traced *t, struct remote *leader, const struct rebuilt *b,
		 struct err *err) must_check;

/* ---- the other processes of the session: tree.c ---- */

bool is_twin(const struct ckpt_session *s, pid_t pid);
char *children_of(pid_t pid, pid_t tid);
/* The one process that it traces; 0: none, or several. */
pid_t traced_by_leader(const struct ckpt_session *s);

struct process {
	pid_t pid, parent, tracer;
	bool zombie;                    /* a twin, perhaps, that we have reaped and init has not yet */
};
/* Every process of the session but init and the twins; caller frees *list. */
size_t tree_list(const struct ckpt_session *s, struct process **list);
/* What the killed program leaves behind is a child of init now.  It belongs to the present that is given up; and as long as
 * one is left that has the leader for its process group, the leader's number is not free. */
int kill_orphans(struct ckpt_session *s, struct err *err) must_check;
/* When the session ends: what we trace beside the twins, which init would wait for for ever. */
void reap_strays(struct ckpt_session *s);

/* ---- init: init.c ---- */

struct init_report {
	int32_t pid;                    /* as init sees it */
	int32_t status;
};

enum init_word { INIT_HELLO, INIT_SETUP_FAILED, INIT_EXEC_FAILED };

/* What init and the debugger-to-be say before exec.  HELLO carries the debugger's pid as SCM_CREDENTIALS, so that the
 * kernel translates it for us. */
struct init_message {
	int32_t word;
	int32_t pid;                    /* HELLO: as init sees it */
	int32_t sys;
	char what[200];
};

struct init_setup {
	const struct ckpt_spawn *how;
	enum ckpt_isolation isolation;
	int life, reports, start;       /* init's ends */
	uid_t uid;
	gid_t gid;
};

_Noreturn void init_main(const struct init_setup *setup);

#endif
