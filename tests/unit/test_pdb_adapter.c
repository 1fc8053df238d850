/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fredapp's end of the channel to pdb: messages in pieces, messages that no agent of ours would send, the launch. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "pdb-adapter/adapter.h"
#include "channel/protocol.h"

static const struct adapter *const pdb = &pdb_adapter;

struct fixture {
	void *adapter;
	struct adapter_launch launch;
	int agent;              /* the other end */
	struct err err;
};

static char **copy_env(const char *const *from)
{
	size_t n = 0;
	char **env;

	while (from[n] != NULL)
		n++;
	env = xcalloc(n + 1, sizeof *env);
	for (size_t i = 0; i < n; i++)
		env[i] = xstrdup(from[i]);
	return env;
}

static void open_with(struct fixture *f, const char *const *env)
{
	*f = (struct fixture){ .launch.envp = copy_env(env) };
	assert_int_equal(pdb->open(&f->adapter, &f->launch, &f->err), 0);
	assert_int_equal(f->launch.n_keep, 1);
	f->agent = dup(f->launch.keep[0]);
	pdb->spawned(f->adapter);
}

static void close_all(struct fixture *f)
{
	pdb->close(f->adapter);
	if (f->agent >= 0)
		close(f->agent);
	for (char **e = f->launch.envp; *e != NULL; e++)
		free(*e);
	free(f->launch.envp);
}

static const char *const no_env[] = { NULL };

static void say(struct fixture *f, const void *data, size_t n)
{
	assert_int_equal(send(f->agent, data, n, 0), n);
}

static void message(struct fixture *f, int type, const char *body, size_t n)
{
	unsigned char header[MESSAGE_HEADER] = { n & 255, n >> 8 & 255, n >> 16 & 255, n >> 24 & 255, (unsigned char)type };

	say(f, header, sizeof header);
	if (n > 0)
		say(f, body, n);
}

static struct adapter_event next(struct fixture *f)
{
	struct adapter_event event;

	assert_int_equal(pdb->read_event(f->adapter, &event, &f->err), 0);
	return event;
}

static void expect_nothing(struct fixture *f)
{
	struct adapter_event event = next(f);

	assert_int_equal(event.kind, ADAPTER_NOTHING);
}

static const char prompt[] = "(Pdb) \0" "12\0" "9\0" "2\0" "1\0" "0\0" "1\0" "0\0" "77\0" "/a b/p.py\0" "31\0" "f";

static void expect_prompt(struct fixture *f)
{
	struct adapter_event event = next(f);

	assert_int_equal(event.kind, ADAPTER_PROMPT);
	assert_string_equal(event.prompt, "(Pdb) ");
	assert_int_equal(event.stop.tick, 12);
	assert_int_equal(event.stop.depth, 9);
	assert_int_equal(event.stop.kind, MACHINE_RETURN);
	assert_true(event.stop.end);
	assert_false(event.stop.inside);
	assert_true(event.restarted);
	assert_false(event.post_mortem);
	assert_int_equal(event.session_id, 77);
	assert_string_equal(event.place.file, "/a b/p.py");
	assert_string_equal(event.place.function, "f");
	assert_int_equal(event.place.line, 31);
	adapter_event_free(&event);
}

static void test_in_pieces(void **state)
{
	struct fixture f;
	char whole[MESSAGE_HEADER + sizeof prompt] = { sizeof prompt, 0, 0, 0, MESSAGE_PROMPT };

	open_with(&f, no_env);
	memcpy(whole + MESSAGE_HEADER, prompt, sizeof prompt);
	expect_nothing(&f);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof whole; i++) {
			expect_nothing(&f);
			say(&f, whole + i, 1);
		}
		expect_prompt(&f);
	}
	for (int i = 0; i < 5; i++)     /* and several at a time */
		message(&f, MESSAGE_PROMPT, prompt, sizeof prompt);
	for (int i = 0; i < 5; i++)
		expect_prompt(&f);
	expect_nothing(&f);
	close_all(&f);
}

