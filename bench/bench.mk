# SPDX-License-Identifier: GPL-3.0-or-later
$(BUILD)/bench/bench_ckpt: $(call obj,bench/bench_ckpt.c tests/unit/ckpt_help.c tests/unit/gdb_help.c $(wildcard tests/unit/tracee*.c) tests/unit/traced_program.c $(BASE) $(CKPT))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lutil -lpthread
