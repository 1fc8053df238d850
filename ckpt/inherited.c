/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fork() hands down, beside memory and what the other parts of the engine record.
 *
 * It is never put back: a snapshot stands on another one's twin only where the twin has the same.  So it need not be understood, only
 * be compared, and what is not known here by name (new lines of /proc/PID/status) is compared as well.
 *
 * LIMITATION: what madvise(), mbind() and pkey_mprotect() have set for a whole mapping since the twin was made is not seen, for to
 * ask (/proc/PID/smaps) takes as long as a fork(); nor are keyrings. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ckpt/ckpt_priv.h"

#define SIGACTION_SIZE 32               /* the kernel's: handler, flags, restorer, mask */
#define IOPRIO_WHO_PROCESS 1
#define AUXV_ROOM 512                   /* it has some 20 pairs of words */

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif
#ifndef PR_GET_IO_FLUSHER
#define PR_GET_IO_FLUSHER 58
#endif

/* These lines of /proc/PID/status change by themselves, are not handed down, or are recorded elsewhere. */
static const char *const passing[] = {
	"State", "Tgid", "Ngid", "Pid", "PPid", "TracerPid", "FDSize", "NStgid", "NSpid", "NSpgid", "NSsid", "Kthread", "VmPeak",
	"VmSize", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem", "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap",
	"HugetlbPages", "CoreDumping", "Threads", "SigQ", "SigPnd", "ShdPnd", "SigBlk", "Cpus_allowed", "Cpus_allowed_list",
	"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches",
};

static bool is_passing(const char *line, size_t len)
{
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (strlen(passing[i]) == len && !memcmp(line, passing[i], len))
			return true;
	return false;
}

static bool add_file(struct buf *out, pid_t pid, const char *name)
{
	size_t len;
	cleanup_free char *text = proc_slurp(pid, name, &len);

	if (text)
		buf_add(out, text, len);
	return text != NULL;
}

static void add_status(struct buf *out, const char *status)
{
	for (const char *line = status, *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (!is_passing(line, strcspn(line, ":\n")))
			buf_add(out, line, (size_t)(end - line));
	}
}

/* proc(5): priority and nice; where code, stack, data, arguments and environment are; rt_priority and policy. */
static void add_stat(struct buf *out, const char *stat)
{
	static const char wanted[] = {18, 19, 26, 27, 28, 40, 41, 45, 46, 47, 48, 49, 50, 51};
	const char *at = strrchr(stat, ')');

	for (int field = 2; at && *at; field++) {
		size_t len = strcspn(at, " \n");
		if (memchr(wanted, field, sizeof wanted))
			buf_add(out, at, len + 1);
		at += len;
		at += *at ? 1 : 0;
	}
}

/* The namespaces; the working directory and the root. */
static bool add_places(struct buf *out, pid_t pid)
{
	static const char *const names[] = {
		"ns/cgroup", "ns/ipc", "ns/mnt", "ns/net", "ns/pid_for_children", "ns/time_for_children", "ns/user", "ns/uts", "cwd", "root",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64], to[512];
		struct stat st;
		snprintf(path, sizeof path, "/proc/%d/%s", pid, names[i]);
		ssize_t n = readlink(path, to, sizeof to);
		if (n == sizeof to)
			return false;
		buf_add(out, to, n > 0 ? (size_t)n : 0);        /* a kernel may lack a kind of namespace */
		if (names[i][0] != 'n' && stat(path, &st) == 0)
			buf_printf(out, " %lx %lx ", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
	}
	return true;
}

bool inherited_descriptors(pid_t pid, struct descriptors *list)
{
	char path[64];
	bool fits = true;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	list->n = 0;
	for (struct dirent *e; dir && fits && (e = readdir(dir));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		fits = list->n < MOST_FILES;
		if (fits)
			list->fds[list->n++] = atoi(e->d_name);
	}
	if (dir)
		closedir(dir);
	return dir && fits;
}

static bool is_window(int fd, const struct window *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].fd == fd)
			return true;
	return false;
}

bool inherited_files(pid_t a, pid_t b, const struct descriptors *list, const struct window *but, size_t n_but)
{
	for (int i = 0; i < list->n; i++)
		if (!is_window(list->fds[i], but, n_but) && syscall(SYS_kcmp, a, b, KCMP_FILE, (long)list->fds[i], (long)list->fds[i]) != 0)
			return false;
	return true;
}

/* ---- what the process must be asked itself ---- */

struct asking {
	struct batch batch;
	struct buf *out;
	bool ok;
};

/* What stands in the buffer before an answer is the same for everyone. */
static void begin(struct asking *a, struct remote *r)
{
	batch_begin(&a->batch, r);
	memset(a->batch.data, 0, a->batch.size);
}

