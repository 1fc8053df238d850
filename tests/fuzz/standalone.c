/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzzer without libFuzzer: seeds, changed at random.  It does not see which code an input reaches, and so finds
 * less; but it needs no clang, and the same FRED_SEED gives the same inputs.
 *
 * As with libFuzzer, folders hold the seeds, while files are run once, as they are:
 *	fuzz_X [-runs=N] [-max_total_time=SECONDS] [-artifact_prefix=PATH] FOLDER...
 *	fuzz_X FILE... */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

enum { LARGEST = 4096, CHANGES = 6 };

struct input {
	uint8_t *data;
	size_t size;
};

static struct input *seeds;
static size_t n_seeds;
static uint64_t state;          /* of the random numbers */
static struct input now;        /* what is being run: kept when it fails */
static bool changing;            /* else the inputs are files already */
static const char *artifact_prefix = "";

/* Sanitizers end the process on their own. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void keep_input(void)
{
	static bool done;
	char path[4096];
	int fd;

	if (done || !changing)
		return;
	done = true;
	snprintf(path, sizeof path, "%scrash-%ld", artifact_prefix, (long)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd >= 0 && write(fd, now.data, now.size) == (ssize_t)now.size)
		fprintf(stderr, "the input is kept in %s\n", path);
}

static void on_abort(int signal)
{
	keep_input();
}

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do. */
static uint64_t next_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static size_t below(size_t n)
{
	return n == 0 ? 0 : (size_t)(next_random() % n);
}

static void add_seed(const char *path)
{
	array_grow(seeds, n_seeds);
	seeds[n_seeds].data = (uint8_t *)fd_slurp(path, &seeds[n_seeds].size);
	if (seeds[n_seeds].data == NULL) {
		perror(path);
		exit(2);
	}
	n_seeds++;
}

/* In the order of their names: the folder's own order is not the same everywhere. */
static void add_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		cleanup_free char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.')
			add_seed(path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void put_in(struct input *in, size_t at, const uint8_t *data, size_t n)
{
	if (in->size + n > LARGEST)
		n = LARGEST - in->size;
	memmove(in->data + at + n, in->data + at, in->size - at);
	memmove(in->data + at, data, n);
	in->size += n;
}

static void change(struct input *in)
{
	static const uint8_t telling[] = "\0\1\n\r #-09:/[m\033\177\200\377";
	size_t at = below(in->size + 1), n = below(in->size - at + 1), from;
	const struct input *other = &seeds[below(n_seeds)];
	uint8_t bytes[16], *copy;

	switch (below(6)) {
	case 0:
		if (at < in->size)
			in->data[at] ^= (uint8_t)(1 << below(8));
		break;
	case 1:
		if (at < in->size)
			in->data[at] = telling[below(sizeof telling)];
		break;
	case 2:
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = below(2) ? (uint8_t)next_random() : telling[below(sizeof telling)];
		put_in(in, at, bytes, below(sizeof bytes + 1));
		break;
	case 3:
		memmove(in->data + at, in->data + at + n, in->size - at - n);
		in->size -= n;
		break;
	case 4:                 /* twice the same */
		copy = xmalloc(n + 1);
		memcpy(copy, in->data + at, n);
		put_in(in, at, copy, n);
		free(copy);
		break;
	case 5:                 /* a part of another seed */
		from = below(other->size);
		put_in(in, at, other->data + from, below(other->size - from + 1));
		break;
	}
}

static void run(const uint8_t *data, size_t size)
{
	/* Of exactly that size, so that a read behind its end is seen. */
	now.data = xmalloc(size ? size : 1);
	now.size = size;
	memcpy(now.data, data, size);
	LLVMFuzzerTestOneInput(now.data, now.size);
	free(now.data);
	now = (struct input){ 0 };
}

static void run_changed(void)
{
	uint8_t room[LARGEST];
	const struct input *seed = &seeds[below(n_seeds)];
	struct input in = { .data = room, .size = seed->size < LARGEST ? seed->size : LARGEST };

	memcpy(room, seed->data, in.size);
	for (size_t i = 1 + below(CHANGES); i > 0; i--)
		change(&in);
	run(in.data, in.size);
}

static void choose_seed(void)
{
	const char *given = getenv("FRED_SEED");
	uint32_t seed = given != NULL ? (uint32_t)strtoul(given, NULL, 0) : (uint32_t)(time(NULL) * 31 + getpid());

	printf("FRED_SEED=%u\n", seed);
	fflush(stdout);
	state = seed;
}

int main(int argc, char **argv)
{
	unsigned long runs = 0, limit = 100000, seconds = 0;
	time_t began = time(NULL);
	struct stat st;

	signal(SIGABRT, on_abort);
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(keep_input);
	for (int i = 1; i < argc; i++) {
		if (sscanf(argv[i], "-runs=%lu", &limit) == 1 || sscanf(argv[i], "-max_total_time=%lu", &seconds) == 1)
			continue;
		if (strncmp(argv[i], "-artifact_prefix=", 17) == 0) {
			artifact_prefix = argv[i] + 17;
		} else if (argv[i][0] != '-' && stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
			changing = true;
			add_folder(argv[i]);
		} else if (argv[i][0] != '-') {
			add_seed(argv[i]);
		}
	}
	if (n_seeds == 0) {
		fprintf(stderr, "%s: no seeds\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < n_seeds; i++, runs++)
		run(seeds[i].data, seeds[i].size);
	if (changing) {
		choose_seed();
		for (; seconds != 0 ? time(NULL) - began < (time_t)seconds : runs < limit; runs++)
			run_changed();
	}
	printf("%lu runs in %ld s\n", runs, (long)(time(NULL) - began));
	for (size_t i = 0; i < n_seeds; i++)
		free(seeds[i].data);
	free(seeds);
	return 0;
}
