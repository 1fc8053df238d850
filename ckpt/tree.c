/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The processes of a session beside the leader. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ckpt/ckpt_priv.h"

bool is_twin(const struct ckpt_session *s, pid_t pid)
{
	if (pid == s->doomed)
		return true;
	for (const struct ckpt_snapshot *n = s->snapshots; n; n = n->next)
		if (n->leader.twin == pid || traced_has_twin(&n->traced, pid))
			return true;
	for (size_t i = 0; i < s->n_dying; i++)
		if (s->dying[i] == pid)
			return true;
	return false;
}

/* A listing may miss a child when another is reaped meanwhile (proc(5), children): believe what is read twice.  That there is
 * none is told for certain: only what comes after a first one is searched for anew. */
char *children_of(pid_t pid, pid_t tid)
{
	char path[64], *text, *again;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, tid);
	text = fd_slurp(path, NULL);
	while (text && *text && (again = fd_slurp(path, NULL))) {
		bool same = !strcmp(text, again);
		free(text);
		text = again;
		if (same)
			break;
	}
	return text;
}

static void add_children(const struct ckpt_session *s, pid_t pid, pid_t tid, struct process **list, size_t *n)
{
	cleanup_free char *text = children_of(pid, tid);

	for (char *p = text, *end; p; p = end) {
		struct process one = {.parent = pid, .pid = (pid_t)strtol(p, &end, 10)};
		if (end == p)
			return;
		if (is_twin(s, one.pid))
			continue;
		array_grow(*list, *n);
		(*list)[(*n)++] = one;
	}
}

size_t tree_list(const struct ckpt_session *s, struct process **list)
{
	size_t n = 0;

	*list = NULL;
	add_children(s, s->init, s->init, list, &n);
	for (size_t i = 0; i < n; i++) {
		pid_t pid = (*list)[i].pid;
		char path[64];

		cleanup_free char *status = status_read(pid);
		(*list)[i].tracer = status ? (pid_t)status_field(status, "\nTracerPid:") : 0;
		(*list)[i].zombie = !status || strstr(status, "\nState:\tZ") || strstr(status, "\nState:\tX");
		snprintf(path, sizeof path, "/proc/%d/task", pid);
		DIR *dir = opendir(path);
		for (struct dirent *e; dir && (e = readdir(dir));)
			if (e->d_name[0] != '.')
				add_children(s, pid, atoi(e->d_name), list, &n);
		if (dir)
			closedir(dir);
	}
	return n;
}

pid_t traced_by_leader(const struct ckpt_session *s)
{
	cleanup_free struct process *list = NULL;
	size_t n = s->leader ? tree_list(s, &list) : 0;
	pid_t traced = 0;

	for (size_t i = 0; i < n; i++) {
		if (list[i].tracer != s->leader || list[i].zombie)
			continue;
		if (traced)
			return 0;
		traced = list[i].pid;
	}
	return traced;
}

uint64_t ckpt_faults(const struct ckpt_session *s)
{
	cleanup_free struct process *list = NULL;
	size_t n = s->leader ? tree_list(s, &list) : 0;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		cleanup_free char *stat = proc_slurp(list[i].pid, "stat", NULL);
		unsigned long minor = 0;
		char *name_end = stat ? strrchr(stat, ')') : NULL;
		if (name_end && sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %lu", &minor) == 1)
			sum += minor;
	}
	return sum;
}

uint64_t ckpt_ran_us(const struct ckpt_session *s)
{
	struct timespec t = {0};
	clockid_t clock;

	if (s->leader && clock_getcpuclockid(s->leader, &clock) == 0)
		clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool ckpt_has_children(const struct ckpt_session *s)
{
	cleanup_free struct process *list = NULL;
	size_t n = s->leader ? tree_list(s, &list) : 0;

	for (size_t i = 0; i < n; i++)
		if (list[i].pid != s->leader && list[i].pid != s->init)
			return true;
	return false;
}

int kill_orphans(struct ckpt_session *s, struct err *err)
{
	size_t found;

	do {
		cleanup_free char *list = children_of(s->init, s->init);
		found = 0;
		for (char *p = list, *end; p; p = end) {
			pid_t pid = (pid_t)strtol(p, &end, 10);
			if (end == p)
				break;
			pid_t inside = is_twin(s, pid) ? 0 : number_inside(pid);
			if (!inside)
				continue;
			found++;
			array_grow(s->awaited, s->n_awaited);
			s->awaited[s->n_awaited++] = inside;
			/* One that a clone() made whose caller was killed before it could tell us of the child. */
			if (!reap_if_ours(pid))
				kill(pid, SIGKILL);
		}
		if (found && session_reports(s, true, err) < 0)
			return -1;
	} while (found);        /* their own children come to init next */
	return 0;
}

void reap_strays(struct ckpt_session *s)
{
	cleanup_free struct process *list = NULL;
	size_t n = tree_list(s, &list);

	for (size_t i = 0; i < n; i++)
		(void)!reap_if_ours(list[i].pid);
}
