/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a snapshot and a restore cost, beside a bare fork() of the same process in the same run.
 *
 * The figures that matter are the ratios: absolute ones move from machine to machine.  The memory has 4 KB pages
 * (MADV_NOHUGEPAGE), the dear case; with transparent huge pages fork() and all that follows are several times cheaper. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/awake.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "tests/unit/gdb_help.h"

#define RUNS 15

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, by_value);
	return v[n / 2];
}

static double raw_fork(struct t_session *t)
{
	double v[RUNS];

	for (int i = 0; i < RUNS; i++) {
		t_ask(t, "check");
		awake_begin();          /* as fredapp has done when it comes to this */
		v[i] = atof(t_ask(t, "time-fork")) / 1000;
	}
	return median(v, RUNS);
}

static double snapshot_pause(struct t_session *t)
{
	double v[RUNS];
	struct ckpt_snapshot *n[RUNS];
	struct ckpt_info info;

	/* Dropped only in the end: memory is torn down in the background, which would disturb the next measurement. */
	for (int i = 0; i < RUNS; i++) {
		t_ask(t, "check");
		awake_begin();
		n[i] = t_snapshot(t);
		ckpt_info(n[i], &info);
		v[i] = (double)info.pause_us / 1000;
	}
	for (int i = 0; i < RUNS; i++)
		ckpt_drop(n[i]);
	return median(v, RUNS);
}

static double restore(struct t_session *t, bool keep)
{
	double v[RUNS];
	struct ckpt_snapshot *n = t_snapshot(t), *abandoned = NULL;

	for (int i = 0; i < RUNS; i++) {
		t_ask(t, "rewrite 10");
		awake_begin();
		uint64_t began = clock_us();
		if (ckpt_restore(t->s, n, keep ? &abandoned : NULL, &t->err) < 0)
			fail_msg("%s", t->err.what);
		v[i] = (double)(clock_us() - began) / 1000;
		t_ask(t, "check");
		ckpt_drop(abandoned);
		abandoned = NULL;
	}
	ckpt_drop(n);
	return median(v, RUNS);
}

static void size(int mb)
{
	struct t_session t;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_ask(&t, "big %d", mb);
	double raw = raw_fork(&t), pause = snapshot_pause(&t);
	double kept = restore(&t, true), killed = restore(&t, false);
	printf("%d MB, 4 KB pages; medians of %d\n", mb, RUNS);
	printf("  raw fork()                                 %8.2f ms\n", raw);
	printf("  snapshot, pause                            %8.2f ms   fork + %.2f ms, %.2f x fork\n", pause, pause - raw, pause / raw);
	printf("  restore, a tenth rewritten, present kept   %8.2f ms   %.2f x fork\n", kept, kept / raw);
	printf("  restore, a tenth rewritten, present killed %8.2f ms   %.2f x fork\n", killed, killed / raw);
	t_end(&t);
}

struct usage {
	long kb;
	int fds, processes;
};

static int entries(const char *path)
{
	int n = 0;
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static struct usage usage(void)
{
	struct usage u = {.fds = entries("/proc/self/fd")};
	char *status = fd_slurp("/proc/self/status", NULL), *rss = status ? strstr(status, "VmRSS:") : NULL;

	u.kb = rss ? atol(rss + 6) : 0;
	free(status);
	char *load = fd_slurp("/proc/loadavg", NULL), *slash = load ? strchr(load, '/') : NULL;
	u.processes = slash ? atoi(slash + 1) : 0;
	free(load);
	return u;
}

static void rounds(struct t_session *t, const char *of, int n)
{
	struct usage before = {0}, after;
	uint64_t began = 0;

	alarm(0);       /* the limit is for tests */
	for (int i = 0; i < n + 100; i++) {
		if (i == 100) {         /* the first rounds fill malloc's arenas */
			before = usage();
			began = clock_us();
		}
		struct ckpt_snapshot *s = t_snapshot(t), *abandoned = NULL;
		if (ckpt_restore(t->s, s, i % 2 ? &abandoned : NULL, &t->err) < 0)
			fail_msg("%s", t->err.what);
		ckpt_drop(s);
		ckpt_drop(abandoned);
	}
	after = usage();
	printf("%d rounds of snapshot, restore, drop (%s): %.2f ms a round\n", n, of, (double)(clock_us() - began) / 1000 / n);
	printf("  growth: memory %+ld KB, descriptors %+d, tasks on this machine %+d\n", after.kb - before.kb,
	       after.fds - before.fds, after.processes - before.processes);
}

static void rounds_pdb(int n)
{
	struct t_session t;

	t_start(&t, "serve", CKPT_ISOLATION_AUTO);
	t_ask(&t, "threads 2");
	rounds(&t, "3 threads", n);
	t_end(&t);
}

static void start_gdb(struct t_session *t)
{
	g_start_with(t, "threads", "10", CKPT_ISOLATION_AUTO);
	g_do(t, "break stop_here");
	g_do(t, "run");
}

static void gdb(void)
{
	double pause[RUNS], kept[RUNS], killed[RUNS];
	struct ckpt_snapshot *n[RUNS], *abandoned;
	struct ckpt_info info;
	struct t_session t;

	start_gdb(&t);
	g_do(&t, "next");
	for (int i = 0; i < RUNS; i++) {
		g_do(&t, "next");
		awake_begin();
		n[i] = t_snapshot(&t);
		ckpt_info(n[i], &info);
		pause[i] = (double)info.pause_us / 1000;
	}
	for (int i = 0; i < 2 * RUNS; i++) {
		g_do(&t, "next");
		awake_begin();
		uint64_t began = clock_us();
		if (ckpt_restore(t.s, n[0], i % 2 ? &abandoned : NULL, &t.err) < 0)
			fail_msg("%s", t.err.what);
		*(i % 2 ? &kept[i / 2] : &killed[i / 2]) = (double)(clock_us() - began) / 1000;
		g_do(&t, "print total");
		if (i % 2)
			ckpt_drop(abandoned);
	}
	for (int i = 0; i < RUNS; i++)
		ckpt_drop(n[i]);
	printf("gdb and a program with 5 threads and 10 MB; medians of %d\n", RUNS);
	printf("  snapshot, pause                            %8.2f ms\n", median(pause, RUNS));
	printf("  restore after a next, present kept         %8.2f ms\n", median(kept, RUNS));
	printf("  restore after a next, present killed       %8.2f ms\n", median(killed, RUNS));
	t_end(&t);
}

static void rounds_gdb(int n)
{
	struct t_session t;

	start_gdb(&t);
	rounds(&t, "gdb and a program with 5 threads", n);
	g_expect(&t, "add", "next 3");
	t_end(&t);
}

int main(int argc, char **argv)
{
	struct err log_err;

	if (log_open(getenv("FRED_LOG"), NULL, &log_err))
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	int n = argc > 1 ? atoi(argv[1]) : 10000;
	if (argc < 3 || !strcmp(argv[2], "pdb")) {
		size(10);
		size(1024);
		rounds_pdb(n);
	}
	if (argc < 3 || !strcmp(argv[2], "gdb")) {
		gdb();
		rounds_gdb(n);
	}
	return 0;
}
