/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command's way: typed, classified, sent, executed while the user's keys go to the program, booked in the timeline. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_points.h"
#include "fred/settings.h"
#include "fred/terminal.h"

static void set_prompt(struct session *s, const char *prompt)
{
	free(s->prompt);
	s->prompt = xstrdup(prompt ? prompt : "");
}

/* The snapshot that makes the next command undoable.  Where there is none the user debugs on, told once; going back here
 * is running the commands again since the last snapshot. */
static void keep_before(struct session *s)
{
	struct err err;

	if (travel_keep_here(s, &err) == 0) {
		s->told_no_snapshot = false;
	} else if (!s->told_no_snapshot) {
		s->told_no_snapshot = true;
		if (timeline_snapshotted(s->timeline->here))
			say_error("no snapshot of this position, so undo gets here by running to it again: %s", err.what);
		else
			say_error("no snapshots, so nothing can be undone: %s", err.what);
	}
}

/* Nothing that was before can be run again: what led here began in no prompt, or in one of a program that had failed. */
static void start_history(struct node *node, bool post_mortem)
{
	node->origin = true;
	if (post_mortem)
		node->no_beginning = xstrdup("history begins here, after the failure; for what led to it have the program stop "
					     "earlier (breakpoint(), pytest --trace)");
}

/* How a run that ^C ended is ended there again: it would run on. */
static void keep_end(struct session *s, struct node *node)
{
	struct err err;

	/* pdb's clock knows the starts of statements only. */
	if (node->inside && !s->adapter->needs_ends)
		node->no_end = "the program was stopped inside a statement, as ^C does in Python 3.13, and there is no way yet to "
			       "find that place again; fred-undo goes back before it";
	else if (!s->adapter->needs_ends && node->place.kind == MACHINE_EXCEPTION)
		node->no_end = "^C came to the program as a KeyboardInterrupt, and would have to come again at the same moment; "
			       "fred-undo goes back before it";
	else if (request_state(s, node->command, &node->state, &err))
		log_info(LOG_SESSION, "no state: %s", err.what);
}

/* The command under way has come to its end at a new position: a node for it. */
static void book(struct session *s, struct adapter_event *event)
{
	struct timeline *t = s->timeline;
	struct node *was = t->here, *node;

	if (!s->pending) {                      /* the first prompt */
		node = timeline_add(t, NULL, NULL, COMMAND_LOOKS);
		start_history(node, event && event->post_mortem);
		node->checkpoint = t->next_checkpoint++;
	} else if (s->declined && event && !event->restarted) {
		return;
	} else if ((s->pending_class == COMMAND_LOOKS && !(event && event->restarted)) ||
		   (s->pending_class == COMMAND_MOVES && event && event->no_program)) {
		timeline_add_look(was, s->pending);
		return;
	} else {
		node = timeline_add(t, was, s->pending, s->pending_class);
		node->ran_us = was->ran_us + clock_us() - s->pending_since;
		if (event && (event->restarted || (was->post_mortem && s->pending_class == COMMAND_MOVES)))
			start_history(node, event->post_mortem);
		node->idle = event && event->no_program;
		node->typed = s->typed;
		node->eofs = s->read_eofs;
		s->typed = (struct buf){0};
	}
	node->stdin_pos = s->in.pos;
	node->ended = event == NULL;
	node->prompt = xstrdup(s->prompt);
	if (event) {
		node->post_mortem = event->post_mortem;
		node->inside = event->stop.inside && !event->post_mortem;
		node->place = event->place;
		event->place = (struct place){0};
	}
	/* Or pdb's signal has (AGENT_HALT_SIGNAL), whoever sent it. */
	bool stopped = s->interrupted || (event && !s->adapter->needs_ends && !event->stop.end);
	if (event && s->pending && stopped && node->class == COMMAND_MOVES)
		keep_end(s, node);
	if (!s->pending)
		keep_before(s);
	undo_do(&t->undo, node->id);
}

static void finish_command(struct session *s, struct adapter_event *event)
{
	struct node *was = s->timeline->here;

	book(s, event);
	points_end(s, s->timeline->here != was ? s->timeline->here : NULL);
	free(steal_pointer(&s->pending));
	buf_clear(&s->typed);
}

/* The debugger has died between two commands.  That is what undo takes back. */
static void book_death(struct session *s)
{
	struct node *node = timeline_add_found(s->timeline, s->timeline->here, NULL, COMMAND_PROGRAM, s->prompt);

	node->ended = true;
	undo_do(&s->timeline->undo, node->id);
}

