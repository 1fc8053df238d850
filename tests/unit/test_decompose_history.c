/* SPDX-License-Identifier: GPL-3.0-or-later */
/* History, undo and redo, and thinning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "decompose/history.h"
#include "decompose/thin.h"
#include "decompose/undo.h"
#include "tests/unit/sim.h"

static void assert_rendered(const struct history *h, size_t from, const char *text)
{
	struct buf out = { 0 };

	history_render(h, from, &out);
	assert_string_equal(buf_str(&out), text);
	buf_free(&out);
}

static void figure_of_the_paper(void **state)
{
	struct path_run runs[] = { { PATH_NEXT, 2 }, { PATH_STEP, 1 }, { PATH_NEXT, 9731 } };
	struct path path = { runs, 3 };
	struct history h = { 0 };

	history_add(&h, "break 6", HISTORY_DEBUGGER);
	history_add(&h, "continue", HISTORY_MOVES);
	assert_rendered(&h, 0, "[break 6, continue]");
	assert_int_equal(history_rewind(&h, 1, &path, "step", "next"), 4);
	history_add(&h, "where", HISTORY_LOOKS);
	assert_rendered(&h, 0, "[break 6, next, next, step, next 9731, where]");
	assert_rendered(&h, 3, "[next 9731, where]");
	assert_rendered(&h, 5, "[]");
	history_free(&h);
}

/* What changed only the debugger survives a reverse move, in order; the rest of the cut-off tail does not. */
static void classes(void **state)
{
	struct path_run runs[] = { { PATH_NEXT, 3 } };
	struct path path = { runs, 1 };
	struct history h = { 0 }, copy = { 0 };
	size_t reissued;

	history_add(&h, "next", HISTORY_MOVES);
	history_add(&h, "x = 3", HISTORY_PROGRAM);
	history_add(&h, "break 7", HISTORY_DEBUGGER);
	history_add(&h, "continue", HISTORY_MOVES);
	history_add(&h, "x = 4", HISTORY_PROGRAM);
	history_add(&h, "break 9", HISTORY_DEBUGGER);
	history_add(&h, "print(x)", HISTORY_LOOKS);
	history_add(&h, "display x", HISTORY_DEBUGGER);
	history_add(&h, "next", HISTORY_MOVES);
	history_copy(&copy, &h);
	reissued = history_rewind(&h, 3, &path, "s", "n");
	assert_int_equal(reissued, 4);
	assert_string_equal(h.entries[reissued].text, "break 9");
	assert_rendered(&h, 0, "[next, x = 3, break 7, n, n, n, break 9, display x]");
	/* To the start of the first command: also what was typed before the target's own command. */
	assert_int_equal(history_rewind(&copy, 0, NULL, "step", "next"), 0);
	assert_rendered(&copy, 0, "[break 7, break 9, display x]");
	history_truncate(&copy, 1);
	history_add(&copy, "next", HISTORY_MOVES);
	history_add_run(&copy, "next", HISTORY_MOVES, 4);
	assert_rendered(&copy, 0, "[break 7, next 5]");
	history_free(&h);
	history_free(&copy);
}

static void forget(void *ctx, int position)
{
	int *forgotten = ctx;

	forgotten[position]++;
}

static void undo_and_redo(void **state)
{
	int forgotten[10] = { 0 }, position = -1;
	struct undo u = { .forget = forget, .ctx = forgotten };

	assert_int_equal(undo_undo(&u, 1, &position), 0);
	assert_int_equal(undo_can_undo(&u) + undo_can_redo(&u), 0);
	for (int i = 0; i < 6; i++)
		undo_do(&u, i);
	assert_int_equal(undo_can_undo(&u), 5);
	assert_int_equal(undo_undo(&u, 2, &position), 2);
	assert_int_equal(position, 3);
	assert_int_equal(undo_redo(&u, 1, &position), 1);
	assert_int_equal(position, 4);
	assert_int_equal(undo_redo(&u, 7, &position), 1);
	assert_int_equal(position, 5);
	assert_int_equal(undo_undo(&u, 100, &position), 5);
	assert_int_equal(position, 0);
	assert_int_equal(undo_can_redo(&u), 5);
	undo_redo(&u, 2, &position);
	undo_do(&u, 6);
	assert_int_equal(undo_can_redo(&u), 0);
	assert_int_equal(undo_can_undo(&u), 3);
	for (int i = 0; i < 7; i++)
		assert_int_equal(forgotten[i], i >= 3 && i < 6);
	undo_clear(&u);
	assert_int_equal(forgotten[0] + forgotten[6], 2);
	assert_int_equal(undo_can_undo(&u), 0);
	undo_do(&u, 7);
	assert_int_equal(undo_can_undo(&u), 0);
	undo_free(&u);
}

