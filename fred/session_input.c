/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the program reads from its terminal.
 *
 * The debugger's commands never go through the inner terminal, so all that is in its input queue is the program's, or
 * will be the user's next command: exactly as at a terminal without us, what is typed (or piped in) while the program
 * runs goes to the program if it reads, and is the debugger's if it does not.  So while the program runs everything is
 * forwarded, and at the prompt the slave side is read empty and what comes back is the next command's text.
 *
 * What the program did read belongs to the command that ran; run again, it is fed the same. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>

#include "base/awake.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "fred/session_priv.h"
#include "fred/terminal.h"

bool input_wants_stdin(const struct session *s)
{
	return s->state == SESSION_RUNNING && !s->internal && !s->in.eof;
}

bool input_wants_master(const struct session *s)
{
	if (s->state != SESSION_RUNNING || s->internal)
		return false;
	return outer_is_terminal() ? s->typeahead.len : s->in.pos < s->in.data.len || (s->in.eof && !s->in.eofs);
}

/* ^Z while the program runs: the program's own terminal has no shell that could wake it, so it is us who stop. */
static bool suspend_typed(struct session *s, const char *data, size_t n)
{
	struct termios t;

	if (!outer_is_terminal() || tcgetattr(s->back, &t) || !(t.c_lflag & ISIG) || t.c_cc[VSUSP] == _POSIX_VDISABLE ||
	    !memchr(data, t.c_cc[VSUSP], n))
		return false;
	outer_suspend();
	return true;
}

/* For running the command again, less what was no input but a signal: ^C is not typed at the program again. */
static void remember_typed(struct session *s, const char *data, size_t n)
{
	struct termios t;

	bool signals = tcgetattr(s->back, &t) == 0 && (t.c_lflag & ISIG) && t.c_cc[VINTR] != _POSIX_VDISABLE;
	for (size_t i = 0; i < n; i++) {
		if (signals && (unsigned char)data[i] == t.c_cc[VINTR])
			s->interrupted = true;
		else
			buf_addch(&s->typed, data[i]);
	}
}

static void type_ahead(struct session *s)
{
	ssize_t n = s->typeahead.len ? write(s->master, s->typeahead.data, s->typeahead.len) : 0;

	if (n <= 0)
		return;
	remember_typed(s, s->typeahead.data, (size_t)n);
	buf_eat(&s->typeahead, (size_t)n);
}

void input_from_stdin(struct session *s)
{
	char data[4096];
	ssize_t n = read(STDIN_FILENO, data, sizeof data);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		s->in.eof = true;
		if (outer_is_terminal() || n < 0)
			s->hangup = true;
		return;
	}
	if (!outer_is_terminal()) {
		buf_add(&s->in.data, data, (size_t)n);
		return;
	}
	if (suspend_typed(s, data, (size_t)n))
		return;
	log_bytes(LOG_PTY, "key", data, (unsigned long)n);
	buf_add(&s->typeahead, data, (size_t)n);
	type_ahead(s);
}

/* Writes bytes of a pipe to the terminal, those that mean something there quoted; returns how many went, quotes not
 * counted. */
static size_t write_quoted(struct session *s, const struct termios *t, const char *data, size_t n)
{
	bool quote = (t->c_lflag & ICANON) && (t->c_lflag & IEXTEN);
	char lnext = (char)t->c_cc[VLNEXT], quoted[4096];
	size_t len = 0, done = 0;

	for (size_t i = 0; i < n && len + 2 <= sizeof quoted; i++) {
		if (quote && (data[i] == (char)t->c_cc[VEOF] || data[i] == lnext))
			quoted[len++] = lnext;
		quoted[len++] = data[i];
	}
	ssize_t w = write(s->master, quoted, len);
	if (w <= 0)
		return 0;
	/* A quote must not be parted from its byte: finish it. */
	for (size_t i = 0; i < (size_t)w; i++, done++)
		if (quote && quoted[i] == lnext && ++i == (size_t)w && fd_write_all(s->master, &quoted[i], 1))
			return done;
	return done;
}

/* A pipe stays at its end, a terminal says end of file once for each ^D: enough for a program that insists. */
enum { ENOUGH_EOFS = 64 };

static void type_eofs(struct session *s, const struct termios *t, size_t n)
{
	char eofs[ENOUGH_EOFS];

	memset(eofs, t->c_cc[VEOF], sizeof eofs);
	if (n && fd_write_all(s->master, eofs, n < sizeof eofs ? n : sizeof eofs))
		s->hangup = true;
}

void input_to_master(struct session *s)
{
	if (outer_is_terminal()) {
		type_ahead(s);
		return;
	}
	struct termios t;
	size_t n = s->in.data.len - s->in.pos;

	if (tcgetattr(s->back, &t))
		return;
	if (n) {
		size_t w = write_quoted(s, &t, s->in.data.data + s->in.pos, n > 2048 ? 2048 : n);
		buf_add(&s->typed, s->in.data.data + s->in.pos, w);
		s->in.pos += w;
	} else {
		type_eofs(s, &t, ENOUGH_EOFS);
		s->in.eofs = ENOUGH_EOFS;
	}
}

