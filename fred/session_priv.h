/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session's inside, for the files fred/session*.c alone. */
#ifndef FRED_SESSION_PRIV_H
#define FRED_SESSION_PRIV_H

#include <sys/types.h>

#include "ckpt/ckpt.h"
#include "fred/session.h"
#include "fred/timeline.h"

struct session {
	const struct adapter *adapter;
	void *agent;                    /* the adapter's self */
	struct ckpt_session *ckpt;
	struct timeline *timeline;
	bool stdin_is_input;

	enum session_state state;
	char *prompt;
	bool hangup;                    /* nobody is there any more, or SIGTERM: for good, whatever state is restored */
	bool seen_prompt;
	bool interrupted;               /* ^C was typed at the program during the present command */
	bool told_no_snapshot;          /* one complaint is enough */
	bool goes_back;                 /* see struct adapter_event */
	bool several;                   /* ... at any prompt so far */
	char *language;                 /* of the expression that is searched for: struct adapter, frame_for(); NULL: any */
	bool more_is_harmless;          /* with SESSION_MORE: see struct adapter_event, harmless */
	bool more_is_question;          /* the same, question */
	unsigned answers;               /* lines that the present command got after its own */
	bool declined;                  /* they all said no to a question */
	bool quitting;                  /* the user typed a command that ends the debugger */
	int status;

	int master, slave;              /* the inner terminal */
	int back;                       /* the slave once more, opened for us alone and not blocking: reads type-ahead back */
	int stderr_write;               /* kept open, so that the reading end never sees an end of file */
	int stderr_read;                /* the program's stderr where ours is not our stdout, else -1 */
	int signals;                    /* signalfd: INT, TERM, HUP, WINCH */
	bool silent;                    /* re-execution: output is dropped */
	const struct ways *way_known;   /* of the segment that is run again to show a place in it, or NULL */
	bool astray;                    /* stands at no node of the timeline: in the middle of FReD's work */
	bool internal;                  /* FReD works: ^C cancels, keys do not go to the program */
	bool answered;                  /* the prompt was, just now */
	bool cancelled;                 /* ^C was typed and nobody has heeded it yet */
	uint64_t work_since;            /* while internal: clock_us() */
	char *doing;                    /* ... as last told; NULL: not yet */
	struct patience {               /* with a run that may never come to the place it is to end at; all in microseconds */
		uint64_t most;          /* so long it may have run, by ckpt_ran_us(); 0: as long as it likes */
		uint64_t look;          /* clock_us() of the next look */
	} patience;
	uint64_t work_most;             /* ... and how long at most, in microseconds, as far as can be estimated; 0: it cannot */

	struct stdin_log {              /* stdin that is no terminal: all bytes read so far, and how far they are used */
		struct buf data;
		size_t pos;
		bool eof;
		size_t eofs;            /* ends of file that were typed at the program since the last prompt */
	} in;
	struct buf typed;               /* terminal input that went to the program in the present command */
	size_t read_eofs;               /* and ends of file that it read */
	struct buf typeahead;           /* what a human typed and nobody has read yet */

	struct trail {                  /* of the present command: session_points.c */
		int alarm;              /* ckpt_alarm(), or -1 */
		uint64_t ran;           /* nanoseconds that it had counted at the last look; without alarms ckpt_ran_us() at the last point */
		uint64_t next;          /* microseconds that the alarm was set to; without alarms clock_us() of the next point; 0: not known yet */
		bool off;               /* it has failed */
		unsigned points;
		uint64_t faults;        /* ckpt_faults() at the last one */
	} trail;

	char *pending;                  /* text of the command that is being executed, all its lines so far */
	enum command_class pending_class;
	uint64_t pending_since;         /* clock_us() */
	char *cached_line;              /* the last line classified, and its class: `next` comes a thousand times */
	enum command_class cached_class;
	char *last_line;                /* for the empty line, which repeats */
};

/* session_pump.c */
enum pump_result { PUMP_EVENT, PUMP_ENDED, PUMP_CANCELLED, PUMP_TIMEOUT, PUMP_HANGUP };
/* Keeps everything flowing until the agent says something, the debugger ends, or (FReD at work) ^C is typed.
 * timeout_ms < 0: none.  The caller frees *event. */
enum pump_result session_pump(struct session *s, struct adapter_event *event, int timeout_ms);
/* Takes all output that was written before now; on return the terminal holds none. */
void session_drain(struct session *s);
/* What pump said, as an error; never for PUMP_EVENT. */
int pump_error(struct session *s, enum pump_result result, struct err *err);