/* Against a naive model: a list of all positions up to now, and one of those taken back. */
static void undo_random(void **state)
{
	struct sim dice = { .seed = 88172645463325252ULL };
	static int past[10000], future[10000];
	struct undo u = { 0 };
	int n_past = 0, n_future = 0, position;

	for (int i = 0; i < 10000; i++) {
		size_t n = sim_random(&dice, 5), done = 0;

		switch (n_past ? sim_random(&dice, 3) : 0) {
		case 0:
			undo_do(&u, i);
			past[n_past++] = i;
			n_future = 0;
			continue;
		case 1:
			for (; done < n && n_past > 1; done++)
				future[n_future++] = past[--n_past];
			assert_int_equal(undo_undo(&u, n, &position), done);
			break;
		case 2:
			for (; done < n && n_future > 0; done++)
				past[n_past++] = future[--n_future];
			assert_int_equal(undo_redo(&u, n, &position), done);
			break;
		}
		if (done)
			assert_int_equal(position, past[n_past - 1]);
		assert_int_equal(undo_can_undo(&u), n_past - 1);
		assert_int_equal(undo_can_redo(&u), n_future);
	}
	undo_free(&u);
}

/* A long session within a budget: the oldest and the pinned stay, the last ones are dense, gaps grow with age. */
static void thinning(void **state)
{
	enum { BUDGET = 50, COMMANDS = 20000 };
	struct thin_snapshot s[BUDGET + 1];
	size_t n = 0;

	for (uint64_t now = 0; now < COMMANDS; now++) {
		int drop;

		s[n++] = (struct thin_snapshot){ now, now == 777 };
		while ((drop = thin_pick(s, n, BUDGET, now)) >= 0) {
			assert_true(drop > 0 && drop < (int)n - 1 && !s[drop].pinned);
			memmove(s + drop, s + drop + 1, (n - (size_t)drop - 1) * sizeof *s);
			n--;
		}
		assert_true(n <= BUDGET);
	}
	assert_int_equal(s[0].seq, 0);
	assert_int_equal(s[n - 1].seq, COMMANDS - 1);
	for (size_t i = 1; i <= 4; i++)
		assert_int_equal(s[n - 1 - i].seq, COMMANDS - 1 - i);
	for (size_t i = 1; i < n; i++)
		assert_true(s[i].seq - s[i - 1].seq <= 1 + (COMMANDS - s[i].seq));
	for (size_t i = 0; i < n; i++)
		if (s[i].pinned)
			return;
	fail_msg("the pinned one was dropped");
}

static void nothing_to_thin(void **state)
{
	struct thin_snapshot s[] = { { 0, false }, { 5, true }, { 9, true }, { 12, false } };

	assert_int_equal(thin_pick(s, 4, 4, 12), -1);
	assert_int_equal(thin_pick(s, 4, 2, 12), -1);
	s[2].pinned = false;
	assert_int_equal(thin_pick(s, 4, 2, 12), 2);
	assert_int_equal(thin_pick(s, 0, 0, 12), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figure_of_the_paper),
		cmocka_unit_test(classes),
		cmocka_unit_test(undo_and_redo),
		cmocka_unit_test(undo_random),
		cmocka_unit_test(thinning),
		cmocka_unit_test(nothing_to_thin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
