/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Idle processors that do not go to sleep, for a moment.
 *
 * A command is a chain of wake-ups, from fredapp to the debugger to its program and back, and nothing else runs meanwhile.
 * In a virtual machine a processor that has gone to sleep takes 30 to 70 us to wake up, which is more than most links of
 * that chain have to do.  Only root may ask for this (/dev/cpu_dma_latency); for anyone else these functions do nothing.
 * Nothing is left behind when fredapp is killed: the kernel takes the wish back when the descriptor closes. */
#ifndef BASE_AWAKE_H
#define BASE_AWAKE_H

/* For half a second, unless it is ended or begun again before.  Costs one write(). */
void awake_begin(void);
void awake_end(void);

/* The timeout for a poll() that would wait for ms milliseconds (-1: for ever): not beyond the end of that time. */
int awake_wait(int ms);
/* ... that waits for the user.  It returns 0 when a few milliseconds have passed and it is time for awake_end(). */
int awake_wait_idle(void);

#endif
