/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/session_look.h"

#include <stdlib.h>

#include "base/mem.h"

int look_at_present(struct look *l, struct err *err)
{
	struct machine *m = l->d->m;
	struct machine_stop stop;

	l->evaluations++;
	return m->now(m->self, &stop, err) || m->eval(m->self, l->expr, l->d->selected, &l->now, err) ? -1 : 0;
}

int look(struct look *l, struct err *err)
{
	struct machine_value value = {0};

	l->evaluations++;
	if (l->d->m->eval(l->d->m->self, l->expr, l->d->selected, &value, err))
		return -1;
	int same = value_same(&value, &l->now);
	free(value.text);
	return same;
}

int look_at_node(struct look *l, struct node *node, struct err *err)
{
	return travel_to(l->s, node, err) ? -1 : look(l, err);
}

void look_end(struct look *l)
{
	free(steal_pointer(&l->now.text));
}
