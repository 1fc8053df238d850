/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a debugger's adapter gives to the session.  A new debugger is a new folder that fills one struct adapter and one
 * line in the table of fred/adapter.c.
 *
 * An adapter talks to an agent inside the debugger over a descriptor (the *channel*), never by reading the debugger's
 * text.  The session owns the event loop: it polls adapter->fd(), calls read_event() when it is readable, and meanwhile
 * keeps the terminal's output flowing, so nothing here may block for long.  After a prompt the debugger waits for exactly
 * one answer: a line, end of file, an interrupt; requests may come before that, each answered by one ADAPTER_REPLY. */
#ifndef FRED_ADAPTER_H
#define FRED_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "decompose/machine.h"

/* What a line typed at the prompt does; architecture.md, Policy. */
enum command_class {
	COMMAND_LOOKS,          /* changes nothing: where, list, print of a plain expression */
	COMMAND_DEBUGGER,       /* changes only the debugger: breakpoints, displays, settings, selected frame */
	COMMAND_MOVES,          /* lets the program run: step, continue, finish */
	COMMAND_PROGRAM,        /* may change the program; unknown text counts as this */
	COMMAND_RESTARTS,       /* begins the program anew: run, restart; nothing before it can be reached by stepping */
	COMMAND_QUITS,
};

/* Every so many ticks the clock has a digest of its way. */
enum { ADAPTER_WAY_TICKS = 16 };

/* What clock_run() tells of its way. */
enum adapter_trace { ADAPTER_QUIET, ADAPTER_TRACES, ADAPTER_OBSERVES, ADAPTER_LEAPS };     /* the channel carries the number */

enum adapter_event_kind {
	ADAPTER_NOTHING,        /* no whole message yet */
	ADAPTER_HELLO,          /* the agent has come to life */
	ADAPTER_PROMPT,         /* the debugger waits for a command: .prompt */
	ADAPTER_MORE,           /* it waits for one more line of the same command (a block, `commands`, a question): .prompt */
	ADAPTER_REPLY,          /* the answer to the request: .fields */
	ADAPTER_TICKS,          /* a piece of a trace: .ticks */
	ADAPTER_WAYS,           /* with a trace: .fields are the number i of the first, and the ways to ticks 16(i+1), 16(i+2), ... */
	ADAPTER_ARRIVING,       /* a clock run has come to its tick and will show the place next; go_on() lets it.  stop.tick, way:
				 * 0 where not told */
	ADAPTER_NOT_HALTED,     /* trail_signal has come where no prompt can be had for it */
	ADAPTER_ALARM,          /* the trail's alarm has stopped the program in the middle of a command: go_on() or halt() */
	ADAPTER_CLOSED,         /* the agent is gone */
};

/* A place in the program, as much of it as FReD itself shows. */
struct place {
	char *file, *function;  /* owned by the holder; NULL when unknown */
	long line;
	uint32_t depth;         /* of the stop's own frame; 1 is the outermost */
	uint32_t selected;      /* depth of the frame the user has selected (up, down) */
	uint8_t kind;           /* enum machine_kind */
	bool inside;            /* now lies inside the statement, not at its start */
};

