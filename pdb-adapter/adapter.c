/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fredapp's end of the channel to the agent in pdb; see protocol.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "pdb-adapter/adapter.h"
#include "pdb-adapter/protocol.h"

struct pdb_adapter {
	int ours, theirs;       /* the two ends; theirs is -1 once the debugger has it */
	struct buf in;
	bool closed;
};

/* --- whose command is it ----------------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static bool begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* The file that a command's name means, or NULL; caller frees. */
static char *find_in_path(const char *command)
{
	const char *path = getenv("PATH");

	if (strchr(command, '/') != NULL)
		return xstrdup(command);
	while (path != NULL) {
		size_t n = strcspn(path, ":");
		char *file = xasprintf("%.*s/%s", (int)n, path, command);

		if (access(file, X_OK) == 0)
			return file;
		free(file);
		path = path[n] == ':' ? path + n + 1 : NULL;
	}
	return NULL;
}

static bool shebang_says_python(const char *command)
{
	char line[256] = "";
	cleanup_free char *file = find_in_path(command);
	cleanup_fd int fd = file == NULL ? -1 : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 || read(fd, line, sizeof line - 1) < 2 || !begins(line, "#!"))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strstr(line, "python") != NULL;
}

static bool pdb_claims(char *const *argv)
{
	const char *name;

	if (argv[0] == NULL)
		return false;
	name = base_name(argv[0]);
	if (strcmp(name, "env") == 0) {
		for (argv++; *argv != NULL && (**argv == '-' || strchr(*argv, '=') != NULL); argv++)
			;
		return *argv != NULL && strcmp(base_name(*argv), "env") != 0 && pdb_claims(argv);
	}
	return begins(name, "python") || begins(name, "pytest") || strcmp(name, "py.test") == 0 || begins(name, "pdb")
		|| ends(name, ".py") || shebang_says_python(argv[0]);
}

/* --- launch -------------------------------------------------------------------------------------------------------- */

/* The library to preload: beside fredapp (a build), in ../lib/fred (installed), or where FRED_AGENT says.  Caller frees. */
static char *find_agent(struct err *err)
{
	static const char *const places[] = { "%s/fred-pdb-agent.so", "%s/../lib/fred/fred-pdb-agent.so" };
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	const char *env = getenv("FRED_AGENT");

	for (size_t i = 0; n > 0 && i < sizeof places / sizeof *places; i++) {
		char *file;

		exe[n] = '\0';
		file = i == 0 ? xasprintf("%s/fred-pdb-agent.so", dirname(exe)) : xasprintf("%s/../lib/fred/fred-pdb-agent.so", exe);
		if (access(file, R_OK) == 0)
			return file;
		free(file);
		if (i == 0)
			n = (ssize_t)strlen(exe);
	}
	if (env != NULL && access(env, R_OK) == 0)
		return xstrdup(env);
	err_set(err, "fred-pdb-agent.so is neither beside fredapp nor in ../lib/fred; set FRED_AGENT to where it is");
	return NULL;
}

/* Sets NAME=VALUE in a NULL-terminated array of malloc()ed strings; takes over `setting`. */
static void put_env(char ***envp, char *setting)
{
	size_t name = strcspn(setting, "=") + 1, n;

	for (n = 0; (*envp)[n] != NULL; n++) {
		if (strncmp((*envp)[n], setting, name) == 0) {
			free((*envp)[n]);
			(*envp)[n] = setting;
			return;
		}
	}
	*envp = xrealloc(*envp, (n + 2) * sizeof **envp);
	(*envp)[n] = setting;
	(*envp)[n + 1] = NULL;
}

static const char *get_env(char **envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp != NULL; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return "";
}

static int pdb_open(void **self, struct adapter_launch *launch, struct err *err)
{
	cleanup_free char *agent = find_agent(err);
	const char *preload;
	struct pdb_adapter *a;
	int pair[2];

	if (agent == NULL)
		return -1;
	if (strpbrk(agent, ": ") != NULL)
		return err_set(err, "%s cannot be preloaded: its path has a space or a colon; set FRED_AGENT to a copy elsewhere", agent);
	if (launch->n_keep >= sizeof launch->keep / sizeof *launch->keep)
		return err_set(err, "too many descriptors to inherit");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "socketpair");
	if (fd_set_nonblocking(pair[0], 1) < 0 || fcntl(pair[1], F_SETFD, 0) < 0) {
		err_sys(err, "fcntl of the channel to pdb");
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	preload = get_env(launch->envp, "LD_PRELOAD");
	put_env(&launch->envp, xasprintf("LD_PRELOAD=%s%s%s", agent, *preload ? ":" : "", preload));
	put_env(&launch->envp, xasprintf("FRED_AGENT_FD=%d", pair[1]));
	launch->keep[launch->n_keep++] = pair[1];
	a = xcalloc(1, sizeof *a);
	a->ours = pair[0];
	a->theirs = pair[1];
	*self = a;
	return 0;
}

