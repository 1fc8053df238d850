/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words of a command line, and which known word an unknown one was probably meant to be. */
#ifndef FRED_WORDS_H
#define FRED_WORDS_H

/* The name most like `word` of those that name(0), name(1), ... give until NULL; NULL when none is near. */
const char *nearest_word(const char *word, const char *(*name)(int i));
/* Skips blanks. */
const char *skip_blanks(const char *s);

#endif