struct adapter_event {
	enum adapter_event_kind kind;
	char *prompt;           /* text of the prompt with its colours; owned by the event */
	struct machine_stop stop;       /* with ADAPTER_PROMPT: tick, depth, kind, end; tick is 0 when no clock runs */
	/* With ADAPTER_PROMPT: where the program stands, selected not filled in; or nothing, where() being dear. */
	struct place place;
	/* With ADAPTER_PROMPT at a halt or the end of a clock_run(): digests of the way from its command's start, one to here,
	 * of a byte, and above it one to the last tick that 16 divides, of 32 bits; each is 0 if not known.  The same command run
	 * again has gone another way when one differs. */
	uint64_t way;
	bool harmless;          /* with ADAPTER_MORE: its lines do no more than classify() said of the first */
	bool question;          /* with ADAPTER_MORE: shall the command do it, yes or no? */
	bool restarted;         /* with ADAPTER_PROMPT: the program began anew since the last prompt */
	/* With ADAPTER_PROMPT: the program has failed and its frames are looked at after their death.  The tick of a clock
	 * run that ends so is the last stop of the innermost of them. */
	bool post_mortem;
	bool goes_back;         /* with ADAPTER_PROMPT: the debugger goes back by means of its own, and the bare names are its */
	bool no_program;        /* with ADAPTER_PROMPT: neither now nor at the last prompt is there one that could have moved */
	bool several;           /* with ADAPTER_PROMPT: the program has had several threads */
	unsigned long long session_id; /* with ADAPTER_PROMPT: another number, another debugger object (post-mortem) */
	bool failed;            /* with ADAPTER_REPLY: the request could not be done; fields[0] says why */
	char **fields;          /* NUL terminated strings, owned by the event */
	size_t n_fields;
	struct machine_tick *ticks;
	uint8_t *tick_ways;     /* of each of the ticks that byte */
	size_t n_ticks;
};
void adapter_event_free(struct adapter_event *event);

/* An instruction with that stack pointer; the first one of a function: the start of a call. */
struct pass {
	uint64_t pc, sp;
};

/* How to start the debugger so that the agent gets into it. */
struct adapter_launch {
	char **argv;            /* as the user gave it; an adapter may put another in its place, which is borrowed */
	char **envp;            /* NULL-terminated, malloc()ed strings; an adapter may add to it */
	int keep[4];            /* descriptors the debugger must inherit */
	size_t n_keep;
	bool no_watchpoints;    /* the processor's debug registers are of no use */
};

/* Names that the debugger's users know and that the session shall take for fred commands: "reverse-next"; or, where
 * `command` is none of ours, for that command of the debugger's when an operand follows: "print" for pdb's "p". */
struct adapter_alias {
	const char *name, *command;     /* the latter with its arguments, if it has any */
	bool backwards;                 /* only while fred-set backwards is on */
};

struct adapter {
	const char *name;                       /* "pdb" */
	const struct adapter_alias *aliases;    /* ends with a NULL name */
	/* What stepping forward once is called here: {"step", "next"}, for the decomposed history. */
	const char *step, *next;
	/* The command that runs on until the frame has returned, where the clock makes no stop before that; else NULL. */
	const char *finish;
	const char *stepi;      /* the command that executes one instruction, where there is one; else NULL */
	bool repeats;                           /* an empty line means something to the debugger itself */
	/* clock_run() needs `until` for each command, not only for those that ^C ended: it is asked for where it is cheap. */
	bool needs_ends;
	bool watches;                           /* by the processor's debug registers */

	bool (*claims)(char *const *argv);
	/* Makes the channel and prepares the launch. */
	int (*open)(void **self, struct adapter_launch *launch, struct err *err);
	/* After the debugger was spawned: whatever else this process starts does not inherit the channel. */
	void (*spawned)(void *self);
	void (*close)(void *self);
	int (*fd)(void *self);
	/* Takes one message from the channel; call again until ADAPTER_NOTHING. */
	int (*read_event)(void *self, struct adapter_event *event, struct err *err);
	/* The session is going to be restored: what the debugger has not read yet, a request given up, no other shall read. */
	void (*take_back)(void *self);
	/* Forget a half-received message and requests under way: the session was restored. */
	void (*reset)(void *self);

	/* Answers to a prompt. */
	int (*line)(void *self, const char *text, struct err *err);
	int (*eof)(void *self, struct err *err);
	int (*interrupt)(void *self, struct err *err);

