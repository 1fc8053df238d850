/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the clock tells fredapp of a run: its ticks, and digests of the way from the start, one of a byte for each tick and one of
 * 32 bits for each sixteen ticks. */
#ifndef PDB_ADAPTER_AGENT_CLOCK_TAPE_H
#define PDB_ADAPTER_AGENT_CLOCK_TAPE_H

#include <stdbool.h>
#include <stdint.h>

void tape_clear(void);
/* A tick more: its instruction goes into the way, and so does its value, depth << 4 | kind.  told: the value is told as well,
 * and goes to fredapp at the latest when the tape is full. */
void tape_tick(uint64_t count, uint32_t value, int instruction, bool told);
/* To fredapp, what was not told yet.  Other Python threads may run meanwhile. */
void tape_send(uint64_t count);
/* struct adapter_event: way */
uint64_t tape_way(void);

#endif
