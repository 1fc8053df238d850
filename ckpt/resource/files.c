/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regular files that the program holds open.
 *
 * All snapshots share the open file descriptions, so offsets and status flags move together: they are saved and put back.
 * Of a file open for writing the content is kept as well, one copy a version: snapshots between which the file did not
 * change share the copy.  What is restored is the content of what is open; that a file was created, renamed or removed
 * meanwhile is not undone, nor its times. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "ckpt/ckpt_priv.h"

/* A file's times have the granularity of the kernel's tick (at most 10 ms): a change this soon after a copy may leave them
 * as they were (git calls such an entry racily clean). */
#define RACY_NS 20000000ll
#define CHUNK 65536

struct version {
	struct version *next, **link;   /* the session's versions */
	unsigned refs;
	dev_t dev;
	ino_t ino;
	struct stat st;                 /* when the file was last known to have this content */
	int64_t known_at;               /* ... CLOCK_REALTIME, ns */
	int copy;                       /* unlinked */
};

struct open_file {
	int fd;
	dev_t dev;
	ino_t ino;
	off_t offset;
	int flags;
	struct version *content;        /* NULL: read only, too large, or not to be had */
};

struct files {
	struct open_file *list;
	size_t n;
};

struct file_cache {
	struct version *versions;
};

static int64_t ns(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ns(&t);
}

static bool same_stat(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && ns(&a->st_mtim) == ns(&b->st_mtim) && ns(&a->st_ctim) == ns(&b->st_ctim);
}

/* Do the times prove that the file still has this version's content? */
static bool proved(const struct version *v, const struct stat *st)
{
	return same_stat(&v->st, st) && v->known_at - ns(&v->st.st_mtim) > RACY_NS && v->known_at - ns(&v->st.st_ctim) > RACY_NS;
}

static void version_free(struct version *v)
{
	if (!v || --v->refs)
		return;
	*v->link = v->next;
	if (v->next)
		v->next->link = v->link;
	close(v->copy);
	free(v);
}

void files_free(struct files *f)
{
	for (size_t i = 0; f && i < f->n; i++)
		version_free(f->list[i].content);
	if (f)
		free(f->list);
	free(f);
}

void files_session_free(struct ckpt_session *s)
{
	free(s->file_cache);
}

static void name_of(int fd, char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, name, size - 1);
	name[n > 0 ? n : 0] = 0;
}

/* A descriptor to read with: a program's own may be write-only. */
static int open_reader(int fd)
{
	char path[64];

	if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int same_content(int a, int b, off_t size)
{
	cleanup_free char *x = xmalloc(2 * CHUNK);
	char *y = x + CHUNK;

	for (off_t at = 0; at < size; at += CHUNK) {
		ssize_t n = pread(a, x, CHUNK, at), m = pread(b, y, CHUNK, at);
		if (n < 0 || n != m || memcmp(x, y, (size_t)n))
			return 0;
	}
	return 1;
}

static int temporary(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	cleanup_free char *path = xasprintf("%s/fred-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int copy_content(int from, int to, off_t size)
{
	cleanup_free char *chunk = xmalloc(CHUNK);

	if (fault("file-copy")) {
		errno = ENOSPC;
		return -1;
	}
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (off_t at = 0; at < size;) {
		ssize_t n = pread(from, chunk, CHUNK, at);
		if (n <= 0)
			return (int)n;
		if (pwrite(to, chunk, (size_t)n, at) != n)
			return -1;
		at += n;
	}
	return 0;
}

static struct version *version_new(struct ckpt_session *s, int reader, const struct stat *st)
{
	int64_t at = now_ns();
	int copy = temporary(s->tmpdir);

	if (copy < 0 || copy_content(reader, copy, st->st_size) < 0) {
		int saved = errno;
		if (copy >= 0)
			close(copy);
		errno = saved;
		return NULL;
	}
	struct version *v = xmalloc(sizeof *v);
	*v = (struct version){.refs = 1, .dev = st->st_dev, .ino = st->st_ino, .st = *st, .known_at = at, .copy = copy};
	v->next = s->file_cache->versions;
	v->link = &s->file_cache->versions;
	if (v->next)
		v->next->link = &v->next;
	s->file_cache->versions = v;
	return v;
}

/* The version that the file has now, if there is a copy of it. */
static struct version *version_find(struct ckpt_session *s, int reader, const struct stat *st)
{
	for (struct version *v = s->file_cache->versions; v; v = v->next) {
		if (v->dev != st->st_dev || v->ino != st->st_ino || v->st.st_size != st->st_size)
			continue;
		if (!proved(v, st)) {
			int64_t at = now_ns();
			if (!same_content(reader, v->copy, st->st_size))
				continue;
			v->st = *st;
			v->known_at = at;
		}
		v->refs++;
		return v;
	}
	return NULL;
}

static struct version *keep_content(struct ckpt_session *s, int fd, const struct stat *st)
{
	char name[256];

	if ((uint64_t)st->st_size > s->file_limit) {
		name_of(fd, name, sizeof name);
		session_warn(s, "%s is larger than %zu MB: its content does not go back, only the position in it "
			     "(fred-set file-limit)", name, s->file_limit >> 20);
		return NULL;
	}
	cleanup_fd int reader = open_reader(fd);
	struct version *v = reader < 0 ? NULL : version_find(s, reader, st);
	if (!v && reader >= 0)
		v = version_new(s, reader, st);
	if (!v) {
		int saved = errno;
		name_of(fd, name, sizeof name);
		session_warn(s, "the content of %s does not go back, for it cannot be copied to %s: %s%s", name, s->tmpdir,
			     strerror(saved), saved == ENOSPC ? " (make room there, or set TMPDIR)" : "");
	}
	return v;
}

/* What the user redirected for us is not the program's to take back. */
static bool is_ours(const struct stat *st)
{
	struct stat own;

	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino)
			return true;
	return false;
}

/* A descriptor is fetched before it is known for what: that takes half the time of a look at /proc/PID/fd/N. */
static void save_one(struct ckpt_session *s, int pidfd, int fd, struct files *f)
{
	cleanup_fd int dup = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	struct open_file o = {.fd = fd};
	struct stat st;

	if (dup < 0 || fstat(dup, &st) < 0 || !S_ISREG(st.st_mode) || is_ours(&st))
		return;
	o.dev = st.st_dev;
	o.ino = st.st_ino;
	o.flags = fcntl(dup, F_GETFL);
	o.offset = lseek(dup, 0, SEEK_CUR);
	if (o.offset < 0)               /* O_PATH */
		return;
	if ((o.flags & O_ACCMODE) != O_RDONLY)
		o.content = keep_content(s, dup, &st);
	array_grow(f->list, f->n);
	f->list[f->n++] = o;
}

int files_save(struct ckpt_session *s, pid_t pid, struct files **files, struct err *err)
{
	struct files *f = *files = xcalloc(1, sizeof *f);
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	char path[64];

	if (fault("ckpt-files"))
		return err_set(err, "fault ckpt-files");
	if (!s->file_cache)
		s->file_cache = xcalloc(1, sizeof *s->file_cache);
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	if (!dir || pidfd < 0) {
		err_sys(err, "list the open files of process %d", pid);
		if (dir)
			closedir(dir);
		return -1;
	}
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] != '.')
			save_one(s, pidfd, atoi(e->d_name), f);
	closedir(dir);
	return 0;
}

