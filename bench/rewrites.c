/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A long run over so many megabytes, of which it only reads, or writes all, again and again: MEGABYTES ROUNDS [writes]. */
#include <stdio.h>
#include <stdlib.h>

static volatile long total;

static void end(void)
{
	total++;
}

int main(int argc, char **argv)
{
	size_t n = (size_t)atol(argv[1]) << 20;
	char *data = malloc(n);

	for (size_t i = 0; i < n; i += 64)
		data[i] = 1;
	for (long round = atol(argv[2]); round > 0; round--)
		for (size_t i = 0; i < n; i += 64)
			if (argc > 3)
				data[i]++;
			else
				total += data[i];
	end();
	return 0;
}