static void test_ticks(void **state)
{
	struct fixture f;
	struct adapter_event event;
	static const unsigned char body[] = { 0x91, 0, 0, 0, 0x08, 0, 1, 0, 0x73, 0, 0, 0 };

	open_with(&f, no_env);
	message(&f, MESSAGE_TICKS, (const char *)body, sizeof body);
	event = next(&f);
	assert_int_equal(event.kind, ADAPTER_TICKS);
	assert_int_equal(event.n_ticks, 3);
	assert_int_equal(event.ticks[0].depth, 9);
	assert_int_equal(event.ticks[0].kind, MACHINE_CALL);
	assert_false(event.ticks[0].breakpoint);
	assert_int_equal(event.ticks[1].depth, 0x1000);
	assert_true(event.ticks[1].breakpoint);
	assert_int_equal(event.ticks[2].kind, MACHINE_EXCEPTION);
	adapter_event_free(&event);
	message(&f, MESSAGE_TICKS, NULL, 0);
	event = next(&f);
	assert_int_equal(event.kind, ADAPTER_TICKS);
	assert_int_equal(event.n_ticks, 0);
	adapter_event_free(&event);
	message(&f, MESSAGE_TICKS, "xxx", 3);
	assert_int_equal(pdb->read_event(f.adapter, &event, &f.err), -1);
	adapter_event_free(&event);
	close_all(&f);
}

static void test_replies(void **state)
{
	struct fixture f;
	struct adapter_event event;
	struct place here, caller;
	struct machine_value value;
	static const char where[] = "3\0" "4\0" "p.py\0" "5\0" "g\0" "4\0" "q.py\0" "6\0" "h\0" "3";

	open_with(&f, no_env);
	message(&f, MESSAGE_REPLY, where, sizeof where);
	event = next(&f);
	assert_int_equal(event.kind, ADAPTER_REPLY);
	assert_int_equal(pdb->place_of(&event, &here, &caller), 0);
	assert_string_equal(here.file, "p.py");
	assert_int_equal(here.kind, MACHINE_EXCEPTION);
	assert_int_equal(here.selected, 4);
	assert_string_equal(caller.function, "h");
	assert_int_equal(caller.depth, 3);
	free(here.file), free(here.function), free(caller.file), free(caller.function);
	adapter_event_free(&event);
	message(&f, MESSAGE_REPLY, "1\0abc", 6);
	event = next(&f);
	assert_int_equal(pdb->value_of(&event, &value), 0);
	assert_int_equal(value.kind, MACHINE_VALUE);
	assert_string_equal(value.text, "abc");
	free(value.text);
	adapter_event_free(&event);
	message(&f, MESSAGE_REPLY, "0\0NameError: x", 15);      /* without its last NUL */
	event = next(&f);
	assert_int_equal(pdb->value_of(&event, &value), 0);
	assert_int_equal(value.kind, MACHINE_UNDEFINED);
	assert_string_equal(value.text, "NameError: x");
	free(value.text);
	adapter_event_free(&event);
	message(&f, MESSAGE_FAILED, NULL, 0);
	event = next(&f);
	assert_true(event.failed);
	assert_int_equal(event.n_fields, 1);
	assert_int_equal(pdb->value_of(&event, &value), 0);
	assert_int_equal(value.kind, MACHINE_UNDEFINED);
	free(value.text);
	assert_int_equal(pdb->place_of(&event, &here, &caller), -1);
	adapter_event_free(&event);
	message(&f, MESSAGE_REPLY, NULL, 0);
	event = next(&f);
	assert_int_equal(event.n_fields, 0);
	adapter_event_free(&event);
	close_all(&f);
}

