/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/agent/python_channel.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel/agent/channel.h"
#include "channel/protocol.h"

object *py_open(object *self, object *unused)
{
	return boolean(channel_ours());
}

static bool send_message(int type, const char *body, size_t n)
{
	void *thread = PyEval_SaveThread();
	bool ok = channel_send(type, body, n);

	PyEval_RestoreThread(thread);
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
	return boolean(send_message((int)type, body, (size_t)n));
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
	result = PyErr_Occurred() ? NULL : boolean(send_message(MESSAGE_TICKS, (char *)body, (size_t)n * 4));
	free(body);
	return result;
}

/* receive() -> (type, body), or None when fredapp is gone.  Other threads run meanwhile; a signal handler may raise. */
object *py_receive(object *self, object *unused)
{
	for (;;) {
		enum channel_got got;
		const char *body;
		void *thread;
		size_t n;
		int type;

		if (channel_message(&type, &body, &n))
			return Py_BuildValue("(iN)", type, PyBytes_FromStringAndSize(body, (ssize_t)n));
		if (PyErr_CheckSignals() < 0)
			return NULL;
		thread = PyEval_SaveThread();
		got = channel_read();
		PyEval_RestoreThread(thread);
		if (got == CHANNEL_GONE)
			break;
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

/* digest(bytes) -> str: tells long values apart.  Two FNV-1a with different primes, of words and then of the bytes that are
 * left; nobody attacks it.  A megabyte takes 0.3 ms. */
object *py_digest(object *self, object *bytes)
{
	uint64_t a = 0xcbf29ce484222325, b = 0x9ae16a3b2f90404f;
	char text[33], *data;
	ssize_t n, i = 0;

	if (PyBytes_AsStringAndSize(bytes, &data, &n) < 0)
		return NULL;
	while (i < n) {
		uint64_t word = (unsigned char)data[i];
		bool whole = n - i >= (ssize_t)sizeof word;

		if (whole)
			memcpy(&word, data + i, sizeof word);
		i += whole ? (ssize_t)sizeof word : 1;
		a = (a ^ word) * 0x100000001b3;
		a ^= a >> 32;
		b = (b ^ word) * 0xc2b2ae3d27d4eb4f;
		b ^= b >> 29;
	}
	snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
	return PyUnicode_FromString(text);
}
