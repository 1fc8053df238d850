/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FRED_DOCTOR_H
#define FRED_DOCTOR_H

/* fredapp --doctor: what this machine allows, a line each, and what to do about what is missing.  Returns the exit
 * status: 0 when Python programs can be debugged backwards here. */
int doctor(void);

#endif