static void pdb_spawned(void *self)
{
	struct pdb_adapter *a = self;

	if (a->theirs >= 0)
		close(a->theirs);
	a->theirs = -1;
}

static void pdb_close(void *self)
{
	struct pdb_adapter *a = self;

	if (a == NULL)
		return;
	pdb_spawned(a);
	close(a->ours);
	buf_free(&a->in);
	free(a);
}

static int pdb_fd(void *self)
{
	struct pdb_adapter *a = self;

	/* A closed channel is readable for ever. */
	return a->closed ? -1 : a->ours;
}

static void pdb_reset(void *self)
{
	struct pdb_adapter *a = self;
	char waste[4096];

	buf_clear(&a->in);
	a->closed = false;
	/* What the abandoned process sent is still in the socket: it is no snapshot's. */
	while (recv(a->ours, waste, sizeof waste, MSG_DONTWAIT) > 0)
		;
}

/* --- what arrives ------------------------------------------------------------------------------------------------- */

static uint32_t u32_of(const char *data)
{
	const unsigned char *d = (const unsigned char *)data;

	return d[0] | (uint32_t)d[1] << 8 | (uint32_t)d[2] << 16 | (uint32_t)d[3] << 24;
}

static void split_fields(struct adapter_event *event, const char *body, size_t n)
{
	while (n > 0) {
		size_t len = strnlen(body, n);

		array_grow(event->fields, event->n_fields);
		event->fields[event->n_fields++] = xstrndup(body, len);
		if (len == n)   /* the last NUL is missing: no agent of ours, but no reason to fail */
			break;
		body += len + 1;
		n -= len + 1;
	}
}

static uint64_t number(char *const *fields, size_t n, size_t i)
{
	return i < n ? strtoull(fields[i], NULL, 10) : 0;
}

static int take_ticks(struct adapter_event *event, const char *body, size_t n, struct err *err)
{
	if (n % 4 != 0)
		return err_set(err, "the agent in pdb sent a broken trace (%zu bytes)", n);
	event->kind = ADAPTER_TICKS;
	event->n_ticks = n / 4;
	event->ticks = xcalloc(event->n_ticks + 1, sizeof *event->ticks);
	for (size_t i = 0; i < event->n_ticks; i++) {
		uint32_t v = u32_of(body + 4 * i);

		event->ticks[i] = (struct machine_tick){ .depth = v >> 4, .breakpoint = v >> 3 & 1, .kind = v & 3 };
	}
	return 0;
}

static int take_message(struct adapter_event *event, int type, const char *body, size_t n, struct err *err)
{
	char **f;

	if (type == MESSAGE_TICKS)
		return take_ticks(event, body, n, err);
	split_fields(event, body, n);
	f = event->fields;
	switch (type) {
	case MESSAGE_HELLO:
		event->kind = ADAPTER_HELLO;
		if (number(f, event->n_fields, 0) != PROTOCOL_VERSION)
			return err_set(err, "the agent in pdb is of another version of FReD (protocol %s, not %d)",
				       event->n_fields > 0 ? f[0] : "?", PROTOCOL_VERSION);
		return 0;
	case MESSAGE_PROMPT:
		if (event->n_fields < 9)
			return err_set(err, "the agent in pdb sent a prompt with %zu fields", event->n_fields);
		event->kind = ADAPTER_PROMPT;
		event->stop.tick = number(f, event->n_fields, 1);
		event->stop.depth = (uint32_t)number(f, event->n_fields, 2);
		event->stop.kind = (uint8_t)(number(f, event->n_fields, 3) & 3);
		event->stop.end = number(f, event->n_fields, 4) != 0;
		event->stop.inside = number(f, event->n_fields, 5) != 0;
		event->restarted = number(f, event->n_fields, 6) != 0;
		event->post_mortem = number(f, event->n_fields, 7) != 0;
		event->session_id = number(f, event->n_fields, 8);
		event->prompt = xstrdup(f[0]);
		event->place = (struct place){ .line = (long)number(f, event->n_fields, 10), .depth = event->stop.depth,
					       .kind = event->stop.kind };
		if (event->n_fields > 11) {
			event->place.file = xstrdup(f[9]);
			event->place.function = xstrdup(f[11]);
		}
		return 0;
	case MESSAGE_MORE:
		event->kind = ADAPTER_MORE;
		event->prompt = xstrdup(event->n_fields > 0 ? f[0] : "");
		return 0;
	case MESSAGE_REPLY:
	case MESSAGE_FAILED:
		event->kind = ADAPTER_REPLY;
		event->failed = type == MESSAGE_FAILED;
		if (event->failed && event->n_fields == 0)
			split_fields(event, "unknown reason", sizeof "unknown reason");
		return 0;
	case MESSAGE_ARRIVING:
		event->kind = ADAPTER_ARRIVING;
		return 0;
	}
	return err_set(err, "the agent in pdb sent a message of unknown type %d", type);
}

