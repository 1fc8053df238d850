/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, const char *fmt, ...)
{
	va_list ap;

	err->sys = 0;
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof err->what, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	err->sys = saved;
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof err->what, fmt, ap);
	va_end(ap);
	size_t n = strlen(err->what);
	snprintf(err->what + n, sizeof err->what - n, ": %s", strerror(saved));
	return -1;
}

int err_context(struct err *err, const char *fmt, ...)
{
	char was[sizeof err->what];
	va_list ap;

	memcpy(was, err->what, sizeof was);
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof err->what, fmt, ap);
	va_end(ap);
	size_t n = strlen(err->what);
	snprintf(err->what + n, sizeof err->what - n, ": %s", was);
	return -1;
}
