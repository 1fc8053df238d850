/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A loop of more than a thousand statements, and a call in which a thousand are executed; memory by the first argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long total;

static long work(int n)
{
	long sum = 0;

	for (int i = 0; i < n; i++)
		sum += i;
	return sum;
}

int main(int argc, char **argv)
{
	size_t bytes = (argc > 1 ? (size_t)atoi(argv[1]) : 0) << 20;
	char *memory = malloc(bytes + 1);

	memset(memory, 1, bytes + 1);
	for (int i = 0; i < 600; i++)
		total += i;
	total += work(500);
	total += memory[bytes];
	printf("%ld\n", total);
	return 0;
}
