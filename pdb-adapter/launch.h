/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is it a command of pdb's? */
#ifndef PDB_ADAPTER_LAUNCH_H
#define PDB_ADAPTER_LAUNCH_H

#include "fred/adapter.h"

/* Does the command end in a Python, as far as its name, or its file's first line, says? */
bool launch_claims(char *const *argv);

#endif