/* Writes only what differs: others who read the file see the least possible. */
static int put_content(int reader, int writer, const struct version *v)
{
	cleanup_free char *want = xmalloc(2 * CHUNK);
	char *have = want + CHUNK;

	for (off_t at = 0; at < v->st.st_size; at += CHUNK) {
		ssize_t n = pread(v->copy, want, CHUNK, at), m = pread(reader, have, CHUNK, at);
		if (n < 0 || m < 0)
			return -1;
		if ((n != m || memcmp(want, have, (size_t)n)) && pwrite(writer, want, (size_t)n, at) != n)
			return -1;
	}
	return 0;
}

static int restore_content(int fd, struct version *v)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (proved(v, &st))
		return 0;
	cleanup_fd int reader = open_reader(fd);
	if (reader < 0)
		return -1;
	int64_t at = now_ns();
	if (st.st_size == v->st.st_size && same_content(reader, v->copy, st.st_size)) {
		v->st = st;
		v->known_at = at;
		return 0;
	}
	/* pwrite() on an O_APPEND descriptor appends, whatever the offset (pwrite(2), BUGS). */
	int flags = fcntl(fd, F_GETFL);
	if (flags & O_APPEND)
		fcntl(fd, F_SETFL, flags & ~O_APPEND);
	int r = st.st_size > v->st.st_size ? ftruncate(fd, v->st.st_size) : 0;
	if (r == 0)
		r = put_content(reader, fd, v);
	int saved = errno;
	if (flags & O_APPEND)
		fcntl(fd, F_SETFL, flags);
	if (r == 0 && fstat(fd, &v->st) == 0)
		v->known_at = now_ns();
	errno = saved;
	return r;
}

static void restore_one(struct ckpt_session *s, int pidfd, const struct open_file *o)
{
	cleanup_fd int fd = (int)syscall(SYS_pidfd_getfd, pidfd, o->fd, 0);
	const int settable = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;
	char name[256];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != o->dev || st.st_ino != o->ino)
		return;
	if (o->content && restore_content(fd, o->content) < 0) {
		int saved = errno;
		name_of(fd, name, sizeof name);
		session_warn(s, "the content of %s could not be put back: %s", name, strerror(saved));
	}
	int flags = fcntl(fd, F_GETFL);
	if ((flags ^ o->flags) & settable)
		fcntl(fd, F_SETFL, o->flags);
	lseek(fd, o->offset, SEEK_SET);
}

int files_restore(struct ckpt_session *s, pid_t pid, const struct files *f, struct err *err)
{
	cleanup_fd int pidfd = -1;

	if (fault("ckpt-restore-files"))
		return err_set(err, "fault ckpt-restore-files");
	if (!f->n)
		return 0;
	if ((pidfd = (int)syscall(SYS_pidfd_open, pid, 0)) < 0)
		return err_sys(err, "open process %d", pid);
	for (size_t i = 0; i < f->n; i++)
		restore_one(s, pidfd, &f->list[i]);
	return 0;
}
