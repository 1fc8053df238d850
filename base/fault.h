/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults by name, for tests: FRED_FAULT=ckpt-clone,file-copy:3 makes fault("ckpt-clone") true every time and the third
 * fault("file-copy") true once.  A name stands at each step whose failure the rest must survive. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

bool fault(const char *name);

#endif
