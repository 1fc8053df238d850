/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/launch.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

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

bool launch_claims(char *const *argv)
{
	const char *name;

	if (argv[0] == NULL)
		return false;
	name = base_name(argv[0]);
	if (strcmp(name, "env") == 0) {
		for (argv++; *argv != NULL && (**argv == '-' || strchr(*argv, '=') != NULL); argv++)
			;
		return *argv != NULL && strcmp(base_name(*argv), "env") != 0 && launch_claims(argv);
	}
	return begins(name, "python") || begins(name, "pytest") || strcmp(name, "py.test") == 0 || begins(name, "pdb")
		|| ends(name, ".py") || shebang_says_python(argv[0]);
}

char *launch_find_agent(struct err *err)
{
	static const char *const places[] = { "", "/../lib/fred" };
	char exe[PATH_MAX] = "";
	const char *folder, *env = getenv("FRED_AGENT");
	bool known = readlink("/proc/self/exe", exe, sizeof exe - 1) > 0;

	folder = dirname(exe);
	for (size_t i = 0; known && i < sizeof places / sizeof *places; i++) {
		char *file = xasprintf("%s%s/fred-pdb-agent.so", folder, places[i]);

		if (access(file, R_OK) == 0)
			return file;
		free(file);
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

int launch_prepare(struct adapter_launch *launch, const char *agent, int fd, struct err *err)
{
	const char *preload = get_env(launch->envp, "LD_PRELOAD");

	if (strpbrk(agent, ": ") != NULL)
		return err_set(err, "%s cannot be preloaded: its path has a space or a colon; set FRED_AGENT to a copy elsewhere", agent);
	if (launch->n_keep >= sizeof launch->keep / sizeof *launch->keep)
		return err_set(err, "too many descriptors to inherit");
	put_env(&launch->envp, xasprintf("LD_PRELOAD=%s%s%s", agent, *preload ? ":" : "", preload));
	put_env(&launch->envp, xasprintf("FRED_AGENT_FD=%d", fd));
	launch->keep[launch->n_keep++] = fd;
	return 0;
}
