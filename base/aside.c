/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/aside.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

/* To sleep and be woken takes as long as most jobs, so both sides look for each other first. */
#define LOOK_US 30
#define JOBS 8                          /* a power of two */

static struct job {
	void (*fn)(void *ctx);
	void *ctx;
} jobs[JOBS];
static atomic_uint given, done;         /* so many, in all */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wakes = PTHREAD_COND_INITIALIZER;
static cpu_set_t allowed;
static enum { NOT_TRIED, WORKS, IN_PLACE } thread;

static bool has_come(const atomic_uint *count, unsigned n)
{
	return (int)(atomic_load(count) - n) >= 0;
}

/* Until so many have been given, or done. */
static void await(const atomic_uint *count, unsigned n)
{
	uint64_t until = clock_us() + LOOK_US;

	while (!has_come(count, n) && clock_us() < until)
		;
	if (has_come(count, n))
		return;
	pthread_mutex_lock(&lock);
	while (!has_come(count, n))
		pthread_cond_wait(&wakes, &lock);
	pthread_mutex_unlock(&lock);
}

static void advance(atomic_uint *count)
{
	atomic_fetch_add(count, 1);
	pthread_mutex_lock(&lock);      /* whoever found it too low before sleeps by now */
	pthread_cond_broadcast(&wakes);
	pthread_mutex_unlock(&lock);
}

static void *work(void *unused)
{
	pthread_setaffinity_np(pthread_self(), sizeof allowed, &allowed);
	for (unsigned i = 0;; i++) {
		await(&given, i + 1);
		jobs[i % JOBS].fn(jobs[i % JOBS].ctx);
		advance(&done);
	}
	return NULL;
}

/* Signals are for the other thread. */
static bool start(void)
{
	sigset_t all, before;
	pthread_t id;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool started = pthread_create(&id, NULL, work, NULL) == 0 && pthread_detach(id) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void aside_may_use(const cpu_set_t *cpus)
{
	if (thread == NOT_TRIED)
		allowed = *cpus;
}

void aside_do(void (*job)(void *ctx), void *ctx)
{
	if (thread == NOT_TRIED)
		thread = CPU_COUNT(&allowed) > 1 && start() ? WORKS : IN_PLACE;
	if (thread == IN_PLACE) {
		job(ctx);
		return;
	}
	unsigned n = atomic_load(&given);
	await(&done, n + 1 - JOBS);
	jobs[n % JOBS] = (struct job){job, ctx};
	advance(&given);
}

void aside_wait(void)
{
	if (thread == WORKS)
		await(&done, atomic_load(&given));
}

struct share {
	void (*part)(void *ctx, size_t number);
	void *ctx;
	size_t n;
	atomic_size_t next;
};

static void take_parts(void *share)
{
	struct share *s = share;

	for (size_t i; (i = atomic_fetch_add(&s->next, 1)) < s->n;)
		s->part(s->ctx, i);
}

void aside_share(void (*part)(void *ctx, size_t number), void *ctx, size_t n)
{
	struct share s = {.part = part, .ctx = ctx, .n = n};

	aside_do(take_parts, &s);
	take_parts(&s);
	aside_wait();
}
