/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions to the agent while the debugger is at a prompt. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_priv.h"
#include "fred/settings.h"

int request_reply(struct session *s, struct adapter_event *reply, int timeout_ms, struct err *err)
{
	bool cancelled = false;

	for (;;) {
		enum pump_result result = session_pump(s, reply, timeout_ms);
		if (result == PUMP_ENDED) {
			run_ended(s);
			return pump_error(s, result, err);
		}
		/* Outside FReD's own work an answer is a matter of microseconds: it is waited for, so that the next
		 * question does not get the answer to this one, and the ^C is left to whom it may concern. */
		if (result == PUMP_CANCELLED && !s->internal) {
			cancelled = true;
			continue;
		}
		if (result != PUMP_EVENT) {
			/* The debugger may be about to read the question, or at work on it: as such it is no position. */
			s->astray = true;
			return pump_error(s, result, err);
		}
		if (reply->kind == ADAPTER_REPLY)
			break;
		adapter_event_free(reply);
	}
	s->cancelled |= cancelled;
	if (!reply->failed)
		return 0;
	err_set(err, "%s", reply->n_fields ? reply->fields[0] : "the debugger refused");
	adapter_event_free(reply);
	return -1;
}

void place_free(struct place *place)
{
	free(place->file);
	free(place->function);
	*place = (struct place){0};
}

int request_where(struct session *s, struct place *here, struct place *caller, struct err *err)
{
	struct adapter_event reply;
	struct place dummy = {0};

	if (s->adapter->where(s->agent, err) || request_reply(s, &reply, -1, err))
		return -1;
	int r = s->adapter->place_of(&reply, here, caller ? caller : &dummy);
	adapter_event_free(&reply);
	place_free(&dummy);
	return r ? err_set(err, "no program runs here: fred-undo goes back to where it did") : 0;
}

static bool place_same(const struct place *a, const struct place *b)
{
	return a->file && b->file && !strcmp(a->file, b->file) && a->line == b->line && a->depth == b->depth && a->kind == b->kind;
}

int request_elsewhere(struct session *s, const struct node *node, char **how, struct err *err)
{
	const struct place *was = &node->place;
	struct place place = {0};

	*how = NULL;
	if (!was->file)
		return 0;
	if (request_where(s, &place, NULL, err))
		return -1;
	if (!place_same(&place, was))
		*how = xasprintf("came to %s:%ld depth %u, and the first time to %s:%ld depth %u", place.file ? place.file : "?",
				 place.line, place.depth, was->file, was->line, was->depth);
	place_free(&place);
	return 0;
}

void request_place_of_node(struct session *s, struct node *node)
{
	struct place place = {0};
	struct err ignored;

	if (s->state != SESSION_PROMPT || s->timeline->here != node)
		return;
	if (s->adapter->needs_ends && node->class == COMMAND_MOVES && node->command && !node->state &&
	    request_state(s, node->command, &node->state, &ignored))
		log_info(LOG_SESSION, "no end: %s", ignored.what);
	/* What begin_history() asks, while it costs no journey. */
	if (s->adapter->begin && node->class == COMMAND_RESTARTS && !node->state &&
	    (request_state(s, s->adapter->go_on_command, &node->state, &ignored) || request_beginning(s, node, &ignored)))
		log_info(LOG_SESSION, "no beginning: %s", ignored.what);
	if (s->several && request_witness_of_node(s, node, &ignored))
		s->cancelled = true;
	if (node->place.file)
		return;
	if (request_where(s, &place, NULL, &ignored) == 0) {
		place_free(&node->place);
		node->place = place;
		node->inside = place.inside && !node->post_mortem;
	}
}

int request_class(struct session *s, const char *line, enum command_class *class, struct err *err)
{
	struct adapter_event reply;

	if (s->cached_line && !strcmp(line, s->cached_line)) {
		*class = s->cached_class;
		return 0;
	}
	if (s->adapter->classify(s->agent, line, err) || request_reply(s, &reply, -1, err))
		return -1;
	*class = reply.n_fields ? (enum command_class)atoi(reply.fields[0]) : COMMAND_PROGRAM;
	adapter_event_free(&reply);
	free(steal_pointer(&s->cached_line));
	/* Only a debugger command (an alias) can give a move's name another meaning, and that replaces the cache. */
	if (*class == COMMAND_MOVES || *class == COMMAND_DEBUGGER)
		s->cached_line = xstrdup(line);
	s->cached_class = *class;
	return 0;
}

/* The one field of a reply. */
static int one_field(struct session *s, char **field, struct err *err)
{
	struct adapter_event reply;

	if (request_reply(s, &reply, -1, err))
		return -1;
	*field = xstrdup(reply.n_fields ? reply.fields[0] : "");
	adapter_event_free(&reply);
	return 0;
}

