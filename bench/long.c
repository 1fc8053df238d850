/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A long run: by the first argument so many rounds of some nine statements each, and one in which a global changes. */
#include <stdio.h>
#include <stdlib.h>

static long total, changed, done;

static long mix(long a, long b)
{
	long r = a ^ b;

	r += a & 7;
	return r & 15;
}

static void change(long i)
{
	changed = i;
}

static void end(void)
{
	done = 1;
}

static void work(long n)
{
	for (long i = 0; i < n; i++) {
		total += mix(i, total);
		if (i == n / 10 * 7)
			change(i);
	}
	end();
}

int main(int argc, char **argv)
{
	work(argc > 1 ? atol(argv[1]) : 1000);
	printf("%ld %ld\n", total, done);
	return 0;
}