/* Reads what there is; 1: something, 0: nothing now, -1: the channel is closed. */
static int fill(struct pdb_adapter *a)
{
	ssize_t n;

	do
		n = recv(a->ours, buf_room(&a->in, 65536), 65536, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		a->in.len += (size_t)n;
		a->in.data[a->in.len] = '\0';
		return 1;
	}
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
}

static int pdb_read_event(void *self, struct adapter_event *event, struct err *err)
{
	struct pdb_adapter *a = self;

	*event = (struct adapter_event){ .kind = ADAPTER_NOTHING };
	for (;;) {
		if (a->in.len >= MESSAGE_HEADER) {
			size_t n = u32_of(a->in.data);
			int type = (unsigned char)a->in.data[4], result;

			if (n > MESSAGE_MAX)
				return err_set(err, "the agent in pdb sent garbage (a message of %zu bytes)", n);
			if (a->in.len >= MESSAGE_HEADER + n) {
				log_debug(LOG_AGENT, "message %c, %zu bytes", type >= ' ' && type < 127 ? type : '?', n);
				result = take_message(event, type, a->in.data + MESSAGE_HEADER, n, err);
				buf_eat(&a->in, MESSAGE_HEADER + n);
				return result;
			}
		}
		switch (a->closed ? -1 : fill(a)) {
		case 0:
			return 0;
		case -1:
			a->closed = true;
			event->kind = ADAPTER_CLOSED;
			return 0;
		}
	}
}

static int place_of(const struct adapter_event *reply, struct place *here, struct place *caller)
{
	struct place *places[] = { here, caller };

	for (size_t i = 0; i < 2; i++) {
		size_t first = 2 + 4 * i;
		char **f = reply->fields;

		*places[i] = (struct place){ .kind = (uint8_t)(number(f, reply->n_fields, 0) & 3) };
		if (reply->failed || first + 4 > reply->n_fields)
			continue;
		places[i]->file = xstrdup(f[first]);
		places[i]->line = (long)number(f, reply->n_fields, first + 1);
		places[i]->function = xstrdup(f[first + 2]);
		places[i]->depth = (uint32_t)number(f, reply->n_fields, first + 3);
		places[i]->selected = (uint32_t)number(f, reply->n_fields, 1);
	}
	return here->file != NULL ? 0 : -1;
}

static int value_of(const struct adapter_event *reply, struct machine_value *value)
{
	*value = (struct machine_value){ .kind = MACHINE_UNDEFINED };
	if (reply->failed || reply->n_fields < 2) {
		value->text = xstrdup(reply->n_fields > 0 ? reply->fields[0] : "no answer from pdb");
		return reply->failed ? 0 : -1;
	}
	value->kind = number(reply->fields, reply->n_fields, 0) ? MACHINE_VALUE : MACHINE_UNDEFINED;
	value->text = xstrdup(reply->fields[1]);
	return 0;
}

/* --- what is sent --------------------------------------------------------------------------------------------------- */

