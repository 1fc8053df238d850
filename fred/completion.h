/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What TAB offers: names of fred commands and what they take; for all else, expressions included, the debugger is asked. */
#ifndef FRED_COMPLETION_H
#define FRED_COMPLETION_H

#include "fred/session.h"

/* readline's callbacks have no context of their own: whom to ask.  Borrowed until the next call. */
void completion_for(struct session *session);
/* An rl_attempted_completion_function. */
char **completion(const char *text, int start, int end);

#endif
