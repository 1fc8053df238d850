/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The channel between fredapp (messages.c) and an agent inside the debugger (agent/): a socketpair, SOCK_STREAM.
 *
 * Each message is a header of five bytes, a little-endian u32 with the length of the body and one byte with the type,
 * and the body: fields of UTF-8 text (surrogateescape for bytes that are none), each ended by a NUL.  The body of
 * MESSAGE_TICKS is little-endian u32s instead, one a tick: way << 24 | depth << 4 | breakpoint << 3 | kind, the way being a
 * digest of the way to that tick, 0 where there is none;
 * and one with kind 4 where a watchpoint triggered in between (MACHINE_TRIGGER), with 5 where the stop was rough (MACHINE_ROUGH).
 *
 * A conversation: HELLO once, when the debugger is there.  PROMPT or MORE whenever it reads a line; then any
 * number of requests, each answered by REPLY or FAILED (whose one field says why), then one answer: LINE, END_OF_FILE,
 * INTERRUPT or CLOCK_RUN.  After CLOCK_RUN come TICKS if asked for, ARRIVING if asked for (fredapp says GO_ON), and PROMPT.
 * ALARM may come while the program runs.
 * A PROMPT may follow a PROMPT unanswered: the debugger got a SIGINT at its prompt. */
#ifndef CHANNEL_PROTOCOL_H
#define CHANNEL_PROTOCOL_H

/* The environment variable with the number of the agent's descriptor. */
#define AGENT_FD "FRED_AGENT_FD"

/* The signal that brings a pdb in the middle of a run to a prompt (pdb-adapter/agent/halt.h).  Far from SIGRTMIN, where
 * libraries begin to count, and from SIGRTMAX, which valgrind has. */
#define AGENT_HALT_SIGNAL 58

enum {
	MESSAGE_HEADER = 5,
	MESSAGE_MAX = 16 << 20, /* a longer body is taken for garbage */
	PROTOCOL_VERSION = 1,
	ALARM_MARK = 0x46524544, /* si_perf_data of a SIGTRAP of the trail's alarm */
};

enum agent_message {
	MESSAGE_HELLO = 'H',    /* protocol version, the debugger's version */
	MESSAGE_PROMPT = 'P',   /* text, tick, depth, kind, end, inside (and 2: cut), restarted (and 2: goes back by means of its own, 4: no program, 8: several threads), post-mortem, session id, file, line, function (or no file), way */
	MESSAGE_MORE = 'M',     /* text, harmless, question of yes or no */
	MESSAGE_REPLY = 'R',
	MESSAGE_FAILED = 'F',
	MESSAGE_TICKS = 'T',
	MESSAGE_WAYS = 'C',     /* number of the first, then the ways to each sixteenth tick (ADAPTER_WAY_TICKS); 31 bits */
	MESSAGE_ARRIVING = 'A', /* tick, way; or nothing */
	MESSAGE_NOT_HALTED = 'N',       /* AGENT_HALT_SIGNAL has come where no prompt can be had for it */
	MESSAGE_ALARM = 'L',    /* in the middle of a command the trail's alarm has stopped the program, and the debugger is not told yet: GO_ON or HALT */
};

enum agent_request {
	MESSAGE_LINE = 'l',             /* text */
	MESSAGE_END_OF_FILE = 'e',
	MESSAGE_INTERRUPT = 'i',
	MESSAGE_CLASSIFY = 'c',         /* text; reply: number of enum command_class */
	MESSAGE_COMPLETE = 't',         /* text, start, end: in bytes of the text; reply: words */
	/* reply: kind (and 4: inside the statement), selected depth, then file, line, function, depth of the stop; and the same four of its caller or none */
	MESSAGE_WHERE = 'w',
	MESSAGE_EVAL = 'v',             /* expression, depth, and perhaps its language; reply: 1 or 0 (undefined), text */
	MESSAGE_OBSERVE = 'x',          /* expression, depth, and perhaps its language: for the trace that comes next; reply: 1 or 0 (it cannot be), why */
	/* reply: 1 or 0 (not at every stop), changes, tick before the last, 1 or 0 (undefined), text; 1 if it ever had a value, changes
	 * since then, tick before the first of these */
	MESSAGE_OBSERVED = 'y',
	MESSAGE_FRAME_FOR = 'n',        /* expression, depth; reply: the depth to evaluate it at, number of threads, thread, language */
	/* expression, depth, address of a statement or 0, change to halt at or 0, pass of the statement or 0; reply: 1 or 0 */
	MESSAGE_WATCH_CHANGES = 'q',
	/* reply: changes, pass, changes since, 1 (one not yet heard of) or 0, end, its pc and sp; the selected thread, its number, its name; how many
	 * threads there have been; the same three of the thread that made the last change; the change's file, line, function,
	 * address of the statement */
	MESSAGE_CHANGED_BY = 'z',
	MESSAGE_FORGET_CHANGES = 'f',   /* reply: nothing */
	MESSAGE_WITNESS = 'j',          /* 1 or 0: for another run of the program; reply: digest of the place and its locals, digest of the data that threads share */
	MESSAGE_ALONE = 'a',            /* 1 or 0: the other threads stand still; reply: 1 or 0 (it would wait for them) */
	MESSAGE_SHOW = 'h',             /* the debugger prints the present place; reply: nothing */
	MESSAGE_SETTINGS_SAVE = 's',    /* reply: one field */
	MESSAGE_SETTINGS_LOAD = 'o',    /* saved; reply: warnings */
	MESSAGE_STATE = 'd',            /* the command that ended here; reply: how, or a digest of the stop's frames */
	MESSAGE_MEASURE = 'm',          /* command, state; reply: the state that can be found again */
	/* 1 or 0 (go on after a halt), text, limit, enum adapter_trace, settings whose breakpoints are told or "", show, digest of the state that is the end or "", by instruction */
	MESSAGE_CLOCK_RUN = 'k',
	/* the line that started the program; reply: where the way to here begins, for MESSAGE_BEGIN; or "", and why it is not known: "", if
	 * it begins here */
	MESSAGE_BEGINNING = 'p',
	MESSAGE_BEGIN = 'b',            /* where: start the program once more, halt it there.  PROMPT or FAILED, with why, answers */
	/* command, address of an instruction or 0, stack pointer there, how many passes of it or 0; the first two of another: run on to the
	 * last of those passes, else to the first of that, to the command's end, or a SIGTRAP.  PROMPT or FAILED answers */
	MESSAGE_LAND = 'u',
	/* command, settings, number of a hit of their breakpoints or 0, how many of those are counted at most, 1 or 0 (to a statement behind
	 * it), address and stack pointer of the command's end, or 0, its state or "": run on to that hit, else to the command's end.  PROMPT or
	 * FAILED answers */
	MESSAGE_HITS = 'I',
	/* reply: landed, pass, many, vain, end, or hit, at the end; number of passes or hits; and of the first two state, address, stack pointer, and
	 * of a hit 1 or 0: `step` is known to stop there.  pdb knows no passes: landed, the ticks that were counted to there, 0: none, state,
	 * where AGENT_HALT_SIGNAL has made the prompt; or end */
	MESSAGE_LANDED = 'r',
	MESSAGE_CALL_OF = 'E',          /* depth; reply: depth, address of the function and stack pointer at the start of the call; or 0 */
	/* depth; reply: of the run that has led to this prompt the last tick of a frame so deep or less deep, 0: none, and all ticks; or nothing */
	MESSAGE_LAST_STOP = 'D',
	MESSAGE_GO_ON = 'g',
	MESSAGE_HALT = 'W',             /* the debugger is told: PROMPT */
};

#endif
