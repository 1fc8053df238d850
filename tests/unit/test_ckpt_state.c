/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One test for each kernel state that a restore gives back: make it, snapshot, change it, restore, look. */
#include "tests/unit/ckpt_help.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct t_session t;

static int begin(void **state)
{
	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	return 0;
}

static int end(void **state)
{
	t_end(&t);
	return 0;
}

static void vector_registers(void **state)
{
	t_expect(&t, "spinning", "vector-start");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "kept", "vector-check");
	t_restore(&t, n);
	t_expect(&t, "kept", "vector-check");
}

static void signal_mask(void **state)
{
	char mask[64], other[64];

	t_expect(&t, "started", "threads 1");
	t_expect(&t, "blocked", "@1 block-signals");
	snprintf(mask, sizeof mask, "%s", t_ask(&t, "@1 mask"));
	snprintf(other, sizeof other, "%s", t_ask(&t, "mask"));
	assert_string_not_equal(mask, other);
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, mask, "@1 mask");
	t_expect(&t, other, "mask");
	t_restore(&t, n);
	t_expect(&t, mask, "@1 mask");
	t_expect(&t, other, "mask");
}

static void alternate_stack(void **state)
{
	t_expect(&t, "started", "threads 1");
	t_expect(&t, "0", "@1 signal-stack");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "on it", "@1 try-signal-stack");
	t_restore(&t, n);
	t_expect(&t, "on it", "@1 try-signal-stack");
	t_restore(&t, t_restore_keep(&t, n));
	t_expect(&t, "on it", "@1 try-signal-stack");
}

static void alternate_stack_of_main(void **state)
{
	t_expect(&t, "0", "signal-stack");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_restore(&t, n);
	t_expect(&t, "on it", "try-signal-stack");
	t_restore(&t, t_restore_keep(&t, n));
	t_expect(&t, "on it", "try-signal-stack");
}

static void robust_list(void **state)
{
	t_expect(&t, "started", "threads 2");
	t_expect(&t, "locked", "@1 lock-robust");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "EBUSY", "try-robust");
	struct ckpt_snapshot *later = t_restore_keep(&t, n);
	t_expect(&t, "EBUSY", "try-robust");
	t_send(&t, "@1 end");
	t_expect(&t, "0", "join 1");
	t_expect(&t, "EOWNERDEAD", "try-robust");
	/* Killing the threads that shared memory with the kept one must not have let go of the mutex. */
	t_restore(&t, later);
	t_expect(&t, "EBUSY", "try-robust");
	t_send(&t, "@1 end");
	t_expect(&t, "0", "join 1");
	t_expect(&t, "EOWNERDEAD", "try-robust");
}

static void clear_child_tid(void **state)
{
	t_expect(&t, "started", "threads 2");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_send(&t, "@1 end");
	t_expect(&t, "0", "join 1");
	struct ckpt_snapshot *later = t_restore_keep(&t, n);
	t_send(&t, "@1 end");
	t_expect(&t, "0", "join 1");
	t_restore(&t, later);
	t_expect(&t, "EBUSY", "try-join 2");    /* the word still says that it lives */
	t_send(&t, "@2 end");
	t_expect(&t, "0", "join 2");
}

static void pending_signals(void **state)
{
	char queued[256];

	t_expect(&t, "blocked", "block-signals");
	t_expect(&t, "started", "threads 1");           /* it inherits the mask */
	t_expect(&t, "queued", "@1 make-pending");
	struct ckpt_snapshot *n = t_snapshot(&t);
	snprintf(queued, sizeof queued, "%d:%d:0 %d:0:0 %d:-1:11 %d:-1:22 .", SIGUSR1, SI_TKILL, SIGUSR2,
		 SIGRTMIN + 3, SIGRTMIN + 3);
	t_expect(&t, queued, "@1 take-pending");
	t_expect(&t, ".", "@1 take-pending");
	t_restore(&t, n);
	t_expect(&t, queued, "@1 take-pending");
	t_restore(&t, n);
	/* Those of the process can be taken by any thread, that of thread 1 by no other. */
	t_expect(&t, strchr(queued, ' ') + 1, "take-pending");
}

static void interval_timers(void **state)
{
	t_expect(&t, "0", "set-itimer 1000");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "1000 1000", "itimer");
	t_expect(&t, "0", "set-itimer 0");
	t_restore(&t, n);
	t_expect(&t, "1000 1000", "itimer");
}

