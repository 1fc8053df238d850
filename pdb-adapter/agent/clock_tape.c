/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pdb-adapter/agent/clock_tape.h"

#include <stdio.h>

#include "channel/agent/channel.h"
#include "channel/agent/python_api.h"
#include "channel/protocol.h"

enum {
	BATCH = 8000,                   /* ticks in one message, 32 KB */
	STRIDE = 16,                    /* ticks of one long digest */
	DIGITS = 21,
	TOLD_BREAKPOINT = 8,
	TOO_DEEP = 0xfffff0,            /* a depth for which there is no room: channel/messages.c refuses it */
};

static unsigned char ticks[BATCH * 4];
static uint32_t ways[BATCH / STRIDE + 1];
static size_t n_ticks, n_ways;
static uint64_t mixed;                  /* every tick since the start: a loop that went round once less leaves no other trace */
static uint32_t way;
static unsigned char now;               /* a byte of `mixed`, not 0 */

void tape_clear(void)
{
	n_ticks = n_ways = 0;
	mixed = 0;
	way = now = 0;
}

uint64_t tape_way(void)
{
	return (uint64_t)way << 8 | now;
}

static void put(uint32_t value)
{
	unsigned char *at = ticks + n_ticks++ * 4;

	for (int k = 0; k < 4; k++)
		at[k] = (unsigned char)(value >> (8 * k));
}

void tape_tick(uint64_t count, uint32_t value, int instruction, bool told)
{
	mixed = (mixed ^ ((uint64_t)(value & ~TOLD_BREAKPOINT) << 32 | (uint32_t)instruction)) * 0x9e3779b97f4a7c15;
	mixed ^= mixed >> 29;
	now = (unsigned char)(mixed >> 40);
	now += now == 0;
	if (told)
		put((uint32_t)now << 24 | (value >> 24 ? TOO_DEEP : value));
	if (count % STRIDE == 0) {
		way = (uint32_t)(mixed >> 33);
		way += way == 0;
		if (told)
			ways[n_ways++] = way;
	}
	if (n_ticks == BATCH)
		tape_send(count);
}

void tape_send(uint64_t count)
{
	static char text[(BATCH / STRIDE + 2) * DIGITS];
	size_t n, n_bytes = n_ticks * 4;
	void *thread;

	if (n_ticks == 0 && n_ways == 0)
		return;
	n = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)(count / STRIDE - n_ways)) + 1;
	for (size_t i = 0; i < n_ways; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%u", ways[i]) + 1;
	thread = PyEval_SaveThread();
	if (n_bytes > 0)
		channel_send(MESSAGE_TICKS, (char *)ticks, n_bytes);
	if (n_ways > 0)
		channel_send(MESSAGE_WAYS, text, n);
	PyEval_RestoreThread(thread);
	n_ticks = n_ways = 0;
}
