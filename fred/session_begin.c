/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History before the first stop.  `run` that ends in a crash leaves the user at its very end: whatever led there lies before.
 * Then the program is started once more, is halted where it begins (main), and the rest of the way is a `continue`: a node
 * is put in before the one that `run` had led to.  Only when somebody wants to go back from there. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fred/session_reverse.h"

/* The node put in; NULL: the program does not come there. */
static struct node *begin(struct session *s, struct node *origin, struct err *err)
{
	struct timeline *t = s->timeline;
	struct node *here = t->here, *first;
	struct adapter_event event;

	if (travel_to(s, origin->parent, err) || input_replay(s, origin, err))
		return NULL;
	s->astray = true;
	if (s->adapter->begin(s->agent, origin->command, err) || run_to_prompt(s, &event, err))
		return NULL;
	bool prompt = event.kind == ADAPTER_PROMPT;
	adapter_event_free(&event);
	if (!prompt) {
		err_set(err, "the debugger asked a question");
		return NULL;
	}
	/* In the history it is what the user would have typed to come there. */
	cleanup_free char *command = xasprintf("%s%s", s->adapter->begin_command,
					       origin->command + strcspn(origin->command, " \t"));
	first = timeline_add_found(t, origin->parent, command, origin->class, s->prompt);
	first->origin = first->begun = true;
	s->astray = false;
	if (travel_keep_here(s, err))
		log_info(LOG_SESSION, "no snapshot of the beginning: %s", err->what);
	t->here = here;
	return first;
}

int begin_history(struct session *s, struct err *err)
{
	struct node *origin = s->timeline->here, *here = origin, *first;
	int r = -1;

	while (origin->parent && !origin->origin)
		origin = origin->parent;
	if (!s->adapter->begin || !origin->parent || origin->begun || !origin->command)
		return 0;
	origin->begun = true;           /* whatever comes of it, it is tried once */
	bool left = !origin->state;
	if (left && (travel_to(s, origin, err) || request_state(s, s->adapter->go_on_command, &origin->state, err)))
		return -1;
	if (!s->adapter->worth_beginning(origin->state))
		r = 0;
	else if (left = true, (first = begin(s, origin, err))) {
		origin->parent = first;
		origin->origin = origin->begun = false;
		free(origin->command);
		origin->command = xstrdup(s->adapter->go_on_command);
		origin->class = COMMAND_MOVES;
		r = 0;
	} else if (!s->cancelled && s->state == SESSION_PROMPT) {
		log_info(LOG_SESSION, "no history before %s: %s", origin->command, err->what);
		r = 0;
	}
	return r || !left ? r : travel_to(s, here, err);
}