void run_ended(struct session *s)
{
	s->state = SESSION_ENDED;
	set_prompt(s, "(fred) ");
	outer_rest();
	if (!s->seen_prompt || s->quitting)
		return;
	if (s->pending)
		finish_command(s, NULL);
	else if (!s->astray)
		book_death(s);
}

void session_wait(struct session *s)
{
	struct adapter_event event;

	s->state = SESSION_RUNNING;
	s->internal = s->silent = false;
	if (outer_is_terminal())
		outer_set(OUTER_RAW);
	for (;;) {
		enum pump_result result = session_pump(s, &event, points_wait(s));
		if (result == PUMP_TIMEOUT)
			points_look(s);
		if (result == PUMP_ENDED || result == PUMP_HANGUP) {
			if (result == PUMP_ENDED)
				run_ended(s);
			outer_rest();
			return;
		}
		if (result == PUMP_EVENT && (event.kind == ADAPTER_PROMPT || event.kind == ADAPTER_MORE))
			break;
		if (result == PUMP_EVENT)
			adapter_event_free(&event);
	}
	s->state = event.kind == ADAPTER_PROMPT ? SESSION_PROMPT : SESSION_MORE;
	s->more_is_harmless = event.harmless;
	s->more_is_question = event.question;
	s->several |= event.several;
	s->goes_back = event.kind == ADAPTER_PROMPT ? event.goes_back : s->goes_back;
	set_prompt(s, event.prompt);
	input_take_back(s);
	outer_rest();
	if (event.kind == ADAPTER_PROMPT) {
		finish_command(s, &event);
		s->seen_prompt = true;
	}
	adapter_event_free(&event);
}

static void begin_command(struct session *s, const char *line, enum command_class class)
{
	s->declined = false;
	s->answers = 0;
	s->pending = xstrdup(line);
	s->pending_class = class;
	s->pending_since = clock_us();
	s->interrupted = s->cancelled = false;
	s->quitting = class == COMMAND_QUITS;
	free(s->last_line);
	s->last_line = xstrdup(line);
}

/* One more line of a block, of `commands`, of `interact`: part of the same command. */
static void continue_command(struct session *s, const char *line)
{
	char *all = xasprintf("%s\n%s", s->pending ? s->pending : "", line);

	free(s->pending);
	s->pending = all;
	s->declined = s->more_is_question && (*line == 'n' || *line == 'N') && (s->declined || !s->answers);
	s->answers++;
	if (s->pending_class == COMMAND_LOOKS && !s->more_is_harmless)
		s->pending_class = COMMAND_PROGRAM;
}

int session_line(struct session *s, const char *line, struct err *err)
{
	enum command_class class;

	if (s->state == SESSION_ENDED)
		return err_set(err, "the debugger has exited: fred-undo goes back before that, quit leaves");
	if (s->state == SESSION_MORE) {
		continue_command(s, line);
	} else {
		bool again = !*line && s->last_line;
		cleanup_free char *copy = xstrdup(again ? s->last_line : line);
		s->cancelled = false;
		if (request_class(s, copy, &class, err))
			return -1;
		if (class != COMMAND_LOOKS && class != COMMAND_QUITS && settings.snapshots)
			keep_before(s);
		/* ^C before the debugger has the line takes it back: there is no program yet that runs and could be stopped. */
		if (s->cancelled)
			return pump_error(s, PUMP_CANCELLED, err);
		begin_command(s, copy, class);
		/* Where the debugger itself repeats (gdb's `list` goes on), what it did is booked as what it repeated. */
		line = again && s->adapter->repeats ? "" : s->last_line;
	}
	s->answered = true;
	if (s->adapter->line(s->agent, line, err))
		return -1;
	ckpt_tidy(s->ckpt);             /* while the program runs: nobody waits for it */
	snapshots_thin(s->timeline);
	session_wait(s);
	return 0;
}

int session_eof(struct session *s, struct err *err)
{
	if (s->state == SESSION_PROMPT)
		begin_command(s, "EOF", COMMAND_QUITS);
	if (s->adapter->eof(s->agent, err))
		return -1;
	session_wait(s);
	return 0;
}

