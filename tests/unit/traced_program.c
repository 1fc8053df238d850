/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program that gdb debugs in the tests: `TEST --traced ROLE` in any test binary. */
#pragma GCC optimize("O0")
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int total;
void stop_here(void);
int add(int n), twice(int n);

void stop_here(void)
{
	__asm__ volatile("");
}

int add(int n)
{
	total += n;
	return total;
}

int twice(int n)
{
	return 2 * n;
}

static void count_up(void)
{
	stop_here();
	for (int i = 1; i <= 10; i++)
		add(i);
	printf("total=%d\n", total);
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "--traced"))
		return;
	if (!strcmp(argv[2], "count"))
		count_up();
	exit(0);
}