static void test_garbage(void **state)
{
	struct fixture f;
	struct adapter_event event;
	static const struct { const char *data; size_t n; } bad[] = {
		{ "\xff\xff\xff\xffP", 5 },                     /* endless */
		{ "\x00\x00\x00\x00?", 5 },                     /* no such type */
		{ "\x00\x00\x00\x00P", 5 },                     /* a prompt without fields */
		{ "\x02\x00\x00\x00Pab", 7 },
		{ "\x02\x00\x00\x00H9\x00", 7 },                /* another version */
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		open_with(&f, no_env);
		say(&f, bad[i].data, bad[i].n);
		assert_int_equal(pdb->read_event(f.adapter, &event, &f.err), -1);
		assert_string_not_equal(f.err.what, "");
		adapter_event_free(&event);
		close_all(&f);
	}
	/* Random bytes, from a seed that a failure tells. */
	for (unsigned seed = 1; seed <= 300; seed++) {
		unsigned random = seed * 2654435761u;

		open_with(&f, no_env);
		for (int i = 0; i < 40; i++) {
			char data[64];
			size_t n = 1 + (random >> 8) % sizeof data;

			for (size_t k = 0; k < n; k++) {
				random = random * 1664525 + 1013904223;
				/* Often a header that makes sense. */
				data[k] = k < 4 ? (char)(k == 0 ? random >> 24 & 31 : 0) : k == 4 ? "HPMRFTA"[(random >> 20) % 7]
					: (char)(random >> 24);
			}
			say(&f, data, n);
		}
		for (int i = 0; i < 2000; i++) {
			int result = pdb->read_event(f.adapter, &event, &f.err);
			bool over = result < 0 || event.kind == ADAPTER_NOTHING;

			adapter_event_free(&event);
			if (over)
				break;
		}
		close_all(&f);
	}
}

static void test_closed(void **state)
{
	struct fixture f;
	struct adapter_event event;

	open_with(&f, no_env);
	message(&f, MESSAGE_HELLO, "1\0" "3.11.2", 9);
	say(&f, "\x09", 1);     /* the agent dies in the middle of a message */
	assert_int_equal(shutdown(f.agent, SHUT_RDWR), 0);
	event = next(&f);
	assert_int_equal(event.kind, ADAPTER_HELLO);
	adapter_event_free(&event);
	for (int i = 0; i < 3; i++) {
		event = next(&f);
		assert_int_equal(event.kind, ADAPTER_CLOSED);
	}
	assert_int_equal(pdb->line(f.adapter, "next", &f.err), -1);     /* and no SIGPIPE */
	close_all(&f);
}

/* ^C while a request is on its way: neither what the agent had no time to read, nor the rest of what it was reading when
 * it was killed, comes to the agent of the snapshot. */
