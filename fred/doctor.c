/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/doctor.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ckpt/ckpt.h"
#include "fred/adapter.h"

static void line(const char *what, bool good, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void line(const char *what, bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%-34s %s  ", what, good ? "yes" : "NO ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static bool check_isolation(enum ckpt_isolation which, const char *name, const char *use, const char *advice)
{
	struct err err;

	if (ckpt_probe(which, &err) >= 0) {
		line(name, true, "%s", use);
		return true;
	}
	line(name, false, "%s; %s", err.what, advice);
	return false;
}

static void check_yama(void)
{
	cleanup_free char *scope = fd_slurp("/proc/sys/kernel/yama/ptrace_scope", NULL);

	if (scope && atoi(scope) >= 2)
		line("ptrace of own processes", false,
		     "kernel.yama.ptrace_scope is %d: as root, sysctl kernel.yama.ptrace_scope=1", atoi(scope));
	else
		line("ptrace of own processes", true, "%s", scope ? "allowed by yama" : "no yama here");
}

/* A filter on us can forbid what snapshots need, in containers mostly. */
static void check_seccomp(void)
{
	cleanup_free char *status = fd_slurp("/proc/self/status", NULL);
	const char *mode = status ? strstr(status, "\nSeccomp:") : NULL;

	if (!mode)
		line("seccomp", true, "this kernel has none, so nothing is filtered");
	else if (atoi(mode + strlen("\nSeccomp:")))
		line("seccomp", true, "fredapp itself runs under a filter; should a line below say NO, have ptrace, clone3 and "
		     "unshare allowed there");
	else
		line("seccomp", true, "fredapp runs under no filter");
}

/* The first line that a command prints, without its newline; NULL when it cannot be run. */
static char *first_line(const char *command)
{
	FILE *f = popen(command, "r");
	char text[200];

	if (!f)
		return NULL;
	bool ok = fgets(text, sizeof text, f) != NULL;
	if (pclose(f) != 0 || !ok)
		return NULL;
	text[strcspn(text, "\n")] = 0;
	return xstrdup(text);
}

static bool check_version(const char *what, const char *command, const char *advice)
{
	cleanup_free char *text = first_line(command);

	line(what, text != NULL, "%s", text ? text : advice);
	return text != NULL;
}

/* preload: gets LD_PRELOAD=..., as the debugger would. */
static bool check_agent(const char *what, char **argv, char *preload, size_t size)
{
	const struct adapter *adapter = adapter_for(argv);
	struct adapter_launch launch = {.argv = argv, .envp = xcalloc(1, sizeof(char *))};
	void *self = NULL;
	struct err err;
	bool good = adapter && adapter->open(&self, &launch, &err) == 0;

	line(what, good, "%s", good ? "found" : adapter ? err.what : "not built in");
	if (good)
		adapter->close(self);
	for (char **p = launch.envp; p && *p; p++) {
		if (!strncmp(*p, "LD_PRELOAD=", 11))
			snprintf(preload, size, "%s", *p);
		free(*p);
	}
	free(launch.envp);
	return good;
}

static bool check_pdb(void)
{
	char *argv[] = {(char *)"python3", (char *)"-m", (char *)"pdb", NULL}, preload[4200];
	bool python = check_version("python3", "python3 --version 2>&1", "install python3 (3.8 to 3.13)");

	return check_agent("pdb agent", argv, preload, sizeof preload) && python;
}

/* A gdb with a readline of its own or without Python says so itself when it has the agent in it. */
static bool check_gdb(void)
{
	char *argv[] = {(char *)"gdb", NULL}, preload[4200];

	if (!check_version("gdb", "gdb --version 2>/dev/null", "not installed: install gdb to debug C and C++"))
		return false;
	if (!check_agent("gdb agent", argv, preload, sizeof preload))
		return false;
	/* Any descriptor will do for the channel. */
	cleanup_free char *command = xasprintf("env '%s' FRED_AGENT_FD=0 gdb -nx -batch -ex 'echo Python and readline\\n' "
					       "</dev/null 2>&1; true", preload);
	cleanup_free char *said = first_line(command);
	bool good = said && !strncmp(said, "Python", 6);

	line("gdb with Python and readline", good, "%s", good ? "as FReD needs it" : said ? said : "gdb cannot be run");
	return good;
}

/* Without it nothing is wrong, but slow. */
static void check_alarm(void)
{
	struct err err;

	if (ckpt_alarm_probe(&err) == 0)
		line("watching a program's time", true, "for going back into long runs of C");
	else
		line("watching a program's time", false, "%s: going back into long runs of C is slow; as root, sysctl "
		     "kernel.perf_event_paranoid=2, with Linux 5.13 or newer", err.what);
}

static void check_watchpoints(void)
{
	struct err err;

	if (ckpt_watch_probe(&err) == 0)
		line("hardware watchpoints", true, "for gdb's watch, and searches in long runs of C");
	else
		line("hardware watchpoints", false, "%s: gdb's watch steps, which is slow, and long runs of C are searched by halves",
		     err.what);
}

/* Without it nothing is wrong, but slower. */
static void check_base(void)
{
	struct err err;

	if (ckpt_base_probe(&err) == 0)
		line("snapshots of what has changed", true, "what was not written is not copied");
	else
		line("snapshots of what has changed", false, "%s: each snapshot is a copy of the whole", err.what);
}

int doctor(void)
{
	struct utsname u;
	bool any, debugger;

	uname(&u);
	printf("%-34s      %s %s, %ld CPUs, %s\n", "machine", u.sysname, u.release, sysconf(_SC_NPROCESSORS_ONLN),
	       geteuid() ? "ordinary user" : "root");
	check_yama();
	check_seccomp();
	any = check_isolation(CKPT_ISOLATION_ROOT, "snapshots, namespaces by privilege", "used when run as root",
			      "not needed where user namespaces work");
	any |= check_isolation(CKPT_ISOLATION_USER, "snapshots, user namespace", "used by ordinary users",
			       "as root, sysctl user.max_user_namespaces=10000 (some systems: "
			       "kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)");
	any |= check_isolation(CKPT_ISOLATION_NONE, "snapshots, no namespaces",
			       "the last resort, not for gdb: a restored program has another pid", "see ptrace above");
	debugger = check_pdb();
	debugger |= check_gdb();
	check_alarm();
	check_watchpoints();
	check_base();
	if (!any)
		printf("Without snapshots nothing can be undone.  In a container, allow ptrace (--cap-add SYS_PTRACE).\n");
	return any && debugger ? 0 : 1;
}
