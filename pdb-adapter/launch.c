/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/launch.h"

#include <fcntl.h>
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
