/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdb's text interface would draw over the screen that fredapp writes to.  It begins with newterm(), wherever the command came
 * from, .gdbinit or Python too: if that fails gdb says so, and goes on as before. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "gdb-adapter/agent/prompt.h"

struct screen;
typedef struct screen *newterm_function(const char *type, FILE *out, FILE *in);

__attribute__((visibility("default"))) newterm_function newterm;
struct screen *newterm(const char *type, FILE *out, FILE *in)
{
	if (is_in_gdb()) {
		dprintf(STDERR_FILENO, "FReD: gdb would draw on the whole screen, which fredapp cannot show: use list, info and display instead\n");
		errno = ENOTTY;
		return NULL;
	}
	newterm_function *real = (newterm_function *)(uintptr_t)dlsym(RTLD_NEXT, "newterm");
	return real != NULL ? real(type, out, in) : NULL;
}
