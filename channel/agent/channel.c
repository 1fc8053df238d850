/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/agent/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "channel/protocol.h"

static int channel = -1;
static bool waits;                      /* our word was the last */
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

/* Two pieces as one, so that fredapp wakes up once. */
static bool put(struct iovec piece[2])
{
	struct msghdr message = { .msg_iov = piece, .msg_iovlen = 2 };

	while (piece[0].iov_len + piece[1].iov_len > 0) {
		ssize_t done = sendmsg(channel, &message, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;       /* a signal's handler runs when the message is out */
		if (done <= 0)
			return false;
		for (int i = 0; i < 2; i++) {
			size_t n = (size_t)done < piece[i].iov_len ? (size_t)done : piece[i].iov_len;

			piece[i].iov_base = (char *)piece[i].iov_base + n;
			piece[i].iov_len -= n;
			done -= (ssize_t)n;
		}
	}
	return true;
}

bool channel_send(int type, const char *body, size_t n)
{
	char header[MESSAGE_HEADER] = { (char)n, (char)(n >> 8), (char)(n >> 16), (char)(n >> 24), (char)type };

	if (!channel_ours())
		return false;
	waits = true;
	if (put((struct iovec[]){ { header, sizeof header }, { (char *)(uintptr_t)body, n } }))
		return true;
	channel_close();
	return false;
}

bool channel_waits(void)
{
	return waits;
}

int channel_descriptor(void)
{
	return channel;
}

/* What has arrived of the next message: kept here, so that an exception in a signal handler loses nothing. */
static struct {
	unsigned char *data;
	size_t len, cap;
} arrived;

/* The length that the message has, as far as is known; 0: garbage. */
static size_t wanted(void)
{
	const unsigned char *d = arrived.data;
	size_t body;

	if (arrived.len < MESSAGE_HEADER)
		return MESSAGE_HEADER;
	body = (size_t)d[0] | (size_t)d[1] << 8 | (size_t)d[2] << 16 | (size_t)d[3] << 24;
	return body > MESSAGE_MAX ? 0 : MESSAGE_HEADER + body;
}

bool channel_message(int *type, const char **body, size_t *n)
{
	if (arrived.len < MESSAGE_HEADER || arrived.len != wanted())
		return false;
	*type = arrived.data[4];
	*body = (const char *)arrived.data + MESSAGE_HEADER;
	*n = arrived.len - MESSAGE_HEADER;
	arrived.len = 0;
	return true;
}

enum channel_got channel_read(void)
{
	size_t want = wanted();
	ssize_t n;

	if (want > arrived.cap) {
		unsigned char *more = realloc(arrived.data, want);

		if (more == NULL)
			return CHANNEL_GONE;
		arrived.data = more;
		arrived.cap = want;
	}
	if (want == 0 || !channel_ours())
		return CHANNEL_GONE;
	n = read(channel, arrived.data + arrived.len, want - arrived.len);
	if (n > 0) {
		arrived.len += (size_t)n;
		waits = false;
		return CHANNEL_SOME;
	}
	return n < 0 && errno == EINTR ? CHANNEL_INTERRUPTED : CHANNEL_GONE;
}
