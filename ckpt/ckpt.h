/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checkpoint engine: a session (a debugger and the program in it) that can be frozen, copied and put back.
 *
 * A *session* is a tree of processes below an init of ours, in its own pid and mount namespaces where the machine
 * allows.  A *snapshot* is a stopped copy-on-write twin of the session's leader, traced by us, with what fork() does
 * not copy kept beside it (thread state, timers, pending signals, file offsets and contents, terminal modes); and the
 * same of each process that the leader traces, with the stops that its threads are in.  A snapshot is never used up:
 * it can be restored any number of times, in any order, until it is dropped.
 *
 * Processes that the leader traces have, once restored, the session's init for their parent, whoever it was before:
 * getppid() shows 1, and a traced process that waits for a traced child of its own no longer finds it.  Other
 * processes of the session do not go back.
 *
 * The engine knows no debugger.  All functions are for one thread: the one that called ckpt_spawn(), because ptrace
 * belongs to a thread.  Nothing here prints. */
#ifndef CKPT_CKPT_H
#define CKPT_CKPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum ckpt_isolation {
	CKPT_ISOLATION_AUTO,    /* the best of the following that works here */
	CKPT_ISOLATION_ROOT,    /* pid and mount namespace, by privilege */
	CKPT_ISOLATION_USER,    /* the same inside a user namespace of ours: no privilege needed */
	CKPT_ISOLATION_NONE,    /* no namespaces: a restored process gets another pid */
};

struct ckpt_spawn {
	char *const *argv;
	char *const *envp;              /* the debugger's environment; NULL: ours */
	int tty;                        /* slave side of a pty: controlling terminal, and descriptors 0, 1 and 2 */
	int stderr_fd;                  /* descriptor 2 instead of the tty, or -1 */
	const int *keep;                /* further descriptors that the debugger inherits at the same number */
	size_t n_keep;
	enum ckpt_isolation isolation;  /* what is asked for; ckpt_isolation() says what was got */
	size_t file_limit;              /* bytes: larger files keep their offset only (a warning); 0: 8 MB */
	const char *tmpdir;             /* where copies of file contents are kept, unlinked; NULL: $TMPDIR or /tmp */
	unsigned trace_options;         /* PTRACE_O_*: what the debugger sets for the program that it traces, which cannot
					 * be read back; 0: what gdb sets */
	/* One line for the user about something that will not go back; the same line is not repeated. */
	void (*warn)(void *ctx, const char *line);
	void *warn_ctx;
	/* In the middle of a restore: the present is gone, and what is restored has not executed anything yet.  Or NULL. */
	void (*between)(void *ctx);
	void *between_ctx;
};

struct ckpt_info {
	double taken;                   /* seconds since the session began, monotonic */
	uint64_t pause_us;              /* how long the session stood still for it */
	size_t share_bytes;             /* all of its memory, what it shares counted in parts: the sum is what all of them hold */
	size_t private_bytes;           /* memory that only this snapshot holds (costs some ms a GB to find out) */
	unsigned threads;
	bool stands;                    /* its memory is the twin of an earlier one and what differs from that: see ckpt_base_probe() */
};

struct ckpt_session;
struct ckpt_snapshot;

/* Start a debugger.  An argv[0] that cannot be executed is an error here, with its errno.  The tty must stay open in
 * the caller as long as the session lives. */
int ckpt_spawn(struct ckpt_session **session, const struct ckpt_spawn *how, struct err *err) must_check;
/* Kill everything in the session, drop all its snapshots and free it.  NULL is fine. */
void ckpt_session_free(struct ckpt_session *session);

enum ckpt_isolation ckpt_isolation(const struct ckpt_session *session);
/* The leader's pid as the caller sees it; changes with every restore.  0 when it has ended. */
pid_t ckpt_leader(const struct ckpt_session *session);
/* Sends the leader, which runs, a signal.  -1, too, where it has no handler: it would end. */
int ckpt_signal(const struct ckpt_session *session, int number, struct err *err) must_check;
/* When the one process that the leader traces, and that is stopped now, has run for so long it gets a SIGTRAP, once, if the descriptor
 * returned is open still, and `mark` in its siginfo's si_perf_data; read(2) of it gives the nanoseconds that it has run since, as a
 * uint64_t, and no more as soon as it has executed another program.  The caller closes it.  -1, too, where there is more than one such process, or
 * thread in it, where it blocks SIGTRAP, and where the kernel refuses it to an ordinary user. */
