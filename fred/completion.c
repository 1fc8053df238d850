/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/completion.h"

#include <stdio.h>
#include <string.h>

#include <readline/readline.h>

#include "base/mem.h"
#include "fred/command.h"
#include "fred/settings.h"

static struct session *asked;
static char **words;                    /* what is left of the present completion */
static size_t n_words, next_word;

static void add_word(const char *word)
{
	array_grow(words, n_words);
	words[n_words++] = xstrdup(word);
}

static void add_if_begun(const char *word, const char *text)
{
	if (!strncmp(word, text, strlen(text)))
		add_word(word);
}

static void add_matching(const char *text, const char *(*name)(int i))
{
	for (int i = 0; name(i); i++)
		add_if_begun(name(i), text);
}

static char *next_match(const char *text, int state)
{
	return next_word < n_words ? words[next_word++] : NULL;         /* readline frees it */
}

static void add_debugger_words(const char *line, size_t start, size_t end)
{
	struct adapter_event event;
	struct err err;

	if (session_complete(asked, line, start, end, &event, &err))
		return;
	for (size_t i = 0; i < event.n_fields; i++)
		if (event.fields[i][0])
			add_word(event.fields[i]);
	adapter_event_free(&event);
}

static void add_bare_names(const char *text)
{
	const struct adapter_alias *a = session_aliases(asked);

	for (; settings.bare_names && a && a->name; a++)
		if (!a->backwards)
			add_if_begun(a->name, text);
}

/* ---- what a fred command takes ---- */

/* The line's arguments: the first `before` bytes of them stand in front of the word to be completed. */
struct arguments {
	const char *args, *text;
	size_t before;
};

static void add_settings(const struct arguments *a)
{
	cleanup_free char *name = xstrndup(a->args, strcspn(a->args, " \t"));

	if (a->before == 0) {
		add_matching(a->text, settings_name);
	} else if (settings_is_switch(name)) {
		add_if_begun("on", a->text);
		add_if_begun("off", a->text);
	}
}

static void add_topics(const struct arguments *a)
{
	add_matching(a->text, command_name);
	for (int i = 0; command_name(i) && strncmp(a->text, "fred-", strlen(a->text)) != 0; i++)
		add_if_begun(command_name(i) + strlen("fred-"), a->text);
}

static void add_branches(const struct arguments *a)
{
	for (size_t i = 0; session_branch_name(asked, i); i++)
		add_if_begun(session_branch_name(asked, i), a->text);
}

/* The option, with a blank behind it, that the text begins with. */
static const char *option_at(const char *text)
{
	for (int i = 0; i < CHANGES; i++) {
		size_t n = strlen(change_options[i]);
		if (!strncmp(text, change_options[i], n) && text[n] && strchr(" \t", text[n]))
			return change_options[i];
	}
	return NULL;
}

/* As after `p`, which all debuggers know. */
static void add_expression(const struct arguments *a)
{
	static const char print[] = "p ";
	const char *expr = a->args, *word = a->args + a->before;

	for (const char *option; (option = option_at(expr)) != NULL && expr + strlen(option) < word;) {
		expr += strlen(option);
		while (expr < word && strchr(" \t", *expr))
			expr++;
	}
	cleanup_free char *line = xasprintf("%s%s", print, expr);
	size_t start = strlen(print) + a->before - (size_t)(expr - a->args);
	add_debugger_words(line, start, start + strlen(a->text));
}

static void add_watch(const struct arguments *a)
{
	if (a->before == 0 && a->text[0] == '-')
		for (int i = 0; i < CHANGES; i++)
			add_if_begun(change_options[i], a->text);
	add_expression(a);
}

static const struct {
	const char *command;
	void (*add)(const struct arguments *a);
} takes[] = {
	{"fred-set", add_settings}, {"fred-show", add_settings}, {"fred-help", add_topics},
	{"fred-switch", add_branches}, {"fred-reverse-watch", add_watch}, {"fred-last", add_expression},
};

static void add_arguments(const struct command *c, const struct arguments *a)
{
	for (size_t i = 0; i < sizeof takes / sizeof *takes; i++)
		if (!strcmp(c->name, takes[i].command))
			takes[i].add(a);
}

char **completion(const char *text, int start, int end)
{
	const char *line = rl_line_buffer, *args;
	bool unknown;

	free(words);
	words = NULL;
	n_words = next_word = 0;
	rl_attempted_completion_over = 1;
	const struct command *c = strcspn(line, " \t") < (size_t)start ? command_find(line, session_aliases(asked), &args, &unknown)
								       : NULL;
	if (c && !strcmp(c->name, "fred-source")) {
		rl_attempted_completion_over = 0;       /* file names */
		return NULL;
	}
	if (c) {
		if (args <= line + start)
			add_arguments(c, &(struct arguments){args, text, (size_t)(line + start - args)});
	} else {
		if (start == 0) {
			add_matching(text, command_name);
			add_bare_names(text);
		}
		if (strncmp(text, "fred-", 5) != 0)
			add_debugger_words(line, (size_t)start, (size_t)end);
	}
	/* The debugger's words come complete with what stands in front of them. */
	rl_completion_suppress_append = n_words != 1 || start != 0;
	return rl_completion_matches(text, next_match);
}

void completion_for(struct session *session) { asked = session; }
