/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Line editing, history and TAB completion for a human, with readline, while the program's output goes on. */
#ifndef FRED_EDITOR_H
#define FRED_EDITOR_H

#include <stdbool.h>

#include "base/buf.h"
#include "fred/session.h"

enum editor_result { EDITOR_LINE, EDITOR_EOF, EDITOR_INTERRUPT, EDITOR_STATE };

void editor_open(void);         /* reads the history of earlier sessions */
void editor_close(void);        /* writes it */
/* One line, without its newline, in *line (the caller frees it) for EDITOR_LINE.  EDITOR_STATE: the session has changed
 * its state; look there. */
enum editor_result editor_read(struct session *session, const char *prompt, char **line);
/* Adds a prompt, without its escape sequences where `plain`. */
void editor_add_plain(struct buf *b, const char *prompt, bool plain);

#endif