int request_evaluated(struct session *s, const char *expr, struct adapter_event *reply, struct err *err)
{
	s->astray = true;
	if (request_reply(s, reply, settings.eval_timeout > 0 ? (int)settings.eval_timeout * 1000 : -1, err) == 0)
		return 0;
	if (err->sys == ETIMEDOUT)
		err_set(err, "evaluating %s took more than %ld s; fred-set eval-timeout allows more", expr,
			settings.eval_timeout);
	return -1;
}

int request_frame_for(struct session *s, const char *expr, uint32_t *depth, long *threads, char **owner, struct err *err)
{
	struct adapter_event reply;

	*threads = 1;
	*owner = NULL;
	if (!s->adapter->frame_for)
		return 0;
	if (s->adapter->frame_for(s->agent, expr, *depth, err) || request_evaluated(s, expr, &reply, err))
		return -1;
	if (reply.n_fields)
		*depth = (uint32_t)strtoul(reply.fields[0], NULL, 10);
	if (reply.n_fields > 1)
		*threads = strtol(reply.fields[1], NULL, 10);
	if (reply.n_fields > 2)
		*owner = xstrdup(reply.fields[2]);
	free(steal_pointer(&s->language));
	if (s->adapter->eval_in && reply.n_fields > 3 && reply.fields[3][0])
		s->language = xstrdup(reply.fields[3]);
	adapter_event_free(&reply);
	return 0;
}

int request_settings(struct session *s, char **saved, struct err *err)
{
	return s->adapter->settings_save(s->agent, err) ? -1 : one_field(s, saved, err);
}

int request_state(struct session *s, const char *command, char **state, struct err *err)
{
	return s->adapter->state(s->agent, command, err) ? -1 : one_field(s, state, err);
}

int request_beginning(struct session *s, struct node *node, struct err *err)
{
	cleanup_free char *line = xstrndup(node->command, strcspn(node->command, "\n"));
	struct adapter_event reply;

	if (s->adapter->beginning(s->agent, line, err) || request_reply(s, &reply, -1, err))
		return -1;
	if (reply.n_fields && reply.fields[0][0])
		node->beginning = xstrdup(reply.fields[0]);
	node->no_beginning = xstrdup(reply.n_fields > 1 ? reply.fields[1] : "");
	adapter_event_free(&reply);
	return 0;
}

int request_witness(struct session *s, bool other_run, struct witness *witness, struct err *err)
{
	struct adapter_event reply;

	*witness = (struct witness){0};
	if (!s->adapter->witness)
		return 0;
	if (s->adapter->witness(s->agent, other_run, err) || request_reply(s, &reply, -1, err))
		return -1;
	if (reply.n_fields > 1)
		*witness = (struct witness){xstrdup(reply.fields[0]), xstrdup(reply.fields[1]), other_run};
	adapter_event_free(&reply);
	return 0;
}

int request_witness_of_node(struct session *s, struct node *node, struct err *err)
{
	if (node->class != COMMAND_MOVES || !node->command || node->witness.place ||
	    request_witness(s, false, &node->witness, err) == 0)
		return 0;
	log_info(LOG_SESSION, "no witness: %s", err->what);
	return err->sys == ECANCELED ? -1 : 0;
}

int request_measure(struct session *s, const char *command, char **state, struct err *err)
{
	char *measured;

	if (s->adapter->measure(s->agent, command, *state, err) || one_field(s, &measured, err))
		return -1;
	free(*state);
	*state = measured;
	return 0;
}

int request_load_settings(struct session *s, const char *saved, struct err *err)
{
	struct adapter_event reply;

	if (s->adapter->settings_load(s->agent, saved, err) || request_reply(s, &reply, -1, err))
		return -1;
	for (size_t i = 0; i < reply.n_fields; i++)
		if (reply.fields[i][0])
			say_error("%s", reply.fields[i]);
	adapter_event_free(&reply);
	return 0;
}

int request_show(struct session *s, struct err *err)
{
	struct adapter_event reply;

	if (s->adapter->show(s->agent, err) || request_reply(s, &reply, -1, err))
		return -1;
	adapter_event_free(&reply);
	return 0;
}

int session_complete(struct session *s, const char *text, size_t start, size_t end, struct adapter_event *words,
		     struct err *err)
{
	if (s->state != SESSION_PROMPT)
		return err_set(err, "the debugger is not at a prompt");
	if (s->adapter->complete(s->agent, text, start, end, err))
		return -1;
	return request_reply(s, words, -1, err);
}
