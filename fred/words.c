/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/words.h"

#include <stddef.h>
#include <string.h>

enum { LONGEST = 40 };

/* Levenshtein's distance; long words count as far away. */
static size_t distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), row[LONGEST + 1];

	if (la > LONGEST || lb > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t swap = corner + (a[i - 1] != b[j - 1]);
			corner = row[j];
			size_t best = corner < row[j - 1] ? corner + 1 : row[j - 1] + 1;
			row[j] = best < swap ? best : swap;
		}
	}
	return row[lb];
}

const char *nearest_word(const char *word, const char *(*name)(int i))
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 3 + 2;

	for (int i = 0; name(i); i++) {
		size_t d = distance(word, name(i));
		if (d < best_distance) {
			best = name(i);
			best_distance = d;
		}
	}
	return best;
}

const char *skip_blanks(const char *s) { return s + strspn(s, " \t"); }