	/* Requests; only at a prompt. */
	int (*classify)(void *self, const char *text, struct err *err);         /* reply: class number */
	int (*complete)(void *self, const char *text, size_t start, size_t end, struct err *err);       /* reply: words */
	int (*where)(void *self, struct err *err);      /* reply: decoded by place_of() */
	/* The debugger prints the present place by its own means, as after a stop; reply when it has: no fields. */
	int (*show)(void *self, struct err *err);
	int (*place_of)(const struct adapter_event *reply, struct place *here, struct place *caller);
	int (*eval)(void *self, const char *expr, uint32_t depth, struct err *err);     /* reply: decoded by value_of() */
	/* May be NULL, both.  The frame to evaluate the expression in for the one at `depth`: that, or where it needs none the
	 * outermost.  Reply: the depth, the number of the program's threads, the one whose frame it needs, or "", and the language
	 * in which it is meant, for eval_in(), or "": that of whatever frame it is evaluated in. */
	int (*frame_for)(void *self, const char *expr, uint32_t depth, struct err *err);
	int (*eval_in)(void *self, const char *expr, uint32_t depth, const char *language, struct err *err);
	/* May be NULL, all of them: one thread alone runs.  watch_changes(): from now on changes of the expression are counted, and
	 * passes of the instruction `statement`, 0: of none, whichever thread makes them; the program halts at the change, the
	 * pass of that number, 0: at none.  Reply: 1, or 0 if they cannot be seen.  changed_by(): channel/protocol.h.
	 * alone(): the next command is to move the selected thread, without breakpoints; `really`: and no other, as long as that
	 * can be.  Reply: 1, or 0 if it cannot.  Only a return to an earlier state takes it back; watch_changes() is taken back by forget_changes(), too. */
	int (*watch_changes)(void *self, const char *expr, uint32_t depth, const char *statement, uint64_t halt,
			     uint64_t halt_pass, struct err *err);
	int (*changed_by)(void *self, struct err *err);
	int (*forget_changes)(void *self, struct err *err);
	/* May be NULL.  What tells this position from the same place in a run in which the threads raced otherwise, or the
	 * program found the world changed.  other_run: of what two runs from the program's start have in common.  Reply: two digests,
	 * struct witness; empty: it cannot be told. */
	int (*witness)(void *self, bool other_run, struct err *err);
	int (*alone)(void *self, bool really, struct err *err);
	/* The state() for a clock that counts the statements of that thread; the caller frees. */
	char *(*in_thread)(const char *state, const char *thread);
	int (*value_of)(const struct adapter_event *reply, struct machine_value *value);
	/* Breakpoints, displays and the like as one opaque string, and back, numbers kept: they survive a reverse move. */
	int (*settings_save)(void *self, struct err *err);      /* reply: one field */
	int (*settings_load)(void *self, const char *saved, struct err *err);   /* reply: warnings, a field each */

	/* How the command just executed came to its end here, so that clock_run() finds the place again: a digest of the
	 * program's state, places and values of all frames, or what else it takes.  "": always such a digest.  Reply: one
	 * field. */
	int (*state)(void *self, const char *command, struct err *err);
	/* May be NULL, both.  Is that not enough of the end yet?  Then measure() runs the command, for nothing else, and its
	 * one field is. */
	bool (*unmeasured)(const char *state);
	int (*measure)(void *self, const char *command, const char *state, struct err *err);

	/* Does what is left of a command that was halted on its way. */
	const char *go_on_command;
	/* All NULL where `run` needs no history before its first stop.  beginning(): at the prompt after the line `text` started
	 * the program, where does the way to here begin?  Reply: that, for begin(), or "" and why there is no such place, which is
	 * "" if the program begins here.  begin() answers the prompt at which text was given: the program is started, and halted
	 * there; the prompt or a failed reply, with why, ends it.  go_on_command leads from there to where text had led. */
	int (*beginning)(void *self, const char *text, struct err *err);
	int (*begin)(void *self, const char *where, struct err *err);
	const char *begin_command;      /* what a user types to come there */

