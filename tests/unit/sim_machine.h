/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_SIM_MACHINE_H
#define TESTS_SIM_MACHINE_H

#include "tests/unit/sim.h"

void sim_machine_init(struct sim *sim);

#endif
