/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `fred-set` sets.  One table in settings.c says name, meaning, default and bounds; fredrc files hold the same
 * lines. */
#ifndef FRED_SETTINGS_H
#define FRED_SETTINGS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct settings {
	long snapshots;                 /* 1: one before every state-changing command */
	long max_snapshots;
	long snapshot_interval;         /* milliseconds of a run; 0: none is taken in its middle */
	long max_snapshot_memory;       /* MB */
	long file_limit;                /* MB */
	long eval_timeout;              /* seconds, 0: none */
	long backwards;                 /* 1: the debugger's step, next, finish and continue go back */
	long bare_names;
	long stay_awake;                /* 1: idle processors poll while a command runs, where we may ask for it */
	long history_size;
};

extern struct settings settings;

/* Sets from the two words of a `fred-set` line. */
int settings_set(const char *name, const char *value, struct err *err) must_check;
/* Adds "name value  meaning (default)" lines; name NULL: all.  -1 when there is no such setting. */
int settings_show(const char *name, struct buf *out, struct err *err) must_check;
/* The i-th name, NULL after the last: for completion. */
const char *settings_name(int i);
/* Is that the name of a setting which is on or off? */
bool settings_is_switch(const char *name);
/* ~/.config/fred/fredrc ($XDG_CONFIG_HOME) and ./.fredrc; a file that is not there is no error. */
int settings_read_files(struct err *err) must_check;

#endif
