/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A fredrc file, and the words of fred-set and fred-show. */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "fred/settings.h"

static char folder[] = "/tmp/fred-fuzz-XXXXXX";
static struct settings first;
static char *file;

static void remove_folder(void)
{
	unlink(file);
	*strrchr(file, '/') = '\0';
	rmdir(file);
	rmdir(folder);
	free(file);
}

/* A file of its own, where the settings are looked for: a fredrc of the user's must not take part. */
static void make_folder(void)
{
	cleanup_free char *inner = NULL;

	must(mkdtemp(folder) != NULL);
	inner = xasprintf("%s/fred", folder);
	must(mkdir(inner, 0700) == 0);
	file = xasprintf("%s/fredrc", inner);
	setenv("XDG_CONFIG_HOME", folder, 1);
	first = settings;
	atexit(remove_folder);
}

static void must_be_in_bounds(void)
{
	must(settings.snapshots == 0 || settings.snapshots == 1);
	must(settings.bare_names == 0 || settings.bare_names == 1);
	must(settings.max_snapshots >= 2 && settings.max_snapshots <= 10000);
	must(settings.max_snapshot_memory >= 16);
	must(settings.file_limit >= 0 && settings.eval_timeout >= 0 && settings.history_size >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	cleanup_buf struct buf shown = { 0 };
	struct err err = { 0 };
	int fd;

	if (file == NULL)
		make_folder();
	settings = first;
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
	if (settings_read_files(&err) < 0)
		must(strstr(err.what, "fredrc:") != NULL);
	must_be_in_bounds();

	if (settings_show(text, &shown, &err) < 0)
		must(err.what[0] != '\0' && shown.len == 0);
	if (settings_set(text, text, &err) < 0)
		must(err.what[0] != '\0');
	for (int i = 0; settings_name(i) != NULL; i++)
		if (settings_set(settings_name(i), text, &err) < 0)
			must(err.what[0] != '\0');
	must_be_in_bounds();
	settings = first;
	return 0;
}
