/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event loop: the inner terminal, the program's stderr, the agent's channel, the engine, stdin and signals.
 *
 * One order matters.  When the agent says that it waits at a prompt, all output written before has to be on the screen
 * first.  The agent writes its message after that output; a pty delivers through a work queue, but a read() of the
 * master that finds nothing first waits for that queue (drivers/tty/n_tty.c, n_tty_read: tty_buffer_flush_work), so
 * reading until EAGAIN after the message has come gets everything. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "base/awake.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "fred/message.h"
#include "fred/session_points.h"
#include "fred/terminal.h"

/* Milliseconds that the first output of a command may wait for more: many times a `next`, and nothing that a human sees. */
enum { OUTPUT_WAITS = 1 };
/* ... that the user waits for a sign of life, while FReD is at work. */
enum { TELL_EVERY = 1000 };

enum { FD_MASTER, FD_STDERR, FD_AGENT, FD_ENGINE, FD_SIGNALS, FD_STDIN, N_FDS };

/* The inner terminal has made \r\n of each \n; for an outer one that does so again, \r\n is \n. */
static size_t without_returns(char *data, size_t n)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++)
		if (data[i] != '\r' || i + 1 == n || data[i + 1] != '\n')
			data[to++] = data[i];
	return to;
}

/* One read; false when there was nothing to read. */
static bool take_output(struct session *s, int from, int to)
{
	char data[16384];
	ssize_t n = read(from, data, sizeof data);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	log_bytes(LOG_PTY, s->silent ? "dropped" : "output", data, (unsigned long)n);
	if (!s->silent && from == s->master && outer_adds_returns())
		n = (ssize_t)without_returns(data, (size_t)n);
	if (!s->silent && put_output(to, data, (unsigned long)n))
		s->hangup = true;
	return true;
}

void session_drain(struct session *s)
{
	while (!s->hangup && take_output(s, s->master, STDOUT_FILENO))
		;
	while (s->stderr_read >= 0 && !s->hangup && take_output(s, s->stderr_read, STDERR_FILENO))
		;
}

/* SIGINT that was not typed at us (that terminal is raw) but sent: the program gets it as if typed. */
static void pass_interrupt(struct session *s)
{
	ioctl(s->master, TIOCSIG, SIGINT);
	s->interrupted = true;
}

/* Keys and signals that mean fredapp itself. */
static void take_signal(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == sizeof info) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			inner_resize(s->master);
			break;
		case SIGTSTP:
			outer_suspend();
			break;
		case SIGINT:
			if (s->internal || s->state != SESSION_RUNNING)
				s->cancelled = true;
			else
				pass_interrupt(s);
			break;
		default:
			s->hangup = true;
		}
	}
}

/* One message from the agent that matters, if a whole one has come.  All that has come must be looked at: what the
 * adapter holds already does not make its descriptor readable again. */
static bool take_message(struct session *s, struct adapter_event *event)
{
	struct err err;

	for (;;) {
		if (s->adapter->read_event(s->agent, event, &err)) {
			log_info(LOG_AGENT, "%s", err.what);
			return false;
		}
		if (event->kind == ADAPTER_NOTHING || event->kind == ADAPTER_CLOSED)
			return false;
		if (event->kind == ADAPTER_ALARM)
			points_alarm(s);
		else if (event->kind != ADAPTER_HELLO)
			break;
		adapter_event_free(event);
	}
	session_drain(s);
	return true;
}

static bool patience_is_over(struct session *s)
{
	uint64_t now = s->patience.most ? clock_us() : 0;

	if (now < s->patience.look || !s->patience.most)
		return false;
	s->patience.look = now + TELL_EVERY * 1000;
	return ckpt_ran_us(s->ckpt) > s->patience.most;
}

static void fill(struct session *s, struct pollfd *fds)
{
	fds[FD_MASTER] = (struct pollfd){.fd = s->master, .events = POLLIN};
	if (input_wants_master(s))
		fds[FD_MASTER].events |= POLLOUT;
	fds[FD_STDERR] = (struct pollfd){.fd = s->stderr_read, .events = POLLIN};
	fds[FD_AGENT] = (struct pollfd){.fd = s->adapter->fd(s->agent), .events = POLLIN};
	fds[FD_ENGINE] = (struct pollfd){.fd = ckpt_event_fd(s->ckpt), .events = POLLIN};
	fds[FD_SIGNALS] = (struct pollfd){.fd = s->signals, .events = POLLIN};
	fds[FD_STDIN] = (struct pollfd){.fd = input_wants_stdin(s) ? STDIN_FILENO : -1, .events = POLLIN};
}

