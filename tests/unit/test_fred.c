/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fred/ does without a session: words, settings, command names, prompts; and random bytes for all that parses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fred/adapter.h"
#include "fred/command.h"
#include "fred/editor.h"
#include "fred/settings.h"
#include "fred/words.h"

static const struct adapter *pdb(void)
{
	char *argv[] = {(char *)"python3", NULL};

	return adapter_for(argv);
}

static const struct command *find(const char *line)
{
	const char *args;
	bool unknown;

	return command_find(line, pdb()->aliases, &args, &unknown);
}

static void test_each_command_is_found_and_explained(void **state)
{
	for (int i = 0; command_table(i); i++) {
		const struct command *c = command_table(i);
		assert_ptr_equal(find(c->name), c);
		if (c->second)
			assert_ptr_equal(find(c->second), c);
		assert_true(strlen(c->summary) > 10);
		assert_true(strlen(c->text) > 10);
	}
	assert_int_equal(strcmp(find("  fred-undo 3")->name, "fred-undo"), 0);
}

static void test_bare_names_only_take_what_is_no_expression(void **state)
{
	assert_string_equal(find("reverse-next")->name, "fred-reverse-next");
	assert_string_equal(find("reverse-next 3")->name, "fred-reverse-next");
	assert_null(find("reverse-next = 3"));
	assert_null(find("rc"));
	settings.bare_names = 0;
	assert_null(find("reverse-next"));
	settings.bare_names = 1;
	assert_null(find("fred-reverse-nxt"));
	assert_string_equal(nearest_word("fred-reverse-nxt", command_name), "fred-reverse-next");
	assert_null(nearest_word("completely-different-word", command_name));
}

static const char *find_in_gdb(const char *line, const char **args)
{
	char *argv[] = {(char *)"/usr/bin/gdb", NULL};
	bool unknown;
	const struct command *c = command_find(line, adapter_for(argv)->aliases, args, &unknown);

	return c ? c->name : "";
}

static void test_gdb_has_the_names_that_its_users_know(void **state)
{
	const char *args;

	assert_string_equal(find_in_gdb("rs 3", &args), "fred-reverse-step");
	assert_string_equal(args, "3");
	assert_string_equal(find_in_gdb("undo", &args), "fred-undo");
	assert_string_equal(find_in_gdb(" info  checkpoints", &args), "fred-list");
	assert_string_equal(args, "");
	assert_string_equal(find_in_gdb("delete checkpoint 2", &args), "fred-delete");
	assert_string_equal(args, "2");
	assert_string_equal(find_in_gdb("info checkpointsx", &args), "");
	assert_string_equal(find_in_gdb("info", &args), "");
	assert_string_equal(find_in_gdb("delete 2", &args), "");
}

static void test_whose_command_it_is(void **state)
{
	static const char *const gdbs[] = {"gdb", "/usr/bin/gdb", "gdb-multiarch", "x86_64-linux-gnu-gdb", "gdb13", "gdb-12.1"};
	static const char *const others[] = {"gdbserver", "mygdb", "gdbtui", "lldb", "env"};

	for (size_t i = 0; i < sizeof gdbs / sizeof *gdbs; i++) {
		char *argv[] = {(char *)gdbs[i], NULL};
		assert_string_equal(adapter_for(argv)->name, "gdb");
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		char *argv[] = {(char *)others[i], NULL};
		assert_null(adapter_for(argv));
	}
	assert_string_equal(adapter_for((char *[]){(char *)"env", (char *)"A=b", (char *)"gdb", NULL})->name, "gdb");
	assert_string_equal(pdb()->name, "pdb");
}

static void translated(const char *line, const char *to)
{
	cleanup_free char *got = command_translate(line, pdb()->aliases);

	if (to)
		assert_string_equal(got, to);
	else
		assert_null(got);
}

static void test_print_is_p_where_it_is_no_python(void **state)
{
	translated("print num", "p num");
	translated("  print  a.b[3]", "p a.b[3]");
	translated("print(num)", NULL);
	translated("print (num)", NULL);
	translated("print = 3", NULL);
	translated("print", NULL);
	translated("printer x", NULL);
}

