/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A debugging session as the REPL and the commands see it: it ties the engine (ckpt), the algorithms (decompose) and
 * the debugger's adapter together.
 *
 * Everything goes through one event loop (session_pump.c): program output flows, keys go to the program while it runs,
 * and the agent's messages say when the debugger waits for a command.  Verbs that move through time say nothing when
 * they succeed but what the debugger itself prints; on -1 the session is back where it was before, err says why, and
 * err.sys is ECANCELED where the user typed ^C. */
#ifndef FRED_SESSION_H
#define FRED_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "fred/adapter.h"

struct session;
struct node;

enum session_state {
	SESSION_RUNNING,        /* the program or the debugger works */
	SESSION_PROMPT,         /* the debugger waits for a command */
	SESSION_MORE,           /* it waits for one more line of the same command */
	SESSION_ENDED,          /* the debugger has exited; snapshots can bring it back */
	SESSION_HANGUP,         /* nobody reads us any more, or SIGTERM: leave */
};

struct session_options {
	char **argv;            /* the debugger's command */
	bool stdin_is_input;    /* commands come from a script: stdin belongs to the program alone */
};

/* Starts the debugger. */
int session_open(struct session **session, const struct session_options *options, struct err *err) must_check;
void session_close(struct session *session);

enum session_state session_state(const struct session *session);
void session_hang_up(struct session *session);          /* nobody reads what we write: SESSION_HANGUP, for good */
/* The debugger's prompt as it printed it, "(fred) " when it has exited; borrowed until the next verb. */
const char *session_prompt(const struct session *session);
/* The debugger's exit as from wait(2), once it has ended. */
int session_status(const struct session *session);
/* The names without fred- in front that are taken for fred commands at present, NULL: none. */
const struct adapter_alias *session_aliases(const struct session *session);
/* Did the debugger end because the user told it to? */
bool session_was_quit(const struct session *session);
/* Has there ever been a prompt, so that there is somewhere to go back to? */
bool session_has_past(const struct session *session);

/* Lets the program run, with the user's keys, until the next prompt or its end. */
void session_wait(struct session *session);
/* One step of the event loop while readline has the terminal: program output, resize, the debugger's death.  Returns
 * true when stdin can be read. `interrupted` is set when ^C was typed. */
bool session_idle(struct session *session, bool *interrupted, void (*before_output)(void), void (*after_output)(void));
/* A line typed at the prompt: classify, snapshot, send, wait for the next prompt, keep it in the history. */
int session_line(struct session *session, const char *line, struct err *err) must_check;
int session_eof(struct session *session, struct err *err) must_check;
int session_interrupt(struct session *session, struct err *err) must_check;
/* Words for TAB; the event's fields are the words. */
int session_complete(struct session *session, const char *text, size_t start, size_t end,
		     struct adapter_event *words, struct err *err) must_check;
/* Text that was typed while the program ran and that it did not read: the REPL's next input. */
struct buf *session_typeahead(struct session *session);
/* Commands read from a stdin that is no terminal: the next line without its newline, NULL at its end. */
char *session_stdin_line(struct session *session);

/* Moves through time. */
int session_undo(struct session *session, long n, struct err *err) must_check;
int session_redo(struct session *session, long n, struct err *err) must_check;
enum session_reverse { REVERSE_STEP, REVERSE_NEXT, REVERSE_FINISH, REVERSE_CONTINUE, REVERSE_STEPI, REVERSE_NEXTI };
int session_reverse(struct session *session, enum session_reverse how, long n, struct err *err) must_check;
enum session_change { CHANGE_ANY, CHANGE_FIRST, CHANGE_LAST, CHANGES };
int session_watch(struct session *session, const char *expr, enum session_change which, struct err *err) must_check;

/* Checkpoints and branches. */
int session_checkpoint(struct session *session, const char *note, struct err *err) must_check;
int session_restart(struct session *session, long number, struct err *err) must_check;
int session_delete(struct session *session, long number, struct err *err) must_check;
int session_start(struct session *session, struct err *err) must_check;
int session_end(struct session *session, struct err *err) must_check;
int session_branch(struct session *session, const char *name, struct err *err) must_check;
int session_switch(struct session *session, const char *name, struct err *err) must_check;
/* The i-th branch, NULL after the last. */
const char *session_branch_name(const struct session *session, size_t i);
int session_list(struct session *session, struct buf *out, struct err *err) must_check;
/* The snapshots in the middle of runs: a line for each run. */
void session_trail(struct session *session, struct buf *out);
int session_history(struct session *session, struct buf *out, struct err *err) must_check;
int session_when(struct session *session, struct buf *out, struct err *err) must_check;

#endif