static void serve_terminal(struct session *s, const struct pollfd *fds)
{
	if (fds[FD_MASTER].revents & POLLIN)
		take_output(s, s->master, STDOUT_FILENO);
	if (fds[FD_MASTER].revents & POLLOUT)
		input_to_master(s);
	if (fds[FD_STDERR].revents)
		take_output(s, s->stderr_read, STDERR_FILENO);
	if (fds[FD_SIGNALS].revents & POLLIN)
		take_signal(s);
	if (fds[FD_STDIN].revents)
		input_from_stdin(s);
}

enum pump_result session_pump(struct session *s, struct adapter_event *event, int timeout_ms)
{
	uint64_t until = timeout_ms < 0 ? 0 : clock_us() + (uint64_t)timeout_ms * 1000;
	struct pollfd fds[N_FDS] = {[FD_ENGINE] = {.revents = POLLIN}};

	for (;;) {
		*event = (struct adapter_event){0};
		/* On a busy machine every answer may be there before we come to ask: ^C stops us all the same. */
		if (s->internal)
			take_signal(s);
		if (!(s->internal && s->cancelled) && take_message(s, event))
			return PUMP_EVENT;
		if (s->hangup)
			return PUMP_HANGUP;
		if (s->cancelled) {
			s->cancelled = false;
			return PUMP_CANCELLED;
		}
		if (fds[FD_ENGINE].revents && ckpt_ended(s->ckpt, &s->status)) {
			session_drain(s);
			return PUMP_ENDED;
		}
		if (patience_is_over(s))
			return PUMP_TIMEOUT;
		int wait = -1;
		if (timeout_ms >= 0) {
			uint64_t now = clock_us();
			if (now >= until)
				return PUMP_TIMEOUT;
			wait = (int)((until - now) / 1000) + 1;
		}
		fill(s, fds);
		if (s->answered) {
			/* What the command prints comes in pieces, and then it is over: wait for that, not for each piece. */
			s->answered = false;
			fds[FD_MASTER].fd = fds[FD_STDERR].fd = -1;
			wait = wait < 0 || wait > OUTPUT_WAITS ? OUTPUT_WAITS : wait;
		}
		int ready = poll(fds, N_FDS, awake_wait(s->internal && (wait < 0 || wait > TELL_EVERY) ? TELL_EVERY : wait));
		if (ready < 0 && errno != EINTR)
			return PUMP_HANGUP;
		if (ready == 0 && s->internal && clock_us() - s->work_since > TELL_EVERY * 1000)
			work_tell(s, NULL);     /* a program that waits for something tells nothing */
		serve_terminal(s, fds);
	}
}

int pump_error(struct session *s, enum pump_result result, struct err *err)
{
	switch (result) {
	case PUMP_CANCELLED:
		err->sys = ECANCELED;
		snprintf(err->what, sizeof err->what, "stopped by ^C");
		return -1;
	case PUMP_ENDED:
		return err_set(err, "the debugger ended while FReD was at work in it");
	case PUMP_TIMEOUT:
		err_set(err, "it took too long");
		err->sys = ETIMEDOUT;
		return -1;
	default:
		err_set(err, "the terminal has gone away");
		err->sys = EIO;
		return -1;
	}
}

bool session_idle(struct session *s, bool *interrupted, void (*before_output)(void), void (*after_output)(void))
{
	struct pollfd fds[N_FDS];
	bool output;

	*interrupted = false;
	fill(s, fds);
	fds[FD_STDIN].fd = STDIN_FILENO;
	if (s->state == SESSION_ENDED)
		fds[FD_MASTER].fd = fds[FD_AGENT].fd = fds[FD_ENGINE].fd = -1;
	int n = poll(fds, N_FDS, awake_wait_idle());
	if (n < 0)
		return false;
	if (n == 0)
		awake_end();
	/* A typed character wins: readline must be quick. */
	bool readable = fds[FD_STDIN].revents != 0;
	fds[FD_STDIN].revents = 0;
	output = (fds[FD_MASTER].revents & POLLIN) || (fds[FD_STDERR].fd >= 0 && fds[FD_STDERR].revents);
	if (output && before_output)
		before_output();
	s->cancelled = false;
	serve_terminal(s, fds);
	if (output && after_output)
		after_output();
	*interrupted = s->cancelled;
	if (s->state != SESSION_ENDED && ckpt_ended(s->ckpt, &s->status)) {
		session_drain(s);
		run_ended(s);
	}
	return readable;
}
