/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pdb-adapter/protocol.h"

static int channel = -1;
static struct stat channel_stat;        /* tells our socket from another file that got its number */

/* A program may close every descriptor it does not know, and open others. */
bool channel_ours(void)
{
	struct stat st;

	return channel >= 0 && fstat(channel, &st) == 0 && st.st_dev == channel_stat.st_dev && st.st_ino == channel_stat.st_ino;
}

/* A program may have closed our socket and opened a file that got its number: that one stays. */
void channel_close(void)
{
	if (channel_ours())
		close(channel);
	channel = -1;
}

/* A number that programs do not expect in use, and that a child does not inherit. */
static int high_descriptor(int fd)
{
	struct rlimit limit;
	int from = 1000, high;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1024)
		from = (int)limit.rlim_cur - 8;
	high = fcntl(fd, F_DUPFD_CLOEXEC, from);
	if (high < 0)
		high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (high >= 0)
		close(fd);
	return high;
}

bool channel_take(int fd)
{
	channel = high_descriptor(fd);
	return channel >= 0 && fstat(channel, &channel_stat) == 0;
}

object *py_open(object *self, object *unused)
{
	return boolean(channel_ours());
}

static bool put(const char *data, size_t n)
{
	while (n > 0) {
		ssize_t done = send(channel, data, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;       /* a signal's handler runs when the message is out */
		if (done <= 0)
			return false;
		data += done;
		n -= (size_t)done;
	}
	return true;
}

static bool put_message(int type, const char *body, size_t n)
{
	char header[MESSAGE_HEADER] = { (char)n, (char)(n >> 8), (char)(n >> 16), (char)(n >> 24), (char)type };
	void *thread;
	bool ok;

	if (!channel_ours())
		return false;
	thread = PyEval_SaveThread();
	ok = put(header, sizeof header) && put(body, n);
	PyEval_RestoreThread(thread);
	if (!ok) {
		close(channel);
		channel = -1;
	}
	return ok;
}

/* send(type: int, body: bytes) -> bool */
object *py_send(object *self, object *args)
{
	long type = PyLong_AsLong(PyTuple_GetItem(args, 0));
	ssize_t n;
	char *body;

	if (PyErr_Occurred() || PyBytes_AsStringAndSize(PyTuple_GetItem(args, 1), &body, &n) < 0)
		return NULL;
	return boolean(put_message((int)type, body, (size_t)n));
}

/* send_ticks(ticks: list of int) -> bool */
object *py_send_ticks(object *self, object *ticks)
{
	ssize_t n = PyList_Size(ticks);
	unsigned char *body;
	object *result;

	if (n < 0)
		return NULL;
	body = malloc((size_t)n * 4 + 1);
	if (body == NULL)
		return boolean(false);
	for (ssize_t i = 0; i < n; i++) {
		unsigned long v = (unsigned long)PyLong_AsLong(PyList_GetItem(ticks, i));

		for (int k = 0; k < 4; k++)
			body[4 * i + k] = (unsigned char)(v >> (8 * k));
	}
	result = PyErr_Occurred() ? NULL : boolean(put_message(MESSAGE_TICKS, (char *)body, (size_t)n * 4));
	free(body);
	return result;
}

/* What has arrived of the next message: kept here, so that an exception in a signal handler loses nothing. */
static struct {
	unsigned char *data;
	size_t len, cap;
} arrived;

/* receive() -> (type, body), or None when fredapp is gone.  Other threads run meanwhile; a signal handler may raise. */
object *py_receive(object *self, object *unused)
{
	for (;;) {
		size_t want = MESSAGE_HEADER;
		void *thread;
		ssize_t n;
		int error;

		if (arrived.len >= MESSAGE_HEADER) {
			const unsigned char *d = arrived.data;
			size_t body = (size_t)d[0] | (size_t)d[1] << 8 | (size_t)d[2] << 16 | (size_t)d[3] << 24;

			if (body > MESSAGE_MAX)
				break;
			want += body;
			if (arrived.len == want) {
				arrived.len = 0;
				return Py_BuildValue("(iN)", (int)d[4],
						     PyBytes_FromStringAndSize((const char *)d + MESSAGE_HEADER, (ssize_t)body));
			}
		}
		if (want > arrived.cap) {
			unsigned char *more = realloc(arrived.data, want);

			if (more == NULL)
				break;
			arrived.data = more;
			arrived.cap = want;
		}
		if (!channel_ours())
			break;
		thread = PyEval_SaveThread();
		n = read(channel, arrived.data + arrived.len, want - arrived.len);
		error = errno;
		PyEval_RestoreThread(thread);
		if (n > 0)
			arrived.len += (size_t)n;
		else if (n == 0 || error != EINTR)
			break;
		if (n < 0 && PyErr_CheckSignals() < 0)
			return NULL;
	}
	channel_close();
	return none();
}

object *py_flush(object *self, object *unused)
{
	void *thread = PyEval_SaveThread();

	fflush(NULL);
	PyEval_RestoreThread(thread);
	return none();
}

/* digest(bytes) -> str: tells long values apart.  Two FNV-1a with different primes; nobody attacks it. */
object *py_digest(object *self, object *bytes)
{
	uint64_t a = 0xcbf29ce484222325, b = 0x9ae16a3b2f90404f;
	char text[33], *data;
	ssize_t n;

	if (PyBytes_AsStringAndSize(bytes, &data, &n) < 0)
		return NULL;
	for (ssize_t i = 0; i < n; i++) {
		a = (a ^ (unsigned char)data[i]) * 0x100000001b3;
		b = (b ^ (unsigned char)data[i]) * 0xc2b2ae3d27d4eb4f;
		b ^= b >> 29;
	}
	snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
	return PyUnicode_FromString(text);
}
