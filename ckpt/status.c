/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What /proc/PID says, its status above all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ckpt/ckpt_priv.h"

char *proc_slurp(pid_t pid, const char *name, size_t *len)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	return fd_slurp(path, len);
}

bool proc_text_read(pid_t pid, struct proc_text *text)
{
	*text = (struct proc_text){.status = status_read(pid), .stat = proc_slurp(pid, "stat", NULL)};
	return text->status && text->stat;
}

void proc_text_free(struct proc_text *text)
{
	free(text->status);
	free(text->stat);
	*text = (struct proc_text){0};
}

char *status_read(pid_t pid)
{
	return proc_slurp(pid, "status", NULL);
}

long status_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

bool status_has_signal(const char *status, const char *name, int number)
{
	const char *at = strstr(status, name);

	return at && strtoull(at + strlen(name), NULL, 16) >> (number - 1) & 1;
}

bool has_own_filter(const char *status)
{
	static long ours = -1;

	if (ours < 0) {
		cleanup_free char *own = fd_slurp("/proc/self/status", NULL);
		ours = own ? status_field(own, "\nSeccomp_filters:") : 0;
	}
	long mode = status_field(status, "\nSeccomp:");
	return mode && !(mode == 2 && status_field(status, "\nSeccomp_filters:") <= ours);
}

pid_t status_inside(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	if (!at)
		return 0;
	const char *end = at + 1 + strcspn(at + 1, "\n");
	while (end > at && end[-1] != '\t')
		end--;
	return atoi(end);
}

pid_t number_inside(pid_t pid)
{
	cleanup_free char *status = status_read(pid);

	return status ? status_inside(status, "\nNSpid:") : 0;
}