static void posix_timers(void **state)
{
	t_expect(&t, "made", "make-timers");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "1:500/7 4:900/7 .", "timers");
	t_expect(&t, "deleted", "delete-timers");
	t_restore(&t, n);
	t_expect(&t, "1:500/7 4:900/7 .", "timers");
	t_expect(&t, "fired", "fire-timer 1");
	t_expect(&t, "fired", "fire-timer 4");
}

static void rseq(void **state)
{
	t_expect(&t, "started", "threads 1");
	const char *known = t_ask(&t, "@1 rseq");
	if (strcmp(known, "EBUSY")) {
		print_message("[  SKIPPED ] this libc does not use rseq: %s\n", known);
		skip();
	}
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "EBUSY", "@1 rseq");
	struct ckpt_snapshot *later = t_restore_keep(&t, n);
	t_expect(&t, "EBUSY", "@1 rseq");
	t_expect(&t, "EBUSY", "rseq");
	t_restore(&t, later);
	t_expect(&t, "EBUSY", "@1 rseq");
	t_expect(&t, "EBUSY", "rseq");
}

static void working_directory_and_umask(void **state)
{
	t_expect(&t, "0", "chdir /usr");
	t_ask(&t, "umask 027");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "0", "chdir /");
	t_expect(&t, "27", "umask 0");
	t_restore(&t, n);
	t_expect(&t, "/usr", "cwd");
	t_expect(&t, "27", "umask 0");
}

static void thread_names(void **state)
{
	t_expect(&t, "started", "threads 1");
	t_expect(&t, "0", "@1 name worker-one");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "0", "@1 name other");
	t_restore(&t, n);
	t_expect(&t, "worker-one", "@1 my-name");
}

static void parent_death_signal(void **state)
{
	t_expect(&t, "0", "pdeath 10");
	t_expect(&t, "0", "take-orphans 1");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_restore(&t, n);
	t_expect(&t, "10", "my-pdeath");
	t_expect(&t, "1", "takes-orphans");
}

static void terminal(void **state)
{
	t_expect(&t, "0", "echo 1");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "0", "echo 0");
	t_expect(&t, "no echo in front", "terminal");
	t_restore(&t, n);
	t_expect(&t, "echo in front", "terminal");
	t_expect(&t, "0", "echo 0");            /* from the background this would stop the process */
}

static void numbers(void **state)
{
	char main_thread[64], other[64];

	t_expect(&t, "started", "threads 1");
	snprintf(main_thread, sizeof main_thread, "%s", t_ask(&t, "pid"));
	snprintf(other, sizeof other, "%s", t_ask(&t, "@1 pid"));
	struct ckpt_snapshot *n = t_snapshot(&t);
	for (int i = 0; i < 3; i++) {
		t_restore(&t, n);
		assert_non_null(strstr(t_ask(&t, "pid"), " leads"));
		if (ckpt_isolation(t.s) == CKPT_ISOLATION_NONE)
			continue;
		t_expect(&t, main_thread, "pid");
		t_expect(&t, other, "@1 pid");
	}
}

/* The program is not at a prompt: what it does next may be to start a process. */
static void numbers_of_what_it_is_starting(void **state)
{
	if (ckpt_isolation(t.s) == CKPT_ISOLATION_NONE)
		skip();
	t_expect(&t, "forks", "forks 2000");
	for (int i = 0; i < 30; i++) {
		struct ckpt_snapshot *n = t_snapshot(&t);
		t_restore(&t, n);
		ckpt_drop(n);
	}
	assert_string_equal(t_receive(&t), "0 gaps");
}

static void shared_memory(void **state)
{
	t_expect(&t, "1", "shared");
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "2", "shared");
	t_restore(&t, n);
	t_expect(&t, "2", "shared");
}

/* A call that waits goes on waiting after a freeze and after a restore, and then ends as if nothing had been. */
static void blocked(const char *how, long nr, const char *result)
{
	t_expect(&t, "started", "threads 1");
	t_send(&t, "@1 block %s", how);
	t_wait_in_syscall(&t, 1, nr);
	struct ckpt_snapshot *n = t_snapshot(&t);
	ckpt_drop(t_snapshot(&t));
	t_wait_in_syscall(&t, 1, nr);
	t_send(&t, "open-gate");
	assert_string_equal(t_receive(&t), result);
	for (int i = 0; i < 2; i++) {
		t_expect(&t, "closed", "close-gate");   /* what is in a pipe does not go back */
		t_restore(&t, n);
		t_wait_in_syscall(&t, 1, nr);
		t_send(&t, "open-gate");
		assert_string_equal(t_receive(&t), result);
	}
}

