# SPDX-License-Identifier: GPL-3.0-or-later
# FReD.  `make help` lists what can be asked for.
CC ?= gcc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
BUILD ?= build
PYTHON ?= /usr/bin/python3

FRED_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -MMD -MP -fno-omit-frame-pointer $(CFLAGS)
LIBS = -lreadline -lutil

BASE = $(wildcard base/*.c)
CKPT = $(wildcard ckpt/*.c ckpt/arch/$(shell uname -m).c ckpt/resource/*.c)
DECOMPOSE = $(wildcard decompose/*.c)
ADAPTERS = pdb-adapter/adapter.c $(filter-out pdb-adapter/adapter.c pdb-adapter/agent.c,$(wildcard pdb-adapter/*.c))
FRED = $(wildcard fred/*.c)
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(BUILD)/fredapp $(BUILD)/fred-pdb-agent.so

$(BUILD)/fredapp: $(call obj,$(BASE) $(CKPT) $(DECOMPOSE) $(ADAPTERS) $(FRED))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The agent is loaded into the user's Python: no sanitizer, no dependency but libc.
$(BUILD)/fred-pdb-agent.so: pdb-adapter/agent.c $(BUILD)/pdb-adapter/agent_source.h
	$(CC) -std=gnu11 -D_GNU_SOURCE -O2 -g -I. -I$(BUILD) -Wall -Wextra -Wshadow -Wno-unused-parameter -shared -fPIC -fvisibility=hidden -o $@ $< -ldl

$(BUILD)/pdb-adapter/agent_source.h: pdb-adapter/agent.py
	@mkdir -p $(@D)
	od -An -v -tx1 $< | sed 's/ \(..\)/0x\1,/g' > $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FRED_CFLAGS) -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# Unit tests: each tests/unit/test_*.c is one cmocka program.
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/tests/test_%: $(BUILD)/tests/unit/test_%.o $(call obj,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))) $(call obj,$(BASE) $(CKPT) $(DECOMPOSE))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lutil -lpthread

clean:
	rm -rf $(BUILD)

.PHONY: all clean
.SECONDARY:
