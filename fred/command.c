/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/command.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "fred/settings.h"
#include "fred/words.h"

static const struct command *const tables[] = {travel_commands, place_commands, other_commands};

const struct command *command_table(int i)
{
	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
		for (const struct command *c = tables[t]; c->name; c++)
			if (i-- == 0)
				return c;
	return NULL;
}

const char *command_name(int i)
{
	for (int k = 0; command_table(k); k++) {
		const struct command *c = command_table(k);
		if (i-- == 0)
			return c->name;
		if (c->second && i-- == 0)
			return c->second;
	}
	return NULL;
}

static bool is_word(const char *word, size_t n, const char *name)
{
	return name && strlen(name) == n && !strncmp(word, name, n);
}

static const struct command *by_name(const char *word, size_t n)
{
	for (int i = 0; command_table(i); i++) {
		const struct command *c = command_table(i);
		if (is_word(word, n, c->name) || is_word(word, n, c->second))
			return c;
	}
	return NULL;
}

/* How much of the line is the name, of one or more words; 0: it begins with something else. */
static size_t name_length(const char *line, const char *name)
{
	const char *at = line;

	for (;;) {
		size_t n = strcspn(name, " ");
		if (strncmp(at, name, n) != 0 || (at[n] && !strchr(" \t", at[n])))
			return 0;
		at += n;
		if (!name[n])
			return (size_t)(at - line);
		name += n + 1;
		at = skip_blanks(at);
	}
}

/* *args: those of the alias itself, NULL: none. */
static const struct command *by_alias(const char *line, const struct adapter_alias *aliases, size_t *n, const char **args)
{
	for (const struct adapter_alias *a = aliases; settings.bare_names && a && a->name; a++) {
		size_t word = strcspn(a->command, " ");

		if ((a->backwards && !settings.backwards) || (*n = name_length(line, a->name)) == 0)
			continue;
		*args = a->command[word] ? a->command + word + 1 : NULL;
		return by_name(a->command, word);
	}
	return NULL;
}

char *command_translate(const char *line, const struct adapter_alias *aliases)
{
	const char *word = skip_blanks(line), *rest;
	size_t n = strcspn(word, " \t");

	rest = skip_blanks(word + n);
	if (!word[n] || !*rest || strchr("(=.[,:+-*/%<>&|^!)", *rest))
		return NULL;
	for (const struct adapter_alias *a = aliases; settings.bare_names && a && a->name; a++)
		if (is_word(word, n, a->name) && strncmp(a->command, "fred-", 5) != 0)
			return xasprintf("%s %s", a->command, rest);
	return NULL;
}

const struct command *command_find(const char *line, const struct adapter_alias *aliases, const char **args, bool *unknown)
{
	const char *word = skip_blanks(line);
	size_t n = strcspn(word, " \t");
	const struct command *c = by_name(word, n);
	const char *own = NULL;

	*unknown = false;
	*args = skip_blanks(word + n);
	if (!c && (c = by_alias(word, aliases, &n, &own)) != NULL)
		*args = skip_blanks(word + n);
	/* `reverse-next = 3` is no assignment in any language, but `reverse - next` may be an expression: only the whole
	 * word counts, and for bare names only a count may follow. */
	if (c && strncmp(word, "fred-", 5) != 0 && **args && strspn(*args, "0123456789 \t") != strlen(*args))
		return NULL;
	if (own && **args)
		return NULL;
	if (own)
		*args = own;
	if (!c)
		*unknown = !strncmp(word, "fred-", 5);
	return c;
}

int command_count(const char *args, long *n, struct err *err)
{
	char *end;

	*n = 1;
	if (!*args)
		return 0;
	errno = 0;
	*n = strtol(args, &end, 10);
	if (errno || *skip_blanks(end) || *n <= 0)
		return err_set(err, "'%s' is no count: give a number from 1 up", args);
	return 0;
}
