/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fredapp's side of the channel as struct adapter wants it: its life and its requests.  What an adapter adds is which
 * commands are its debugger's, and what the debugger's users know by other names. */
#ifndef CHANNEL_CLIENT_H
#define CHANNEL_CLIENT_H

#include "channel/messages.h"
#include "fred/adapter.h"

/* Makes the channel, and has the command preload `library`, "fred-NAME-agent.so", the agent. */
int client_open(void **self, struct adapter_launch *launch, const char *library, struct err *err) must_check;

/* The members of struct adapter of these names. */
void client_spawned(void *self);
void client_close(void *self);
int client_fd(void *self);
int client_read_event(void *self, struct adapter_event *event, struct err *err);
void client_take_back(void *self);
void client_reset(void *self);
int client_line(void *self, const char *text, struct err *err);
int client_eof(void *self, struct err *err);
int client_interrupt(void *self, struct err *err);
int client_classify(void *self, const char *text, struct err *err);
int client_complete(void *self, const char *text, size_t start, size_t end, struct err *err);
int client_where(void *self, struct err *err);
int client_show(void *self, struct err *err);
int client_state(void *self, const char *command, struct err *err);
int client_measure(void *self, const char *command, const char *state, struct err *err);
int client_beginning(void *self, const char *text, struct err *err);
int client_begin(void *self, const char *where, struct err *err);
int client_land(void *self, const char *text, const struct pass *pass, uint64_t nth, const struct pass *end, struct err *err);
int client_hits(void *self, const char *text, const char *settings, uint64_t nth, uint64_t most, bool exactly,
		const struct pass *end, const char *state, struct err *err);
int client_landed(void *self, struct err *err);
int client_last_stop(void *self, uint32_t depth, struct err *err);
int client_call_of(void *self, uint32_t depth, struct err *err);
int client_eval(void *self, const char *expr, uint32_t depth, struct err *err);
int client_eval_in(void *self, const char *expr, uint32_t depth, const char *language, struct err *err);
int client_observe(void *self, const char *expr, uint32_t depth, const char *language, struct err *err);
int client_observed(void *self, struct err *err);
int client_frame_for(void *self, const char *expr, uint32_t depth, struct err *err);
int client_watch_changes(void *self, const char *expr, uint32_t depth, const char *statement, uint64_t halt,
			 uint64_t halt_pass, struct err *err);
int client_changed_by(void *self, struct err *err);
int client_forget_changes(void *self, struct err *err);
int client_witness(void *self, bool other_run, struct err *err);
int client_alone(void *self, bool really, struct err *err);
int client_settings_save(void *self, struct err *err);
int client_settings_load(void *self, const char *saved, struct err *err);
int client_clock_run(void *self, const char *text, uint64_t limit, enum adapter_trace trace, uint32_t watched,
		    const char *breakpoints, const char *show, const char *until, bool by_instruction, struct err *err);
int client_go_on(void *self, struct err *err);
int client_halt(void *self, struct err *err);

/* All of them but open(), to initialize a struct adapter with. */
#define CLIENT_MEMBERS \
	.spawned = client_spawned, .close = client_close, .fd = client_fd, .read_event = client_read_event, \
	.take_back = client_take_back, .reset = client_reset, .line = client_line, .eof = client_eof, \
	.interrupt = client_interrupt, .classify = client_classify, .complete = client_complete, .where = client_where, .show = client_show, \
	.place_of = messages_place, .eval = client_eval, .value_of = messages_value, \
	.settings_save = client_settings_save, .settings_load = client_settings_load, .state = client_state, \
	.clock_run = client_clock_run, .go_on = client_go_on

#endif