/* Fields end with a NULL.  A request is small, and the agent reads when it is asked: this does not block for long. */
static int put_message(struct pdb_adapter *a, int type, struct err *err, const char *const *fields)
{
	cleanup_buf struct buf out = { 0 };
	size_t body = 0;

	for (size_t i = 0; fields != NULL && fields[i] != NULL; i++)
		body += strlen(fields[i]) + 1;
	if (body > MESSAGE_MAX)
		return err_set(err, "too long for pdb: %zu bytes", body);
	for (int k = 0; k < 4; k++)
		buf_addch(&out, (char)(body >> (8 * k)));
	buf_addch(&out, (char)type);
	for (size_t i = 0; fields != NULL && fields[i] != NULL; i++)
		buf_add(&out, fields[i], strlen(fields[i]) + 1);
	for (size_t at = 0; at < out.len;) {
		ssize_t n = send(a->ours, out.data + at, out.len - at, MSG_NOSIGNAL);

		if (n > 0) {
			at += (size_t)n;
		} else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			struct pollfd p = { .fd = a->ours, .events = POLLOUT };

			if (poll(&p, 1, 10000) == 0)
				return err_set(err, "pdb does not read its channel");
		} else if (n == 0 || errno != EINTR) {
			return err_sys(err, "the channel to pdb");
		}
	}
	return 0;
}

#define SEND(self, type, err, ...) put_message(self, type, err, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })

static int pdb_line(void *self, const char *text, struct err *err)
{
	return SEND(self, MESSAGE_LINE, err, text);
}

static int pdb_eof(void *self, struct err *err)
{
	return SEND(self, MESSAGE_END_OF_FILE, err);
}

static int pdb_interrupt(void *self, struct err *err)
{
	return SEND(self, MESSAGE_INTERRUPT, err);
}

static int pdb_classify(void *self, const char *text, struct err *err)
{
	return SEND(self, MESSAGE_CLASSIFY, err, text);
}

static int pdb_complete(void *self, const char *text, size_t start, size_t end, struct err *err)
{
	char from[24], to[24];

	snprintf(from, sizeof from, "%zu", start);
	snprintf(to, sizeof to, "%zu", end);
	return SEND(self, MESSAGE_COMPLETE, err, text, from, to);
}

static int pdb_where(void *self, struct err *err)
{
	return SEND(self, MESSAGE_WHERE, err);
}

static int pdb_show(void *self, struct err *err)
{
	return SEND(self, MESSAGE_SHOW, err);
}

static int pdb_state(void *self, struct err *err)
{
	return SEND(self, MESSAGE_STATE, err);
}

static int pdb_eval(void *self, const char *expr, uint32_t depth, struct err *err)
{
	char number_[16];

	snprintf(number_, sizeof number_, "%u", depth);
	return SEND(self, MESSAGE_EVAL, err, expr, number_);
}

static int pdb_settings_save(void *self, struct err *err)
{
	return SEND(self, MESSAGE_SETTINGS_SAVE, err);
}

static int pdb_settings_load(void *self, const char *saved, struct err *err)
{
	return SEND(self, MESSAGE_SETTINGS_LOAD, err, saved);
}

static int pdb_clock_run(void *self, const char *text, uint64_t limit, bool trace, bool breakpoints, bool show,
			 const char *until, struct err *err)
{
	char number_[24];

	snprintf(number_, sizeof number_, "%llu", (unsigned long long)limit);
	return SEND(self, MESSAGE_CLOCK_RUN, err, text != NULL ? "1" : "0", text != NULL ? text : "", number_,
		    trace ? "1" : "0", breakpoints ? "1" : "0", show ? "1" : "0", until != NULL ? until : "");
}

static int pdb_go_on(void *self, struct err *err)
{
	return SEND(self, MESSAGE_GO_ON, err);
}

/* `rc` and the like may be variables of the program: pdb gets the long names only. */
static const struct adapter_alias aliases[] = {
	{ "reverse-step", "fred-reverse-step" },
	{ "reverse-next", "fred-reverse-next" },
	{ "reverse-finish", "fred-reverse-finish" },
	{ "reverse-continue", "fred-reverse-continue" },
	/* In Python 3 `print x` is a syntax error, so that nothing is taken from anybody. */
	{ "print", "p" },
	{ NULL, NULL },
};

const struct adapter pdb_adapter = {
	.name = "pdb", .aliases = aliases, .step = "step", .next = "next",
	.claims = pdb_claims, .open = pdb_open, .spawned = pdb_spawned, .close = pdb_close, .fd = pdb_fd,
	.read_event = pdb_read_event, .reset = pdb_reset,
	.line = pdb_line, .eof = pdb_eof, .interrupt = pdb_interrupt,
	.classify = pdb_classify, .complete = pdb_complete, .where = pdb_where, .show = pdb_show, .place_of = place_of,
	.eval = pdb_eval, .value_of = value_of,
	.settings_save = pdb_settings_save, .settings_load = pdb_settings_load,
	.state = pdb_state, .clock_run = pdb_clock_run, .go_on = pdb_go_on,
};