/* Empties the slave's input queue into b.  Only whole lines can be read in canonical mode, so that is off meanwhile. */
static void read_back(struct session *s, struct buf *b)
{
	struct termios was, t;

	if (tcgetattr(s->back, &was))
		return;
	t = was;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = t.c_cc[VTIME] = 0;
	tcsetattr(s->back, TCSANOW, &t);
	for (;;) {
		ssize_t n = read(s->back, buf_room(b, 4096), 4096);
		if (n <= 0)
			break;
		b->len += (size_t)n;
	}
	tcsetattr(s->back, TCSANOW, &was);
}

void input_take_back(struct session *s)
{
	cleanup_buf struct buf back = {0};

	s->read_eofs = 0;
	if (s->typed.len == 0 && !s->in.eofs)
		return;
	read_back(s, &back);
	/* An end of file that nobody has read is a NUL in the queue (n_tty.c: __DISABLED_CHAR). */
	for (; s->in.eofs && back.len && back.data[back.len - 1] == 0; s->in.eofs--)
		back.len--;
	s->read_eofs = s->in.eofs;
	s->in.eofs = 0;
	if (back.len > s->typed.len)
		back.len = s->typed.len;
	s->typed.len -= back.len;
	if (!outer_is_terminal()) {
		s->in.pos -= back.len;
		return;
	}
	/* Before what the terminal had no room for. */
	buf_add(&back, s->typeahead.data, s->typeahead.len);
	buf_clear(&s->typeahead);
	buf_add(&s->typeahead, back.data, back.len);
}

static int feed(struct session *s, const struct buf *typed, size_t eofs, struct err *err)
{
	struct termios t;

	if (typed->len == 0 && eofs == 0)
		return 0;
	if (outer_is_terminal() || tcgetattr(s->back, &t))
		return fd_write_all(s->master, typed->data, typed->len)
			       ? err_sys(err, "feed the program its input again") : 0;
	for (size_t done = 0, w; done < typed->len; done += w) {
		w = write_quoted(s, &t, typed->data + done, typed->len - done);
		if (w == 0)
			return err_sys(err, "feed the program its input again");
	}
	type_eofs(s, &t, eofs);
	return 0;
}

int input_replay(struct session *s, const struct node *node, struct err *err)
{
	return feed(s, &node->typed, node->eofs, err);
}

void input_discard(struct session *s)
{
	cleanup_buf struct buf back = {0};

	read_back(s, &back);
}

/* How much of the input of `whole` has been read from the terminal, which is empty then; *eofs: of its ends of file. */
static size_t input_read(struct session *s, const struct node *whole, size_t *eofs)
{
	cleanup_buf struct buf back = {0};

	if (whole->typed.len || whole->eofs)
		read_back(s, &back);
	*eofs = whole->eofs;
	for (; *eofs && back.len && back.data[back.len - 1] == 0; --*eofs)
		back.len--;
	return whole->typed.len - (back.len < whole->typed.len ? back.len : whole->typed.len);
}

int input_keep(struct session *s, const struct node *whole, struct input_rest *rest, struct err *err)
{
	size_t eofs, n = input_read(s, whole, &eofs);

	*rest = (struct input_rest){.eofs = whole->eofs - eofs};
	buf_add(&rest->typed, buf_str(&whole->typed) + n, whole->typed.len - n);
	return input_feed(s, rest, err);
}

int input_feed(struct session *s, const struct input_rest *rest, struct err *err)
{
	return feed(s, &rest->typed, rest->eofs, err);
}

void input_settle(struct session *s, const struct node *whole, struct node *node)
{
	size_t unread = whole->typed.len - input_read(s, whole, &node->eofs);

	buf_add(&node->typed, buf_str(&whole->typed), whole->typed.len - unread);
	node->stdin_pos = whole->stdin_pos - unread;
	if (s->stdin_is_input)
		s->in.pos = node->stdin_pos;
}

struct buf *session_typeahead(struct session *s) { return &s->typeahead; }

char *session_stdin_line(struct session *s)
{
	for (;;) {
		char *from = s->in.data.data ? s->in.data.data + s->in.pos : NULL;
		size_t left = s->in.data.len - s->in.pos;
		char *newline = left ? memchr(from, '\n', left) : NULL;

		if (newline || (s->in.eof && left)) {
			size_t n = newline ? (size_t)(newline - from) : left;
			s->in.pos += n + (newline != NULL);
			return xstrndup(from, n);
		}
		if (s->in.eof)
			return NULL;
		char data[4096];
		awake_end();
		ssize_t n = read(STDIN_FILENO, data, sizeof data);
		if (n > 0)
			buf_add(&s->in.data, data, (size_t)n);
		else if (n == 0 || errno != EINTR)
			s->in.eof = true;
	}
}
