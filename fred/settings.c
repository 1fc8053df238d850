/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "fred/words.h"

struct settings settings;

static const struct setting {
	const char *name;
	long *value;
	long def, min, max;
	bool is_switch;
	const char *meaning;
} table[] = {
	{"snapshots", &settings.snapshots, 1, 0, 1, true, "take a snapshot before every state-changing command"},
	{"max-snapshots", &settings.max_snapshots, 200, 2, 10000, false, "how many snapshots to keep; older ones get sparser"},
	{"snapshot-interval", &settings.snapshot_interval, 100, 0, 3600000, false,
	 "milliseconds between snapshots in the middle of a long run; 0: none there"},
	{"max-snapshot-memory", &settings.max_snapshot_memory, 4096, 16, 1L << 30, false,
	 "megabytes that snapshots may hold together"},
	{"file-limit", &settings.file_limit, 8, 0, 1L << 20, false,
	 "megabytes up to which the content of a file open for writing goes back (from the next start on)"},
	{"eval-timeout", &settings.eval_timeout, 10, 0, 86400, false,
	 "seconds that evaluating an expression in a search may take; 0: no limit"},
	{"backwards", &settings.backwards, 0, 0, 1, true,
	 "gdb's step, next, finish, continue, stepi and nexti go back; gdb: set exec-direction reverse"},
	{"bare-names", &settings.bare_names, 1, 0, 1, true, "take reverse-next and the like without the fred- in front"},
	{"stay-awake", &settings.stay_awake, 1, 0, 1, true,
	 "keep idle processors awake for the first half second of a command (root only)"},
	{"history-size", &settings.history_size, 1000, 0, 1000000, false, "lines of typed history kept between sessions"},
};
enum { N = sizeof table / sizeof table[0] };

__attribute__((constructor)) static void defaults(void)
{
	for (int i = 0; i < N; i++)
		*table[i].value = table[i].def;
}

const char *settings_name(int i) { return i < N ? table[i].name : NULL; }

static const struct setting *find(const char *name)
{
	for (int i = 0; i < N; i++)
		if (!strcmp(name, table[i].name))
			return &table[i];
	return NULL;
}

bool settings_is_switch(const char *name)
{
	const struct setting *s = find(name);

	return s && s->is_switch;
}

static int parse(const struct setting *s, const char *word, long *value)
{
	char *end;

	if (s->is_switch && (!strcmp(word, "on") || !strcmp(word, "off"))) {
		*value = !strcmp(word, "on");
		return 0;
	}
	errno = 0;
	*value = strtol(word, &end, 10);
	return errno || end == word || *end || *value < s->min || *value > s->max ? -1 : 0;
}

static const char *shown(const struct setting *s, long value, char *buf, size_t size)
{
	if (s->is_switch)
		return value ? "on" : "off";
	snprintf(buf, size, "%ld", value);
	return buf;
}

static int no_such(const char *name, struct err *err)
{
	const char *near = nearest_word(name, settings_name);

	return err_set(err, "there is no setting '%s'%s%s%s; fred-show lists them", name, near ? "; did you mean " : "",
		       near ? near : "", near ? "?" : "");
}

int settings_set(const char *name, const char *value, struct err *err)
{
	const struct setting *s = find(name);
	long v;

	if (!s)
		return no_such(name, err);
	if (!value || !*value)
		return err_set(err, "fred-set %s needs a value; now it is %ld", name, *s->value);
	if (parse(s, value, &v))
		return s->is_switch ? err_set(err, "fred-set %s takes on or off, not '%s'", name, value)
				    : err_set(err, "fred-set %s takes a number from %ld to %ld, not '%s'", name, s->min,
					      s->max, value);
	*s->value = v;
	return 0;
}

int settings_show(const char *name, struct buf *out, struct err *err)
{
	char now[32], def[32];

	if (name && *name && !find(name))
		return no_such(name, err);
	for (int i = 0; i < N; i++) {
		const struct setting *s = &table[i];
		if (name && *name && strcmp(name, s->name) != 0)
			continue;
		buf_printf(out, "%-20s %-6s %s (default %s)\n", s->name, shown(s, *s->value, now, sizeof now), s->meaning,
			   shown(s, s->def, def, sizeof def));
	}
	return 0;
}

/* A line is `fred-set NAME VALUE`; the first word may be left out; # begins a comment. */
static int read_line(char *line, const char *path, int number, struct err *err)
{
	char *save, *word;

	line[strcspn(line, "#\r")] = 0;
	word = strtok_r(line, " \t", &save);
	if (!word)
		return 0;
	if (!strcmp(word, "fred-set"))
		word = strtok_r(NULL, " \t", &save);
	if (!word)
		return err_set(err, "%s:%d: fred-set needs a name and a value", path, number);
	if (settings_set(word, strtok_r(NULL, " \t", &save), err))
		return err_context(err, "%s:%d", path, number);
	return 0;
}

static int read_file(const char *path, struct err *err)
{
	cleanup_free char *text = fd_slurp(path, NULL);
	char *next = text;

	if (!text)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "read %s", path);
	for (int number = 1; next; number++) {
		char *line = strsep(&next, "\n");
		if (read_line(line, path, number, err))
			return -1;
	}
	return 0;
}

int settings_read_files(struct err *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	cleanup_free char *path = NULL;

	if (config && *config)
		path = xasprintf("%s/fred/fredrc", config);
	else if (home && *home)
		path = xasprintf("%s/.config/fred/fredrc", home);
	if (path && read_file(path, err))
		return -1;
	return read_file(".fredrc", err);
}
