/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fred/terminal.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"

static struct termios found;
static bool have_found;         /* asked once: a terminal that has gone away was one all the same */
static bool stdout_is_terminal;
static enum outer_mode present;

bool outer_is_terminal(void) { return have_found; }

void outer_save(void)
{
	have_found = tcgetattr(STDIN_FILENO, &found) == 0;
	stdout_is_terminal = isatty(STDOUT_FILENO);
	present = OUTER_AS_FOUND;
}

bool outer_adds_returns(void) { return have_found && present != OUTER_RAW && stdout_is_terminal; }

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
	} else if (mode == OUTER_QUIET) {
		t.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
		t.c_lflag |= ISIG;
	}
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	present = mode;
}

void inner_resize(int master)
{
	struct winsize size;

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