/* session_input.c */
bool input_wants_stdin(const struct session *s);        /* should stdin be polled while the program runs? */
bool input_wants_master(const struct session *s);       /* is there input waiting for room in the inner terminal? */
void input_from_stdin(struct session *s);               /* stdin is readable */
void input_to_master(struct session *s);                /* the inner terminal has room */
void input_take_back(struct session *s);                /* at a prompt: what the program did not read */
int input_replay(struct session *s, const struct node *node, struct err *err);
void input_discard(struct session *s);
/* After a run that halted inside `whole`: `node` gets what it has read of the input. */
void input_settle(struct session *s, const struct node *whole, struct node *node);
/* The same where the run will go on: *rest gets what it has not read, and finds it there.  The caller frees rest->typed; to come
 * back here takes input_feed(). */
struct input_rest {
	struct buf typed;
	size_t eofs;
};
int input_keep(struct session *s, const struct node *whole, struct input_rest *rest, struct err *err) must_check;
int input_feed(struct session *s, const struct input_rest *rest, struct err *err) must_check;

/* session_request.c: one question to the agent, at a prompt; 0 with the reply in *reply, which the caller frees. */
int request_reply(struct session *s, struct adapter_event *reply, int timeout_ms, struct err *err) must_check;
int request_where(struct session *s, struct place *here, struct place *caller, struct err *err) must_check;
int request_class(struct session *s, const char *line, enum command_class *class, struct err *err) must_check;
/* The adapter's digest of the state, which the caller frees. */
int request_state(struct session *s, const char *command, char **state, struct err *err) must_check;
/* struct adapter: witness().  The caller frees. */
int request_witness(struct session *s, bool other_run, struct witness *witness, struct err *err) must_check;
/* The node's, where the session stands, if it has moved there and nobody has asked yet.  -1 for ^C only. */
int request_witness_of_node(struct session *s, struct node *node, struct err *err) must_check;
/* struct adapter: beginning(), for a node at which the session stands. */
int request_beginning(struct session *s, struct node *node, struct err *err) must_check;
int request_measure(struct session *s, const char *command, char **state, struct err *err) must_check;
/* The reply to a request that evaluates an expression: as long as eval-timeout allows.  The session is astray then. */
int request_evaluated(struct session *s, const char *expr, struct adapter_event *reply, struct err *err) must_check;
/* struct adapter: frame_for().  *depth: in and out.  *threads: how many the program has, as far as it is told.  *owner: the
 * thread whose frame it needs, "": any will do; the caller frees.  From now on expressions are evaluated in its language.
 * The session is astray then. */
int request_frame_for(struct session *s, const char *expr, uint32_t *depth, long *threads, char **owner,
		      struct err *err) must_check;
int request_settings(struct session *s, char **saved, struct err *err) must_check;
int request_load_settings(struct session *s, const char *saved, struct err *err) must_check;
/* The debugger prints the present place, as it does after a stop. */
int request_show(struct session *s, struct err *err) must_check;
/* Fills in what the prompt did not tell of a node, if the session stands there. */
void request_place_of_node(struct session *s, struct node *node);
void place_free(struct place *place);
/* Is the session where it was when the node was made, by file, line, depth and kind of stop?  *how: NULL, or where it came to and
 * where that was; the caller frees. */
int request_elsewhere(struct session *s, const struct node *node, char **how, struct err *err) must_check;

/* session_run.c */
/* Waits for the prompt that ends a command and books it in the session's state; for internal runs. */
int run_to_prompt(struct session *s, struct adapter_event *event, struct err *err) must_check;
/* The debugger has exited: SESSION_ENDED and its prompt; books the command under way. */
void run_ended(struct session *s);
/* Runs the command that leads to `node` again from `start`, where the session stands, silently: its parent, or, for one that was split,
 * where it began. */
int run_again(struct session *s, const struct node *start, struct node *node, struct err *err) must_check;
/* The same, wherever that comes to. */
int run_again_anywhere(struct session *s, const struct node *start, struct node *node, struct err *err) must_check;

/* session_snapshots.c */
/* The node has this snapshot now; owned by the timeline. */
void snapshots_keep(struct timeline *t, struct node *node, struct ckpt_snapshot *snapshot);
/* Drops snapshots until the budget holds. */
void snapshots_thin(struct timeline *t);
void snapshots_drop_all(struct timeline *t);

/* session_travel.c */
/* Makes sure that the node has a snapshot if it can have one: the session stands there. */
int travel_keep_here(struct session *s, struct err *err) must_check;
/* Puts the session at a node, silently: by its snapshot, or from the nearest one before it by running again. */
int travel_to(struct session *s, struct node *node, struct err *err) must_check;
/* Restores without bookkeeping: the machine's marks. */
int travel_restore(struct session *s, const struct ckpt_snapshot *snapshot, const char *prompt, int signal, struct err *err) must_check;
/* struct ckpt_spawn, between(): what the old one has said is forgotten before the new one says anything. */
void travel_between(void *session);
/* The session counts as being at that node; it has to travel there, unless it is there. */
void travel_due(struct session *s, struct node *node);
/* As travel_to(); then shows the place and makes it the present one. */
int travel_show(struct session *s, struct node *node, struct err *err) must_check;
/* FReD starts and ends work of its own: quiet terminal, ^C cancels, output dropped. */
void work_begin(struct session *s);
void work_end(struct session *s);
/* Progress: what is being done, which is taken over; NULL: nothing new, but it still is. */
void work_tell(struct session *s, char *doing);

