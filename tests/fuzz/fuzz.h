/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the fuzzers share.  Each fuzz_*.c is one program: with clang's libFuzzer, or with standalone.c where there is
 * none.  Seeds are the files of seeds/NAME/. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for any input.  The sanitizers see to the rest. */
#define must(condition) \
	((condition) ? (void)0 : (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), abort()))

#endif
