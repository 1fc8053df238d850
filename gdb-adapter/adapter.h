/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gdb, 12 or newer, with Python and a shared readline, as distributions build it.  A library is preloaded into it
 * (agent/); channel/protocol.h says what is spoken. */
#ifndef GDB_ADAPTER_ADAPTER_H
#define GDB_ADAPTER_ADAPTER_H

#include "fred/adapter.h"

extern const struct adapter gdb_adapter;

#endif
