/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FAULTS 8

static struct {
	const char *name;
	size_t len;
	long nth;               /* 0: every time */
	long seen;
} faults[MAX_FAULTS];
static int n_faults = -1;

static void parse(void)
{
	const char *p = getenv("FRED_FAULT");

	for (n_faults = 0; p && *p && n_faults < MAX_FAULTS; n_faults++) {
		size_t word = strcspn(p, ",");
		size_t name = strcspn(p, ":,");
		faults[n_faults].name = p;
		faults[n_faults].len = name;
		faults[n_faults].nth = name < word ? strtol(p + name + 1, NULL, 10) : 0;
		p += word + (p[word] == ',');
	}
}

bool fault(const char *name)
{
	if (n_faults < 0)
		parse();
	for (int i = 0; i < n_faults; i++) {
		if (strlen(name) != faults[i].len || strncmp(name, faults[i].name, faults[i].len) != 0)
			continue;
		faults[i].seen++;
		if (faults[i].nth == 0 || faults[i].nth == faults[i].seen) {
			errno = EIO;
			return true;
		}
	}
	return false;
}