	/* NULL where no run can be halted in the middle at full speed.  land() answers the prompt: the command is run to its end,
	 * or until ckpt_alarm() goes off; to the nth such pass, nth 0: to none, but they are counted; and no further than to the first pass
	 * of `end`.  Both may be NULL.  The prompt, or a failed reply, with why, ends it.  call_of(): where the call of the frame at that
	 * depth began, or one further in.  Reply: its depth, and a pass; 0 where it is not known. */
	int (*land)(void *self, const char *text, const struct pass *pass, uint64_t nth, const struct pass *end, struct err *err);
	int (*call_of)(void *self, uint32_t depth, struct err *err);
	/* NULL: never.  As land(), with hits of the enabled breakpoints of `settings` for passes: nth 0: all are counted, up to `most`; else
	 * to the nth of them, or not exactly, to a statement behind it.  state: that of the command's end, or NULL: another end is refused. */
	int (*hits)(void *self, const char *text, const char *settings, uint64_t nth, uint64_t most, bool exactly,
		    const struct pass *end, const char *state, struct err *err);
	/* 0: never.  The session may be snapshotted at any moment of a run; restored there, the debugger comes to a prompt by this signal,
	 * unless the run comes to its end before, or nothing else is possible; landed() tells.  The user's own run, too. */
	int trail_signal;
	/* NULL where there is neither.  landed() asks where such a run has come to its prompt.  Reply: "landed", at the next statement or,
	 * in a call that waits, inside one, or "pass", and then the state() there, and the place as a pass of its own, where there are
	 * passes; "many", too many passes; "vain", where the place would not be found again; "end"; or "hit", an end that is one.  Second their
	 * number, or, where there are none, how many ticks of the run were counted before it, as last_stop() counts.
	 * goes_on(): does go_on_command do what is left of such a command, given where it was halted so?  ending: the state() at its end.
	 * *end: where go_on_command is to be halted then (land()); pc 0: that comes to its end by itself.  Both NULL: it has not ended yet,
	 * and may be one. */
	int (*landed)(void *self, struct err *err);
	/* May be NULL.  At the prompt to which a run of the user's has led: the last tick of it in a frame so deep, or in a caller, 0: there was
	 * none.  Reply: that, and all its ticks; or nothing, if nobody has counted. */
	int (*last_stop)(void *self, uint32_t depth, struct err *err);
	bool (*goes_on)(const char *command, const char *ending, struct pass *end);

	/* Was the command one plain `next`, and did it come to its end by itself?  NULL: it cannot be told. */
	bool (*ended_next)(const char *command, const char *ending);

	/* Both NULL: never.  The clock_run() that comes next, with ADAPTER_OBSERVES, looks at the expression on its way; see
	 * struct machine.  language: as for eval_in(), or NULL.  Replies: whether it will; decoded by seen_of(). */
	int (*observe)(void *self, const char *expr, uint32_t depth, const char *language, struct err *err);
	int (*observed)(void *self, struct err *err);
	int (*seen_of)(const struct adapter_event *reply, struct machine_seen *seen);

	/* The statement clock.  clock_run answers the prompt: with the command `text` from tick 0, or with NULL on from
	 * where an earlier clock_run was halted.  A run that ^C ended has no end of its own when it is repeated: `until`,
	 * the state() there, says where it is; otherwise it is NULL, unless needs_ends.  ADAPTER_TICKS come meanwhile when traced, and tell
	 * where a breakpoint of the settings `breakpoints` is, if that is not NULL; ADAPTER_ARRIVING comes when
	 * `show` is not NULL and the limit was reached, which is shown with the displays of the settings `show`, "": those that
	 * are there; ADAPTER_PROMPT ends it.  by_instruction: a tick is what stepi makes. */
	int (*clock_run)(void *self, const char *text, uint64_t limit, enum adapter_trace trace, uint32_t watched,
			 const char *breakpoints, const char *show, const char *until, bool by_instruction, struct err *err);
	int (*go_on)(void *self, struct err *err);

	/* The trail: snapshots in the middle of a run.  NULL: there is none.  ckpt_alarm() with that mark makes an ADAPTER_ALARM.  halt() answers ADAPTER_ALARM in a session restored to where
	 * that came, as go_on() does when it comes: the prompt ends it, at nearly the same place.  Then land() with no command leads to the
	 * next statement. */
	int (*halt)(void *self, struct err *err);
	uint64_t alarm_mark;
	uint64_t mark_interval;         /* struct machine */
	bool leaps;                     /* does clock_run() know ADAPTER_LEAPS? */
};

/* The adapter for a command line, NULL if none claims it. */
const struct adapter *adapter_for(char *const *argv);

#endif
