/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/awake.h"
#include "base/fd.h"

static struct termios found;
static bool have_found;         /* asked once: a terminal that has gone away was one all the same */
static bool stdout_is_terminal;
static enum outer_mode present, rest;
static struct raw_mode {
	bool known;
	char settings[64];      /* the kernel's struct termios */
} raw_modes[OUTER_MODES];
static bool brackets, was_suspended, was_resized;

bool outer_is_terminal(void) { return have_found; }

void outer_save(void)
{
	have_found = tcgetattr(STDIN_FILENO, &found) == 0;
	stdout_is_terminal = isatty(STDOUT_FILENO);
	present = rest = OUTER_AS_FOUND;
}

void outer_edit(bool brackets_)
{
	rest = have_found ? OUTER_EDITED : OUTER_AS_FOUND;
	brackets = brackets_ && have_found && stdout_is_terminal;
}

bool outer_echoes(void) { return have_found && (found.c_lflag & ECHO); }

/* xterm's bracketed paste, as readline asks for it. */
static void bracket(bool on)
{
	if (brackets && fd_write_all(STDOUT_FILENO, on ? "\033[?2004h" : "\033[?2004l", 8))
		brackets = false;       /* the terminal has gone away; who writes next will notice */
}

bool outer_adds_returns(void) { return have_found && present != OUTER_RAW && stdout_is_terminal; }

/* From line to line the terminal goes to and fro: tcsetattr() makes three system calls each time (it looks whether the
 * settings were taken), this one. */
static void set_again(enum outer_mode mode, const struct termios *t)
{
	struct raw_mode *raw = &raw_modes[mode];

	if (raw->known && ioctl(STDIN_FILENO, TCSETS, raw->settings) == 0)
		return;
	raw->known = tcsetattr(STDIN_FILENO, TCSANOW, t) == 0 && ioctl(STDIN_FILENO, TCGETS, raw->settings) == 0;
}

void outer_set(enum outer_mode mode)
{
	struct termios t = found;

	if (!have_found || mode == present)
		return;
	if (mode == OUTER_RAW) {
		cfmakeraw(&t);
		t.c_cc[VMIN] = 1;
		t.c_cc[VTIME] = 0;
		if (!stdout_is_terminal)
			t.c_oflag = found.c_oflag;
	} else if (mode == OUTER_EDITED) {
		t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
		t.c_iflag &= ~(tcflag_t)(ICRNL | INLCR);
		t.c_cc[VMIN] = 1;
		t.c_cc[VTIME] = 0;
		t.c_cc[VLNEXT] = _POSIX_VDISABLE;
	} else if (mode == OUTER_QUIET) {
		t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
		t.c_lflag |= ISIG;
	}
	if (present == OUTER_EDITED)
		bracket(false);
	set_again(mode, &t);
	if (mode == OUTER_EDITED)
		bracket(true);
	present = mode;
}

void outer_rest(void) { outer_set(rest); }

void outer_suspend(void)
{
	enum outer_mode mode = present;

	outer_set(OUTER_AS_FOUND);
	awake_end();
	raise(SIGSTOP);
	/* The shell, or stty, may have changed it. */
	if (have_found && tcgetattr(STDIN_FILENO, &found) == 0)
		memset(raw_modes, 0, sizeof raw_modes);
	outer_set(mode);
	was_suspended = true;
}

/* Told once. */
static bool take(bool *flag)
{
	bool was = *flag;

	*flag = false;
	return was;
}

bool outer_was_suspended(void) { return take(&was_suspended); }
bool outer_was_resized(void) { return take(&was_resized); }

void inner_resize(int master)
{
	struct winsize size;

	was_resized = true;
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

/* For input that is no human's: a byte is a byte, 3 is no ^C and 127 erases nothing, as in a pipe; nothing is echoed, or
 * type-ahead would show twice.  Only the end of file remains special, and what quotes it: session_input.c does. */
static void make_pipelike(struct termios *t)
{
	static const int off[] = {VINTR, VQUIT, VSUSP, VERASE, VKILL, VWERASE, VREPRINT, VDISCARD, VEOL, VEOL2, VSTART, VSTOP};

	t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ISIG);
	t->c_lflag |= ICANON | IEXTEN;
	t->c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | IXOFF | IXANY | ISTRIP | IUCLC | PARMRK | INPCK);
	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		t->c_cc[off[i]] = _POSIX_VDISABLE;
}

int inner_open(int *master, int *slave, struct err *err)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	struct termios t;

	if (openpty(master, slave, NULL, have_found ? &found : NULL, &size) < 0)
		return err_sys(err, "open a pseudo-terminal (is /dev/pts mounted?)");
	inner_resize(*master);
	tcgetattr(*slave, &t);
	if (!isatty(STDOUT_FILENO))
		t.c_oflag &= ~(tcflag_t)OPOST;
	if (!outer_is_terminal())
		make_pipelike(&t);
	tcsetattr(*slave, TCSANOW, &t);
	fcntl(*master, F_SETFD, FD_CLOEXEC);
	fcntl(*slave, F_SETFD, FD_CLOEXEC);
	if (fd_set_nonblocking(*master, 1) < 0)
		return err_sys(err, "set up the pseudo-terminal");
	return 0;
}
