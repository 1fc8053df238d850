/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that fork() shares instead of copying: MAP_SHARED of no file, of a memfd, of /dev/shm, System V.
 *
 * It is copied and written back as a whole, so only up to the limit for files; above it, it does not go back. */
#include <stdio.h>
#include <string.h>

#include "ckpt/ckpt_priv.h"

struct area {
	uint64_t from, size;
	char *content;
};

struct shared_memory {
	struct area *areas;
	size_t n;
};

void shared_memory_free(struct shared_memory *m)
{
	for (size_t i = 0; m && i < m->n; i++)
		free(m->areas[i].content);
	if (m)
		free(m->areas);
	free(m);
}

/* Is this line of /proc/PID/maps memory of that kind? */
static bool parse_area(const char *line, struct area *a)
{
	unsigned long from, to;
	char perms[8], path[16] = "";

	if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %15s", &from, &to, perms, path) < 3)
		return false;
	*a = (struct area){.from = from, .size = to - from};
	return perms[0] == 'r' && perms[1] == 'w' && perms[3] == 's' &&
	       (!strncmp(path, "/dev/zero", 9) || !strncmp(path, "/dev/shm/", 9) || !strncmp(path, "/memfd:", 7) ||
		!strncmp(path, "/SYSV", 5));
}

static bool read_area(pid_t pid, struct area *a)
{
	a->content = malloc(a->size);
	return a->content && remote_read(pid, a->from, a->content, a->size) == 0;
}

int shared_memory_save(struct ckpt_session *s, pid_t pid, struct shared_memory **memory, struct err *err)
{
	struct shared_memory *m = *memory = xcalloc(1, sizeof *m);
	size_t sum = 0;
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	cleanup_free char *maps = fd_slurp(path, NULL);
	if (!maps || fault("ckpt-shared-memory"))
		return err_sys(err, "read %s", path);
	for (char *line = maps; line; line = strchr(line, '\n')) {
		struct area a;
		line += *line == '\n';
		if (!parse_area(line, &a))
			continue;
		sum += a.size;
		if (sum > s->file_limit || !read_area(pid, &a)) {
			free(a.content);
			session_warn(s, "the program shares more than %zu MB of memory with other processes: "
				     "the content of that memory does not all go back", s->file_limit >> 20);
			return 0;
		}
		array_grow(m->areas, m->n);
		m->areas[m->n++] = a;
	}
	return 0;
}

int shared_memory_restore(struct ckpt_session *s, pid_t pid, const struct shared_memory *m, struct err *err)
{
	for (size_t i = 0; m && i < m->n; i++)
		if (remote_write(pid, m->areas[i].from, m->areas[i].content, m->areas[i].size) < 0)
			return err_sys(err, "write the shared memory of process %d", pid);
	return 0;
}
