/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "fred/message.h"
#include "fred/session_points.h"
#include "fred/settings.h"
#include "fred/terminal.h"

/* Where stderr goes elsewhere than stdout, so does the program's: through a pipe, so that re-execution can be silent. */
static int open_stderr(struct session *s, struct err *err)
{
	struct stat out, errs;
	int p[2];

	s->stderr_read = s->stderr_write = s->trail.alarm = -1;
	if (fstat(STDOUT_FILENO, &out) || fstat(STDERR_FILENO, &errs))
		return 0;
	if (out.st_dev == errs.st_dev && out.st_ino == errs.st_ino)
		return 0;
	if (pipe2(p, O_CLOEXEC))
		return err_sys(err, "make a pipe for the program's errors");
	s->stderr_read = p[0];
	s->stderr_write = p[1];
	return fd_set_nonblocking(s->stderr_read, 1) ? err_sys(err, "set up a pipe") : 0;
}

static int open_signals(struct session *s, struct err *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* The quiet terminal is set while fredapp may be in the background for a moment. */
	signal(SIGTTOU, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? err_sys(err, "watch signals") : 0;
}

static int open_back(struct session *s, struct err *err)
{
	char name[64];

	if (ptsname_r(s->master, name, sizeof name))
		return err_sys(err, "name the pseudo-terminal");
	s->back = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return s->back < 0 ? err_sys(err, "open %s", name) : 0;
}

static void warn(void *ctx, const char *line)
{
	say_error("%s", line);
}

static void free_strings(char **strings)
{
	for (char **p = strings; p && *p; p++)
		free(*p);
	free(strings);
}

static char **copy_environment(void)
{
	size_t n = 0;

	while (environ[n])
		n++;
	char **copy = xcalloc(n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(environ[i]);
	return copy;
}

static int spawn(struct session *s, char **argv, struct err *err)
{
	struct adapter_launch launch = {.argv = argv, .envp = copy_environment()};
	struct err why;
	int r;

	launch.no_watchpoints = s->adapter->watches && ckpt_watch_probe(&why) < 0;
	if (s->adapter->open(&s->agent, &launch, err)) {
		free_strings(launch.envp);
		return -1;
	}
	struct ckpt_spawn how = {
		.argv = launch.argv, .envp = launch.envp, .tty = s->slave, .stderr_fd = s->stderr_write,
		.keep = launch.keep, .n_keep = launch.n_keep, .file_limit = (size_t)settings.file_limit << 20,
		.warn = warn, .between = travel_between, .between_ctx = s,
	};
	r = ckpt_spawn(&s->ckpt, &how, err);
	free_strings(launch.envp);
	if (r == 0 && launch.no_watchpoints)
		say_error("%s: %s watches by stepping here, which is slow (set can-use-hw-watchpoints 0)", why.what, s->adapter->name);
	if (r == 0)
		s->adapter->spawned(s->agent);
	return r;
}

int session_open(struct session **out, const struct session_options *options, struct err *err)
{
	struct session *s = xcalloc(1, sizeof *s);

	s->master = s->slave = s->back = s->signals = s->stderr_read = s->stderr_write = -1;
	s->stdin_is_input = options->stdin_is_input;
	s->timeline = timeline_new();
	s->prompt = xstrdup("");
	s->adapter = adapter_for(options->argv);
	if (!s->adapter) {
		session_close(s);
		return err_set(err, "%s is no debugger that FReD knows; try fredapp gdb PROGRAM, or fredapp python3 -m pdb SCRIPT", options->argv[0]);
	}
	if (inner_open(&s->master, &s->slave, err) || open_back(s, err) || open_stderr(s, err) || open_signals(s, err) ||
	    spawn(s, options->argv, err)) {
		session_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void session_close(struct session *s)
{
	if (!s)
		return;
	points_free(s->timeline);
	snapshots_drop_all(s->timeline);        /* before the engine's session, to which they belong */
	timeline_free(s->timeline);
	ckpt_session_free(s->ckpt);
	if (s->agent)
		s->adapter->close(s->agent);
	close_fd(s->master);
	close_fd(s->slave);
	close_fd(s->back);
	close_fd(s->stderr_read);
	close_fd(s->stderr_write);
	close_fd(s->signals);
	buf_free(&s->in.data);
	buf_free(&s->typed);
	buf_free(&s->typeahead);
	free(s->prompt);
	free(s->pending);
	free(s->cached_line);
	free(s->doing);
	free(s->last_line);
	free(s->language);
	free(s);
}

enum session_state session_state(const struct session *s) { return s->hangup ? SESSION_HANGUP : s->state; }
void session_hang_up(struct session *s) { s->hangup = true; }
const char *session_prompt(const struct session *s) { return s->prompt; }
int session_status(const struct session *s) { return s->status; }
const struct adapter_alias *session_aliases(const struct session *s) { return s->goes_back ? NULL : s->adapter->aliases; }
bool session_was_quit(const struct session *s) { return s->quitting; }
bool session_has_past(const struct session *s) { return s->timeline->n_nodes > 0; }
