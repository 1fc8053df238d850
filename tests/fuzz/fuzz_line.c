/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line typed at the prompt: is it a fred command, a bare name of one, an alias, and what is its count? */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "fred/command.h"
#include "fred/settings.h"
#include "fred/words.h"

static void look(const char *line, const struct adapter *adapter)
{
	cleanup_free char *translated = command_translate(line, adapter->aliases);
	const char *args = NULL;
	bool unknown = false;
	const struct command *c = command_find(line, adapter->aliases, &args, &unknown);
	struct err err = { 0 };
	long n;

	must(args >= line && args <= line + strlen(line));
	must(!(c != NULL && unknown));
	if (unknown)
		must(strncmp(skip_blanks(line), "fred-", 5) == 0);
	if (!settings.bare_names && c != NULL)
		must(strncmp(skip_blanks(line), "fred-", 5) == 0);
	if (translated != NULL)
		must(settings.bare_names && c == NULL && strncmp(translated, "fred-", 5) != 0);
	if (command_count(args, &n, &err) == 0)
		must(n > 0);
	else
		must(err.what[0] != '\0');
	(void)nearest_word(line, command_name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char python[] = "python3", *argv[] = { python, NULL };
	cleanup_free char *line = xstrndup((const char *)data, size);

	for (settings.bare_names = 0; settings.bare_names < 2; settings.bare_names++)
		look(line, adapter_for(argv));
	return 0;
}