int ckpt_alarm(const struct ckpt_session *session, uint64_t us, uint64_t mark, struct err *err) must_check;
/* Pages that the session's processes have got or copied without waiting for a disk. */
uint64_t ckpt_faults(const struct ckpt_session *session);
/* The time that the leader has run, by its own clock. */
uint64_t ckpt_ran_us(const struct ckpt_session *session);
/* Is there any other process than the leader?  Those do not go back. */
bool ckpt_has_children(const struct ckpt_session *session);
/* Has the one process that the leader traces one thread? */
bool ckpt_is_alone(const struct ckpt_session *session);
/* Does this machine allow it?  For --doctor. */
int ckpt_alarm_probe(struct err *err) must_check;
/* Readable when ckpt_ended() has news: for poll().  It may have none that matters: ask, and poll again. */
int ckpt_event_fd(const struct ckpt_session *session);
/* Has the leader ended?  Then *status is as from wait(2).  Snapshots outlive it and can still be restored. */
bool ckpt_ended(struct ckpt_session *session, int *status);

/* Copy the present session.  On failure the session runs on as if nothing had been tried.  The caller owns the
 * snapshot.
 *
 * Of what the leader traces every thread must be stopped, and the leader must have fetched that from wait(): else,
 * and for a program that waits in vfork(), has a seccomp filter of its own, or is traced without namespaces, this is
 * refused.  A leader that has just printed its prompt may be refused for an event that is on its way to it.
 * Cost: fork() of each process plus about 0.1 ms and 20 us a thread, 0.1 ms a traced thread; 2.3 us for each page that
 * is written afterwards. */
int ckpt_snapshot(struct ckpt_session *session, struct ckpt_snapshot **snapshot, struct err *err) must_check;

/* What is left to do for the last snapshot and can wait: call it while the session works.  0.3 us for each page that changes. */
void ckpt_tidy(struct ckpt_session *session);

/* ckpt_restore(), and the leader gets a signal for which it has a handler, before it executes anything; where it waits in a call, in there.
 * By ckpt_signal() it would come some statements later. */
int ckpt_restore_signalled(struct ckpt_session *session, const struct ckpt_snapshot *snapshot, int number, struct err *err) must_check;

/* Put the session back as it was when `snapshot` was taken.  The present processes are killed first; where `abandoned`
 * is not NULL their memory is kept and *abandoned becomes a snapshot of the present (NULL when the leader had ended),
 * almost for free; that is refused, with nothing killed, where a snapshot would be.  The program's child processes are
 * ended.  On -1 err says which step failed, and ckpt_leader() whether the present still runs (nothing had been killed
 * yet) or is gone (0); either way the snapshots stay valid, *abandoned included, and another restore can be tried.
 * Cost: one fork of each process plus about 0.1 ms a thread. */
int ckpt_restore(struct ckpt_session *session, const struct ckpt_snapshot *snapshot,
		 struct ckpt_snapshot **abandoned, struct err *err) must_check;

/* Forget a snapshot and give its memory back.  NULL is fine. */
void ckpt_drop(struct ckpt_snapshot *snapshot);

/* Has the snapshot of what the leader traces, or of the leader where it traces nothing, a pipe or a socket, among the descriptors 3 to `below`?  As long as it has, nobody who reads from
 * the other end comes to the end of file, whatever the session closes. */
bool ckpt_holds_ends(const struct ckpt_snapshot *snapshot, int below);

void ckpt_info(const struct ckpt_snapshot *snapshot, struct ckpt_info *info);

/* Can snapshots be a copy of only what has been written since an earlier one?  -1 with the reason in err: each is a fork(). */
int ckpt_base_probe(struct err *err) must_check;

/* Do hardware watchpoints trigger?  There are virtual machines whose debug registers take everything and do nothing.  1 ms. */
int ckpt_watch_probe(struct err *err) must_check;

/* What this machine allows, for --doctor: one of the isolations or -1 with the reason in err. */
int ckpt_probe(enum ckpt_isolation isolation, struct err *err) must_check;

#endif
