/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History before the first stop.  `run` leaves the user wherever something stopped the program, or at its end: what led
 * there lies before.  Then the program is started once more and halted where it begins (main), and the rest of the way is
 * a `continue`: a node is put in before the one that `run` had led to.
 *
 * Only when somebody goes back beyond that stop, for what the program does to the world it does twice.  And the two runs
 * may differ: the way to the place where the first one stopped, and data, are compared whenever the second comes there. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_reverse.h"

/* The program is at the beginning; of the input it has read what constructors read. */
static struct node *put_in(struct session *s, struct node *origin)
{
	/* In the history it is what the user would have typed to come there. */
	cleanup_free char *command = xasprintf("%s%s", s->adapter->begin_command, origin->command + strcspn(origin->command, " \t\n"));
	struct node *first = timeline_add_found(s->timeline, origin->parent, command, origin->class, s->prompt);
	struct err err;

	first->command[strcspn(first->command, "\n")] = '\0';
	first->beginning = xstrdup(origin->beginning);
	first->origin = first->begun = true;
	input_settle(s, origin, first);
	buf_eat(&origin->typed, first->typed.len);
	origin->eofs -= first->eofs;
	s->astray = false;
	if (travel_keep_here(s, &err))
		log_info(LOG_SESSION, "no snapshot of the beginning: %s", err.what);
	return first;
}

/* The node put in; NULL: the program does not come there. */
static struct node *begin(struct session *s, struct node *origin, struct err *err)
{
	struct timeline *t = s->timeline;
	struct node *here = t->here, *first = NULL;
	struct adapter_event event;

	if (travel_to(s, origin->parent, err) || input_replay(s, origin, err))
		return NULL;
	s->astray = true;
	if (s->adapter->begin(s->agent, origin->beginning, err) || run_to_prompt(s, &event, err))
		return NULL;
	if (event.kind == ADAPTER_PROMPT)
		first = put_in(s, origin);
	else
		err_set(err, "history begins here: the debugger asked a question when the program was started once more");
	adapter_event_free(&event);
	t->here = here;
	return first;
}

/* All that is to be known of the node at which `run` ended. */
static int look_at(struct session *s, struct node *origin, struct err *err)
{
	if (s->astray || s->timeline->here != origin)
		if (travel_to(s, origin, err))
			return -1;
	if (!origin->state && request_state(s, s->adapter->go_on_command, &origin->state, err))
		return -1;
	if (!origin->no_beginning && request_beginning(s, origin, err))
		return -1;
	witness_free(&origin->witness);
	return request_witness(s, true, &origin->witness, err);
}

int begin_history(struct session *s, struct err *err)
{
	struct node *here = s->timeline->here, *origin = timeline_origin(here), *first;

	if (!s->adapter->begin || !origin->parent || origin->begun || !origin->command ||
	    (origin->no_beginning && !origin->beginning))
		return 0;
	if (look_at(s, origin, err))
		return -1;
	origin->begun = true;           /* whatever comes of it, it is tried once */
	first = origin->beginning ? begin(s, origin, err) : NULL;
	if (first) {
		origin->parent = first;
		origin->origin = origin->begun = false;
		free(origin->command);
		origin->command = xstrdup(s->adapter->go_on_command);
		origin->class = COMMAND_MOVES;
	} else if (s->cancelled || s->state != SESSION_PROMPT) {
		origin->begun = false;
		return -1;
	} else if (origin->beginning) {
		log_info(LOG_SESSION, "no history before %s: %s", origin->command, err->what);
		free(origin->no_beginning);
		origin->no_beginning = xstrdup(err->what);
	}
	return travel_to(s, here, err) ? -1 : first != NULL;
}

const char *history_ends(struct session *s)
{
	const struct node *origin = timeline_origin(s->timeline->here);

	return origin->no_beginning ? origin->no_beginning : "";
}

void say_no_more(struct session *s)
{
	say("No more reverse-execution history.");
	if (*history_ends(s))
		say("%s", history_ends(s));
}
