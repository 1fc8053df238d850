/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work for a second processor: reading and sorting while the first one does something else, or as much of the same.
 *
 * There is one thread for it, made when it is first needed.  What a job touches nobody else may until aside_wait(); it must not use
 * ptrace(), which belongs to the thread that attached, nor the log.  All is called by one thread. */
#ifndef BASE_ASIDE_H
#define BASE_ASIDE_H

#include <sched.h>
#include <stddef.h>

/* Where this process may run, which the thread is to know while we are bound to one processor.  With less than two of them, or no
 * thread, jobs are done at once, by the caller. */
void aside_may_use(const cpu_set_t *cpus);
/* Jobs are done in order.  Costs 1 us if the thread has just worked, 5 to 10 if it must be woken. */
void aside_do(void (*job)(void *ctx), void *ctx);
/* Until all of them are done. */
void aside_wait(void);
/* Does parts 0 to n - 1 of a job, here and aside, each as soon as one of the two comes to it. */
void aside_share(void (*part)(void *ctx, size_t number), void *ctx, size_t n);

#endif