/* session_ways.c */
struct ways {
	uint32_t *at;           /* [i]: to tick 16(i+1) of a segment */
	size_t n;
	uint8_t *each;          /* [i]: a byte of that to tick i+1, 0: not known */
	size_t n_each;
};
void ways_add(struct ways *ways, const struct adapter_event *event);
/* event: ADAPTER_TICKS, those behind tick `at`.  The last one. */
uint64_t ways_add_ticks(struct ways *ways, uint64_t at, const struct adapter_event *event);
/* Is that another way to the tick than the one kept?  No, where none is. */
bool ways_differ(const struct ways *ways, uint64_t tick, uint64_t way);
void ways_free(struct ways *ways);
/* Has a run that ended by itself ended where the first run did? */
int end_reached(struct session *s, const struct node *end, bool *diverged, struct err *err) must_check;
/* A run has ended where `end` is: *now gets its witness.  *diverged is only ever set. */
int end_seen(struct session *s, const struct node *end, struct witness *now, bool *diverged, struct err *err) must_check;
/* Did it come to other values than the first run?  May go to `end` to see; false where it cannot be told. */
int end_compare(struct session *s, struct node *end, const struct witness *now, bool *changed, struct err *err) must_check;

/* session_machine.c */
struct fred_machine;
struct reverse_target;
/* breakpoints: the present settings, borrowed. */
struct machine *machine_open(struct session *s, const char *breakpoints, struct fred_machine **fm);
/* Of the way between two positions alone; the latter need not be in the timeline. */
struct machine *machine_open_between(struct session *s, struct node *first, struct node *last, struct fred_machine **fm);
/* Where leave() came to in the frame at that depth; NULL: it did not. */
const struct place *machine_return_to(const struct fred_machine *fm, uint32_t depth);
void machine_close(struct fred_machine *fm);
/* Must succeed before decompose/ gets the machine. */
int machine_find_death(struct fred_machine *fm, struct err *err) must_check;
/* The segment that ended in a post-mortem, -1: none. */
int machine_death_segment(const struct fred_machine *fm);
/* The node at the segment's end has its state. */
int machine_learn(struct fred_machine *fm, int segment, struct err *err) must_check;
/* To the tick that the machine has come to. */
uint64_t machine_way(const struct fred_machine *fm);
/* Was any run not like the first one?  Or like it, but with other values at the end? */
bool machine_diverged(const struct fred_machine *fm);
bool machine_changed(const struct fred_machine *fm);
/* Before a target is gone to: machine_changed(), if its segment came to other values when it was run again, or a later piece of the
 * same run did. */
int machine_compare(struct fred_machine *fm, const struct reverse_target *target, struct err *err) must_check;
/* The segment was last run to an end that was not its own: was it that one, with the same values? */
int machine_came_to(struct fred_machine *fm, int segment, struct node *end, bool *same, struct err *err) must_check;
/* Counters for reports. */
unsigned machine_snapshots(const struct fred_machine *fm);
/* The node at which segment i begins. */
struct node *machine_node(const struct fred_machine *fm, int segment);
/* So many activations have lasted through all that has been traced behind the segment where it is; UINT32_MAX: all. */
uint32_t machine_lasting(const struct fred_machine *fm);
/* Where it is: the number of a segment. */
int machine_segment(const struct fred_machine *fm);
/* A longer segment is given up: err.sys E2BIG. */
void machine_limit(struct fred_machine *fm, uint64_t ticks);
/* As run() of the machine's, past that limit and any other. */
int machine_run_on(struct fred_machine *fm, uint64_t limit, struct machine_stop *stop, struct err *err) must_check;
/* The same for what session_split.h can split; 0: nothing is.  calls: nor is gone through what was split, but for its last piece and
 * those that end at a call. */
void machine_split(struct fred_machine *fm, uint64_t ticks, bool calls);
/* A trace that is to tell of breakpoints is given up (E2BIG) in a segment of more than `near` ticks where session_hits.h can count them, and
 * has not yet; and of more than `far` where it has. */
void machine_count_hits(struct fred_machine *fm, uint64_t near, uint64_t far);
/* session_split.c: where the debugger's go_on_command is to be halted that does what is left of the command which ended there; pc 0: it
 * comes to its end by itself. */
struct pass split_rest_end(const struct session *s, const struct node *whole);
/* Can the run be split whose end that is? */
bool split_possible(const struct session *s, const struct node *end);
/* It can, and has run for so long that it is no use to look whether the clock can go through it. */
bool split_at_once(const struct node *end);
/* From now on the debugger shows each place that is run to. */
void machine_show(struct fred_machine *fm);

#endif