/* All that was answered to n calls is added: results, and what stands in the buffer. */
static void run(struct asking *a, size_t n, size_t used)
{
	a->ok = a->ok && batch_run(&a->batch) == 0;
	for (size_t i = 0; a->ok && i < n; i++)
		buf_add(a->out, &a->batch.calls[i].result, sizeof a->batch.calls[i].result);
	if (a->ok)
		buf_add(a->out, a->batch.data, used);
}

static void flush(struct asking *a)
{
	struct remote *r = a->batch.r;

	run(a, a->batch.n, a->batch.used);
	batch_end(&a->batch);
	begin(a, r);
}

/* Room for an answer, where one is wanted. */
static uint64_t room(struct asking *a, size_t n)
{
	if (!batch_fits(&a->batch, 1, n))
		flush(a);
	uint64_t at = n ? batch_room(&a->batch, n) : 0;
	a->batch.sent = a->batch.used;
	return at;
}

static void ask_signals(struct asking *a, const char *status)
{
	for (int number = 1; number <= 64; number++)
		if (number == SIGCHLD || status_has_signal(status, "\nSigCgt:", number)) {      /* SA_NOCLDWAIT has a meaning without a handler */
			uint64_t at = room(a, SIGACTION_SIZE);
			batch_call(&a->batch, SYS_rt_sigaction, (uint64_t)number, 0, at, 8);
		}
}

static void ask_files(struct asking *a, const struct descriptors *list)
{
	for (int i = 0; i < list->n; i++) {
		room(a, 0);
		batch_call(&a->batch, SYS_fcntl, (uint64_t)list->fds[i], F_GETFD);
	}
	buf_add(a->out, list->fds, (size_t)list->n * sizeof list->fds[0]);
}

/* Linux 6.4. */
static bool tells_auxv(void)
{
	static int tells = -1;
	char first;

	if (tells < 0)
		tells = prctl(PR_GET_AUXV, &first, 1, 0, 0) > 0;
	return tells;
}

static void ask_values(struct asking *a)
{
	static const int plain[] = {PR_GET_DUMPABLE, PR_GET_KEEPCAPS, PR_GET_SECUREBITS, PR_GET_THP_DISABLE, PR_GET_MDWE, PR_MCE_KILL_GET,
				    PR_GET_IO_FLUSHER, PR_GET_TIMERSLACK, PR_GET_TIMING};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		room(a, 0);
		batch_call(&a->batch, SYS_prctl, (uint64_t)plain[i], 0, 0, 0, 0);
	}
	if (tells_auxv()) {
		uint64_t at = room(a, AUXV_ROOM);
		batch_call(&a->batch, SYS_prctl, PR_GET_AUXV, at, AUXV_ROOM, 0, 0);
	}
	room(a, 0);
	batch_call(&a->batch, SYS_brk, 0);
	room(a, 0);
	batch_call(&a->batch, SYS_personality, 0xffffffff);
	for (int i = 0; i < ARCH_SETTINGS; i++) {
		uint64_t at = room(a, ARCH_SETTING_SIZE);
		arch_ask_setting(&a->batch, i, at);
	}
}

static void ask_limits(struct asking *a)
{
	for (uint64_t i = 0; i < RLIM_NLIMITS; i++) {
		uint64_t at = room(a, sizeof(struct rlimit));
		batch_call(&a->batch, SYS_prlimit64, 0, i, 0, at);
	}
}

/* The number that the next open file gets. */
static int free_number(const struct descriptors *list)
{
	int i = 0;

	while (i < list->n && list->fds[i] == i)    /* they are listed in order */
		i++;
	return i;
}

bool inherited_outside(pid_t pid, const struct proc_text *text, struct buf *out)
{
	add_stat(out, text->stat);
	add_status(out, text->status);
	buf_printf(out, "%ld", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid));
	return add_file(out, pid, "oom_score_adj") && add_file(out, pid, "coredump_filter") && add_file(out, pid, "cgroup") &&
	       (tells_auxv() || add_file(out, pid, "auxv")) && add_places(out, pid);
}

bool inherited_inside(struct remote *r, const struct proc_text *text, const struct descriptors *files, struct buf *out, pid_t *last)
{
	struct asking a = {.out = out, .ok = true};
	struct number_question q;

	begin(&a, r);
	ask_signals(&a, text->status);
	ask_files(&a, files);
	ask_values(&a);
	ask_limits(&a);
	if (!batch_fits(&a.batch, NUMBER_CALLS, NUMBER_ROOM))
		flush(&a);
	size_t compared = a.batch.n, used = a.batch.used;
	if (last)
		number_ask(&a.batch, free_number(files), &q);
	run(&a, compared, used);
	if (last)
		*last = number_told(&a.batch, &q);
	batch_end(&a.batch);
	return a.ok;
}