static void test_take_back(void **state)
{
	char read[64];
	struct fixture f;

	open_with(&f, no_env);
	assert_int_equal(pdb->eval(f.adapter, "all(True for _ in iter(int, 1))", 3, &f.err), 0);
	assert_int_equal(pdb->where(f.adapter, &f.err), 0);
	assert_int_equal(recv(f.agent, read, MESSAGE_HEADER, MSG_DONTWAIT), MESSAGE_HEADER);
	pdb->take_back(f.adapter);
	assert_int_equal(recv(f.agent, read, sizeof read, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	pdb->reset(f.adapter);
	assert_int_equal(pdb->classify(f.adapter, "next", &f.err), 0);
	assert_int_equal(recv(f.agent, read, sizeof read, MSG_DONTWAIT), MESSAGE_HEADER + sizeof "next");
	assert_int_equal(read[4], MESSAGE_CLASSIFY);
	close_all(&f);
}

static void test_reset(void **state)
{
	struct fixture f;

	open_with(&f, no_env);
	say(&f, "\x40\x00\x00\x00Ppart", 9);
	expect_nothing(&f);
	say(&f, "of a message", 12);
	pdb->reset(f.adapter);
	expect_nothing(&f);
	message(&f, MESSAGE_PROMPT, prompt, sizeof prompt);
	expect_prompt(&f);
	close_all(&f);
}

static void heard(struct fixture *f, int type, const char *body, size_t n)
{
	char data[256];
	ssize_t got = recv(f->agent, data, sizeof data, 0);

	assert_int_equal(got, MESSAGE_HEADER + n);
	assert_int_equal((unsigned char)data[0], n);
	assert_int_equal(data[4], type);
	assert_memory_equal(data + MESSAGE_HEADER, body, n);
}

static void test_requests(void **state)
{
	struct fixture f;
	struct err *e = &f.err;

	open_with(&f, no_env);
	assert_int_equal(pdb->line(f.adapter, "", e), 0);
	heard(&f, MESSAGE_LINE, "", 1);
	assert_int_equal(pdb->eof(f.adapter, e), 0);
	heard(&f, MESSAGE_END_OF_FILE, "", 0);
	assert_int_equal(pdb->interrupt(f.adapter, e), 0);
	heard(&f, MESSAGE_INTERRUPT, "", 0);
	assert_int_equal(pdb->eval(f.adapter, "x\xff", 12, e), 0);
	heard(&f, MESSAGE_EVAL, "x\xff\0" "12", 6);
	assert_int_equal(pdb->complete(f.adapter, "p x", 2, 3, e), 0);
	heard(&f, MESSAGE_COMPLETE, "p x\0" "2\0" "3", 8);
	assert_int_equal(pdb->clock_run(f.adapter, NULL, UINT64_MAX, ADAPTER_TRACES, 3, NULL, "", NULL, false, e), 0);
	heard(&f, MESSAGE_CLOCK_RUN, "0\0\0" "18446744073709551615\0" "1\0" "\0" "1\0" "\0" "0\0" "3", 34);
	assert_int_equal(pdb->go_on(f.adapter, e), 0);
	heard(&f, MESSAGE_GO_ON, "", 0);
	close_all(&f);
}

static const char *env_of(struct fixture *f, const char *name)
{
	for (char **e = f->launch.envp; *e != NULL; e++)
		if (strncmp(*e, name, strlen(name)) == 0)
			return *e + strlen(name);
	return NULL;
}

static void test_launch(void **state)
{
	static const char *const env[] = { "A=1", "LD_PRELOAD=old.so", "FRED_AGENT_FD=12", "B=2", NULL };
	struct fixture f;
	int fd;

	open_with(&f, no_env);
	assert_non_null(strstr(env_of(&f, "LD_PRELOAD="), "exe"));
	assert_null(strchr(env_of(&f, "LD_PRELOAD="), ':'));
	close_all(&f);
	open_with(&f, env);
	assert_string_equal(strchr(env_of(&f, "LD_PRELOAD="), ':'), ":old.so");
	assert_string_equal(env_of(&f, "B="), "2");
	fd = atoi(env_of(&f, "FRED_AGENT_FD="));
	assert_int_equal(fd, f.launch.keep[0]);
	close_all(&f);
}

static bool claims(const char *first, const char *second, const char *third)
{
	const char *argv[] = { first, second, third, NULL };

	return pdb->claims((char *const *)argv);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void test_claims(void **state)
{
	static const char *const ours[] = { "python", "python3", "/usr/bin/python3.11", "pytest", "pytest-3", "py.test", "pdb3",
					    "./x.py", "/opt/venv/bin/python" };
	static const char *const others[] = { "gdb", "/bin/sh", "perl", "no-such-command", "", "-", "rpython" };
	char folder[] = "/tmp/fred-test-XXXXXX";
	char path[64];

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		assert_true(claims(ours[i], NULL, NULL));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(claims(others[i], NULL, NULL));
	assert_true(claims("env", "python3", NULL));
	assert_true(claims("/usr/bin/env", "A=1", "python3"));
	assert_false(claims("env", "gdb", NULL));
	assert_false(claims("env", NULL, NULL));
	assert_false(claims("gdb", "python3", NULL));
	assert_false(claims(NULL, NULL, NULL));
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/tool", folder);
	write_file(path, "#!/usr/bin/env python3\nx = 1\n");
	assert_true(claims(path, NULL, NULL));
	write_file(path, "#!/bin/sh\npython3\n");
	assert_false(claims(path, NULL, NULL));
	write_file(path, "#");
	assert_false(claims(path, NULL, NULL));
	assert_false(claims(folder, NULL, NULL));
	unlink(path);
	rmdir(folder);
	assert_ptr_equal(adapter_for((char *const[]){ "python3", NULL }), pdb);
	assert_null(adapter_for((char *const[]){ "gcc", NULL }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_pieces), cmocka_unit_test(test_ticks), cmocka_unit_test(test_replies),
		cmocka_unit_test(test_garbage), cmocka_unit_test(test_closed), cmocka_unit_test(test_take_back),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_requests), cmocka_unit_test(test_launch), cmocka_unit_test(test_claims),
	};

	/* Beside the test there is no agent: any file that can be read will do. */
	setenv("FRED_AGENT", "/proc/self/exe", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
