/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pdb, of CPython 3.8 to 3.14, in any command that ends in a Python: `python3 -m pdb x.py`, a script that calls
 * breakpoint(), pytest --pdb.  A library is preloaded into that command (agent/); protocol.h says what is spoken. */
#ifndef PDB_ADAPTER_ADAPTER_H
#define PDB_ADAPTER_ADAPTER_H

#include "fred/adapter.h"

extern const struct adapter pdb_adapter;

#endif