static void blocked_read(void **state) { blocked("read", SYS_readv, "1"); }
static void blocked_poll(void **state) { blocked("poll", SYS_poll, "1"); }
static void blocked_poll_timeout(void **state) { blocked("poll-timeout", SYS_poll, "1"); }
static void blocked_epoll(void **state) { blocked("epoll", SYS_epoll_wait, "1"); }
static void blocked_epoll_timeout(void **state) { blocked("epoll-timeout", SYS_epoll_wait, "1"); }
static void blocked_futex(void **state) { blocked("futex", SYS_futex, "0"); }
static void blocked_futex_timeout(void **state) { blocked("futex-timeout", SYS_futex, "0"); }

static void sleeps(const char *how)
{
	t_expect(&t, "started", "threads 1");
	t_send(&t, "@1 block %s", how);
	t_wait_in_syscall(&t, 1, SYS_nanosleep);
	struct ckpt_snapshot *n = t_snapshot(&t);
	assert_string_equal(t_receive(&t), "0");
	t_restore(&t, n);
	assert_string_equal(t_receive(&t), "0");
}

static void blocked_nanosleep(void **state) { sleeps("nanosleep"); }
static void blocked_nanosleep_null(void **state) { sleeps("nanosleep-null"); }

static void blocked_sigwait(void **state)
{
	char answer[16];

	snprintf(answer, sizeof answer, "%d", SIGUSR2);
	t_expect(&t, "blocked", "block-signals");
	t_expect(&t, "started", "threads 1");
	t_send(&t, "@1 block sigwait");
	t_wait_in_syscall(&t, 1, SYS_rt_sigtimedwait);
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_wait_in_syscall(&t, 1, SYS_rt_sigtimedwait);
	t_send(&t, "signal %d", SIGUSR2);
	assert_string_equal(t_receive(&t), answer);
	t_restore(&t, n);
	t_wait_in_syscall(&t, 1, SYS_rt_sigtimedwait);
	t_send(&t, "signal %d", SIGUSR2);
	assert_string_equal(t_receive(&t), answer);
}

static void eight_threads(void **state)
{
	t_expect(&t, "started", "threads 8");
	for (int i = 1; i <= 8; i++)
		for (int k = 0; k < i; k++)
			t_ask(&t, "@%d add", i);
	struct ckpt_snapshot *n = t_snapshot(&t);
	for (int round = 0; round < 3; round++) {
		for (int i = 1; i <= 8; i++) {
			char answer[16];
			snprintf(answer, sizeof answer, "%d", i + 1);
			t_expect(&t, answer, "@%d add", i);
		}
		t_restore(&t, n);
	}
	struct ckpt_info info;
	ckpt_info(n, &info);
	assert_int_equal(info.threads, 9);
	for (int i = 1; i <= 8; i++) {
		t_send(&t, "@%d end", i);
		t_expect(&t, "0", "join %d", i);
	}
}

/* From us, to the restored one; but not to one that would die of it. */
static void signal_of_ours(void **state)
{
	t_expect(&t, "0", "catch %d", SIGRTMAX - 6);
	struct ckpt_snapshot *n = t_snapshot(&t);
	t_expect(&t, "1", "add");
	t_restore(&t, n);
	assert_int_equal(ckpt_signal(t.s, SIGRTMAX - 6, &t.err), 0);
	t_expect(&t, "1", "caught");
	assert_int_equal(ckpt_signal(t.s, SIGRTMAX - 5, &t.err), -1);
	t_expect(&t, "1", "add");
}

#define STATE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE(vector_registers), STATE(signal_mask), STATE(alternate_stack), STATE(alternate_stack_of_main),
		STATE(robust_list), STATE(clear_child_tid), STATE(pending_signals), STATE(interval_timers),
		STATE(posix_timers), STATE(rseq), STATE(working_directory_and_umask), STATE(thread_names),
		STATE(parent_death_signal), STATE(terminal), STATE(numbers), STATE(numbers_of_what_it_is_starting),
		STATE(shared_memory), STATE(blocked_read),
		STATE(blocked_poll), STATE(blocked_poll_timeout), STATE(blocked_epoll), STATE(blocked_epoll_timeout),
		STATE(blocked_futex), STATE(blocked_futex_timeout), STATE(blocked_nanosleep),
		STATE(blocked_nanosleep_null), STATE(blocked_sigwait), STATE(eight_threads), STATE(signal_of_ours),
	};

	cmocka_set_test_filter(getenv("TEST"));
	return t_run_both("ckpt: state", tests);
}
