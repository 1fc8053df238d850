/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/adapter.h"

#include "base/mem.h"
#include "gdb-adapter/adapter.h"
#include "pdb-adapter/adapter.h"

static const struct adapter *const adapters[] = { &gdb_adapter, &pdb_adapter };

const struct adapter *adapter_for(char *const *argv)
{
	for (size_t i = 0; i < sizeof adapters / sizeof *adapters; i++)
		if (adapters[i]->claims(argv))
			return adapters[i];
	return NULL;
}

void adapter_event_free(struct adapter_event *event)
{
	for (size_t i = 0; i < event->n_fields; i++)
		free(event->fields[i]);
	free(event->fields);
	free(event->ticks);
	free(event->tick_ways);
	free(event->prompt);
	free(event->place.file);
	free(event->place.function);
	*event = (struct adapter_event){ .kind = ADAPTER_NOTHING };
}
