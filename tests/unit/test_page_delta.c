/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages that are kept as what they have become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ckpt/ckpt_priv.h"

static _Alignas(8) unsigned char from[PAGE], to[PAGE], back[PAGE];

static size_t there_and_back(size_t most)
{
	static unsigned char delta[2 * PAGE];

	memset(delta, 0xee, sizeof delta);
	size_t size = delta_make(from, to, delta, most);
	if (size == DELTA_TOO_LONG)
		return size;
	assert_in_range(size, 0, most);
	for (size_t i = most; i < sizeof delta; i++)
		assert_int_equal(delta[i], 0xee);
	memcpy(back, from, PAGE);
	delta_apply(back, delta, size);
	assert_memory_equal(back, to, PAGE);
	return size;
}

static void random_pages(void **state)
{
	const char *given = getenv("FRED_SEED");
	unsigned seed = given ? (unsigned)atoi(given) : (unsigned)time(NULL);

	print_message("FRED_SEED=%u\n", seed);
	srand(seed);
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < PAGE; i++)
			from[i] = (unsigned char)rand();
		memcpy(to, from, PAGE);
		for (int changes = rand() % 40; changes > 0; changes--) {
			size_t at = (size_t)rand() % PAGE, n = (size_t)rand() % 100;
			for (size_t i = at; i < PAGE && i < at + n; i++)
				to[i] = (unsigned char)rand();
		}
		there_and_back((size_t)rand() % PAGE);
	}
}

static void edges(void **state)
{
	memset(from, 1, PAGE);
	memset(to, 1, PAGE);
	assert_int_equal(there_and_back(PAGE), 0);
	assert_int_equal(there_and_back(0), 0);
	to[0] = 2;
	size_t one = there_and_back(PAGE);
	to[PAGE - 1] = 2;
	assert_int_equal(there_and_back(PAGE), 2 * one);
	assert_int_equal(there_and_back(2 * one - 1), DELTA_TOO_LONG);
	memset(to, 3, PAGE);
	assert_int_equal(there_and_back(PAGE), DELTA_TOO_LONG);
	assert_in_range(there_and_back(2 * PAGE), PAGE, PAGE + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_pages),
		cmocka_unit_test(edges),
	};
	return cmocka_run_group_tests_name("page_delta", tests, NULL, NULL);
}
