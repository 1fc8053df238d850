/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel/launch.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "channel/protocol.h"

char *launch_find_agent(const char *library, struct err *err)
{
	static const char *const places[] = { "", "/../lib/fred" };
	char exe[PATH_MAX] = "";
	const char *folder, *env = getenv("FRED_AGENT");
	bool known = readlink("/proc/self/exe", exe, sizeof exe - 1) > 0;

	folder = dirname(exe);
	for (size_t i = 0; known && i < sizeof places / sizeof *places; i++) {
		char *file = xasprintf("%s%s/%s", folder, places[i], library);

		if (access(file, R_OK) == 0)
			return file;
		free(file);
	}
	if (env != NULL && access(env, R_OK) == 0)
		return xstrdup(env);
	err_set(err, "%s is neither beside fredapp nor in ../lib/fred; set FRED_AGENT to where it is", library);
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

int launch_preload(struct adapter_launch *launch, const char *agent, int fd, struct err *err)
{
	const char *preload = get_env(launch->envp, "LD_PRELOAD");

	if (strpbrk(agent, ": ") != NULL)
		return err_set(err, "%s cannot be preloaded: its path has a space or a colon; set FRED_AGENT to a copy elsewhere", agent);
	if (launch->n_keep >= sizeof launch->keep / sizeof *launch->keep)
		return err_set(err, "too many descriptors to inherit");
	put_env(&launch->envp, xasprintf("LD_PRELOAD=%s%s%s", agent, *preload ? ":" : "", preload));
	put_env(&launch->envp, xasprintf(AGENT_FD "=%d", fd));
	launch->keep[launch->n_keep++] = fd;
	return 0;
}
