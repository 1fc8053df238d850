/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session whose debugger is tracee.c in this very binary, and a line of command and answer to it. */
#ifndef TESTS_UNIT_CKPT_HELP_H
#define TESTS_UNIT_CKPT_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "ckpt/ckpt.h"

struct t_session {
	struct ckpt_session *s;
	int master, slave;
	int talk;                       /* commands go out here, answers come in */
	char warnings[4096];
	struct err err;
};

/* `role` is a subcommand of tracee.c.  Fails the test when the session cannot be started. */
void t_start(struct t_session *t, const char *role, enum ckpt_isolation isolation);
void t_start_argv(struct t_session *t, char *const *argv, enum ckpt_isolation isolation);
int t_try(struct t_session *t, char *const *argv, enum ckpt_isolation isolation);
void t_end(struct t_session *t);

void t_send(struct t_session *t, const char *fmt, ...) printf_like(2, 3);
/* The next answer; borrowed until the next call. */
const char *t_receive(struct t_session *t);
/* Send and receive. */
const char *t_ask(struct t_session *t, const char *fmt, ...) printf_like(2, 3);
/* Ask, and the answer must be this. */
void t_expect(struct t_session *t, const char *answer, const char *fmt, ...) printf_like(3, 4);

/* Each snapshot is taken twice, and what is looked at stands on the twin of the other one. */
extern bool t_based;
/* From now on, where that can be. */
bool t_stand_on_others(void);
/* Runs the tests, and once more like that. */
#define t_run_both(name, tests) (cmocka_run_group_tests_name(name, tests, NULL, NULL) || \
	(t_stand_on_others() && cmocka_run_group_tests_name(name ", on another's twin", tests, NULL, NULL)))

struct ckpt_snapshot *t_snapshot(struct t_session *t);
void t_restore(struct t_session *t, struct ckpt_snapshot *n);
struct ckpt_snapshot *t_restore_keep(struct t_session *t, struct ckpt_snapshot *n);

/* Blocks until the leader's thread number k (0: the main one) is asleep in system call nr; no time limit but the test's
 * own. */
void t_wait_in_syscall(struct t_session *t, int k, long nr);
/* As t_start(); skips the test, aloud, where this isolation cannot run. */
void t_start_or_skip(struct t_session *t, enum ckpt_isolation isolation);
/* What ends a test that hangs. */
#define T_LIMIT 120

/* Runs a test in a child process, as user nobody where we are root; the status as from wait(2), 0 when it passed. */
int t_as_nobody(CMUnitTestFunction body);
/* Runs a test in a child process and does not wait. */
pid_t t_fork(CMUnitTestFunction body);
/* Runs a test in a child process where the nth of these faults happens, or (0) all of them; base/fault.h reads the
 * environment once. */
void t_with_fault(CMUnitTestFunction body, const char *name, int nth);

#endif