static void test_counts(void **state)
{
	struct err err;
	long n;

	assert_int_equal(command_count("", &n, &err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(command_count("17", &n, &err), 0);
	assert_int_equal(n, 17);
	assert_int_equal(command_count("0", &n, &err), -1);
	assert_int_equal(command_count("-1", &n, &err), -1);
	assert_int_equal(command_count("two", &n, &err), -1);
	assert_int_equal(command_count("99999999999999999999999", &n, &err), -1);
}

static void test_settings(void **state)
{
	cleanup_buf struct buf b = {0};
	struct err err;

	assert_int_equal(settings_set("max-snapshots", "50", &err), 0);
	assert_int_equal(settings.max_snapshots, 50);
	assert_int_equal(settings_set("max-snapshots", "1", &err), -1);
	assert_non_null(strstr(err.what, "from 2 to"));
	assert_int_equal(settings_set("snapshots", "off", &err), 0);
	assert_int_equal(settings.snapshots, 0);
	assert_int_equal(settings_set("snapshots", "maybe", &err), -1);
	assert_int_equal(settings_set("max-snapshot", "3", &err), -1);
	assert_non_null(strstr(err.what, "did you mean max-snapshots?"));
	assert_int_equal(settings_show(NULL, &b, &err), 0);
	for (int i = 0; settings_name(i); i++)
		assert_non_null(strstr(b.data, settings_name(i)));
	settings.snapshots = 1;
	settings.max_snapshots = 200;
}

static void test_settings_files(void **state)
{
	char folder[] = "/tmp/fred-settings-XXXXXX", was[4096];
	struct err err;
	FILE *f;

	assert_non_null(mkdtemp(folder));
	assert_non_null(getcwd(was, sizeof was));
	assert_int_equal(chdir(folder), 0);
	setenv("XDG_CONFIG_HOME", folder, 1);
	assert_int_equal(settings_read_files(&err), 0);
	f = fopen(".fredrc", "w");
	fputs("# a comment\nfred-set eval-timeout 3  # seconds\n\nbare-names off\n", f);
	fclose(f);
	assert_int_equal(settings_read_files(&err), 0);
	assert_int_equal(settings.eval_timeout, 3);
	assert_int_equal(settings.bare_names, 0);
	f = fopen(".fredrc", "w");
	fputs("\nfred-set nonsense 3\n", f);
	fclose(f);
	assert_int_equal(settings_read_files(&err), -1);
	assert_non_null(strstr(err.what, ".fredrc:2: "));
	unlink(".fredrc");
	assert_int_equal(chdir(was), 0);
	rmdir(folder);
	settings.eval_timeout = 10;
	settings.bare_names = 1;
}

static void test_prompt_without_colours(void **state)
{
	cleanup_buf struct buf b = {0};

	editor_add_plain(&b, "\033[1;35m(Pdb)\033[0m ", true);
	assert_string_equal(b.data, "(Pdb) ");
	buf_clear(&b);
	editor_add_plain(&b, "\033[1;35m(Pdb)\033[0m ", false);
	assert_string_equal(b.data, "\033[1;35m(Pdb)\033[0m ");
	buf_clear(&b);
	editor_add_plain(&b, "\033", true);
	assert_string_equal(b.data, "\033");
}

static void test_random_lines(void **state)
{
	static const char *const seeds[] = {"fred-undo 3", "fred-set a b", "reverse-next", "print x", "\033[1m(Pdb)\033[0m ",
					    "fred-", "", "fred-reverse-watch len(x) < 3"};
	const char *given = getenv("FRED_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 0) : (unsigned)getpid();
	struct err err;

	print_message("FRED_SEED=%u\n", seed);
	srand(seed);
	for (int round = 0; round < 50000; round++) {
		char line[64] = "", *args = line;
		cleanup_buf struct buf b = {0};
		snprintf(line, sizeof line, "%s", seeds[(size_t)rand() % (sizeof seeds / sizeof *seeds)]);
		for (int k = rand() % 4; k > 0; k--)
			line[rand() % 32] = (char)(rand() % 3 ? ' ' + rand() % 95 : rand());
		line[63] = 0;
		find(line);
		free(command_translate(line, pdb()->aliases));
		editor_add_plain(&b, line, true);
		(void)nearest_word(line, command_name);
		long n;
		if (command_count(args, &n, &err) == 0)
			assert_true(n > 0);
		if (settings_show(line, &b, &err))
			assert_non_null(err.what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_command_is_found_and_explained),
		cmocka_unit_test(test_bare_names_only_take_what_is_no_expression),
		cmocka_unit_test(test_gdb_has_the_names_that_its_users_know),
		cmocka_unit_test(test_whose_command_it_is),
		cmocka_unit_test(test_print_is_p_where_it_is_no_python),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_settings_files),
		cmocka_unit_test(test_prompt_without_colours),
		cmocka_unit_test(test_random_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