int session_interrupt(struct session *s, struct err *err)
{
	if (s->state == SESSION_PROMPT)
		begin_command(s, "", COMMAND_LOOKS);
	if (s->adapter->interrupt(s->agent, err))
		return -1;
	session_wait(s);
	return 0;
}

int run_to_prompt(struct session *s, struct adapter_event *event, struct err *err)
{
	s->state = SESSION_RUNNING;
	for (;;) {
		enum pump_result result = session_pump(s, event, -1);
		if (result == PUMP_ENDED)
			s->state = SESSION_ENDED;
		if (result != PUMP_EVENT)
			return pump_error(s, result, err);
		switch (event->kind) {
		case ADAPTER_PROMPT:
			s->state = SESSION_PROMPT;
			s->several |= event->several;
			set_prompt(s, event->prompt);
			return 0;
		case ADAPTER_MORE:
			s->state = SESSION_MORE;
			return 0;
		case ADAPTER_TICKS:
		case ADAPTER_WAYS:
			return 0;
		case ADAPTER_REPLY:             /* a clock run that could not begin */
			err_set(err, "%s", event->n_fields ? event->fields[0] : "the debugger refused");
			adapter_event_free(event);
			s->state = SESSION_PROMPT;
			return -1;
		case ADAPTER_NOT_HALTED:        /* nor is one waited for, then */
			s->state = SESSION_PROMPT;
			return err_set(err, "the debugger is at work there and gives no prompt");
		case ADAPTER_ARRIVING:
			/* A place to which another way has led is not shown: it is refused. */
			s->silent = s->way_known && ways_differ(s->way_known, event->stop.tick, event->way);
			if (s->adapter->go_on(s->agent, err)) {
				adapter_event_free(event);
				return -1;
			}
			break;
		default:
			break;
		}
		adapter_event_free(event);
	}
}

/* The halted command of a partial node, one that ^C stopped, or a row of instructions, by the clock. */
static int run_again_partly(struct session *s, struct node *node, struct err *err)
{
	struct adapter_event event;

	uint64_t limit = node->instructions ? node->instructions : node->partial ? node->tick : UINT64_MAX;
	bool ends = s->adapter->needs_ends || limit == UINT64_MAX;

	if (s->adapter->clock_run(s->agent, node->command, limit, ADAPTER_QUIET, 0, NULL, NULL,
				  ends ? node->state : NULL, node->instructions != 0, err) ||
	    run_to_prompt(s, &event, err))
		return -1;
	bool there = event.kind == ADAPTER_PROMPT && (event.stop.tick == limit || (limit == UINT64_MAX && event.stop.end)) &&
		     (!node->way || event.way == node->way);
	adapter_event_free(&event);
	if (!there)
		return err_set(err, "the program did not run the same way again");
	return node->settings ? request_load_settings(s, node->settings, err) : 0;
}

int run_again_anywhere(struct session *s, const struct node *start, struct node *node, struct err *err)
{
	const char *command = node->given && start->whole != node ? node->given : node->command;
	cleanup_free char *text = xstrdup(command ? command : "");
	char *next = text;
	struct adapter_event event = {0};

	if (!command)
		return request_load_settings(s, node->settings, err);
	log_info(LOG_SESSION, "run again: %s", command);
	if (input_replay(s, node, err))
		return -1;
	if (node->no_end)
		return err_set(err, "%s", node->no_end);
	if (node->partial || node->instructions || (node->state && !s->adapter->needs_ends))
		return run_again_partly(s, node, err);
	if (node->begun && node->origin && node->beginning)
		return s->adapter->begin(s->agent, node->beginning, err) || run_to_prompt(s, &event, err) ? -1 : 0;
	do {
		char *line = strsep(&next, "\n");
		if (s->adapter->line(s->agent, line, err) || run_to_prompt(s, &event, err))
			return -1;
		adapter_event_free(&event);
	} while (next && s->state == SESSION_MORE);
	if (s->state != SESSION_PROMPT)
		return err_set(err, "the program did not run the same way again");
	input_discard(s);
	return 0;
}

int run_again(struct session *s, const struct node *start, struct node *node, struct err *err)
{
	cleanup_free char *elsewhere = NULL;
	int r = run_again_anywhere(s, start, node, err);

	if (r || s->state != SESSION_PROMPT)
		return r;
	if (request_elsewhere(s, node, &elsewhere, err))
		return -1;
	return elsewhere ? err_set(err, "the program did not run the same way again: `%s` %s", node->command ? node->command : "",
				   elsewhere) : 0;
}
