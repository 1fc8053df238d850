/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zero microseconds of allowed latency make the idle loop poll, in a virtual machine too: Documentation/power/
 * pm_qos_interface.rst; drivers/cpuidle/governors/{menu,haltpoll}.c, latency_req == 0. */
#include "base/awake.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

/* A move that takes longer than AWAKE_MS is made of work, and not of waking up.  IDLE_MS: a program that types has typed. */
enum { AWAKE_MS = 500, IDLE_MS = 2 };

#define ANY_LATENCY (2000 * 1000000)    /* include/linux/pm_qos.h: PM_QOS_CPU_LATENCY_DEFAULT_VALUE */

static int device = -1;
static bool tried, awake;
static uint64_t until;

static bool allow_latency(int32_t us)
{
	return write(device, &us, sizeof us) == sizeof us;
}

void awake_begin(void)
{
	if (!tried) {
		const char *other = getenv("FRED_LATENCY_DEVICE");      /* for tests */
		device = open(other ? other : "/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC);
	}
	tried = true;
	if (device < 0)
		return;
	until = clock_us() + AWAKE_MS * 1000;
	awake = awake || allow_latency(0);
}

void awake_end(void)
{
	if (awake)
		allow_latency(ANY_LATENCY);
	awake = false;
}

int awake_wait(int ms)
{
	uint64_t now;

	if (!awake)
		return ms;
	now = clock_us();
	if (now >= until) {
		awake_end();
		return ms;
	}
	int left = (int)((until - now) / 1000) + 1;
	return ms < 0 || left < ms ? left : ms;
}

int awake_wait_idle(void)
{
	return awake ? IDLE_MS : -1;
}
