# SPDX-License-Identifier: GPL-3.0-or-later
# FReD.  `make help` lists what can be asked for.
CC ?= gcc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
BUILD ?= build
PYTHON ?= /usr/bin/python3

FRED_CFLAGS = -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wno-unused-parameter -MMD -MP -fno-omit-frame-pointer $(CFLAGS)
LIBS = -lreadline -lutil -lpthread

BASE = $(wildcard base/*.c)
CKPT = $(wildcard ckpt/*.c ckpt/arch/$(shell uname -m)*.c ckpt/resource/*.c)
DECOMPOSE = $(wildcard decompose/*.c)
ADAPTERS = $(wildcard channel/*.c *-adapter/*.c)
FRED = $(wildcard fred/*.c)
obj = $(patsubst %.c,$(BUILD)/%.o,$(1))

AGENTS = pdb gdb
AGENT_FILES = $(AGENTS:%=$(BUILD)/fred-%-agent.so)
all: $(BUILD)/fredapp $(AGENT_FILES)

$(BUILD)/fredapp: $(call obj,$(BASE) $(CKPT) $(DECOMPOSE) $(ADAPTERS) $(FRED))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# An agent is loaded into the user's debugger: no sanitizer, no dependency but libc, and no name that it need not export.
AGENT_CFLAGS = -std=gnu11 -D_GNU_SOURCE -O2 -g -I. -I$(BUILD) -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wno-unused-parameter -MMD -MP -fPIC -fvisibility=hidden
# One namespace each, in this order: each file uses names of those before it while it is loaded.
PYTHON_pdb = $(addprefix pdb-adapter/agent/,prompt.py clock.py halt.py look.py state.py scope.py settings.py \
	harmless.py observe.py)
PYTHON_gdb = $(addprefix gdb-adapter/agent/,prompt.py look.py classify.py settings.py displays.py clock_end.py clock_stack.py \
	clock_threads.py clock_ignore.py clock_stride.py clock_landing.py clock_leap.py clock.py clock_show.py clock_marks.py \
	run.py observe.py begin.py split.py hits.py scope.py watched.py threads.py witness.py)

define agent_rules
$(BUILD)/fred-$(1)-agent.so: $$(call obj,$$(wildcard channel/agent/*.c $(1)-adapter/agent/*.c))
	$$(CC) -shared -o $$@ $$^ -ldl

$$(call obj,$$(wildcard $(1)-adapter/agent/*.c)): | $(BUILD)/$(1)-adapter/agent/source.h
$(BUILD)/$(1)-adapter/agent/source.h: channel/agent/fields.py $(PYTHON_$(1))
	@mkdir -p $$(@D)
	od -An -v -tx1 $$^ | sed 's/ \(..\)/0x\1,/g' > $$@
endef
$(foreach agent,$(AGENTS),$(eval $(call agent_rules,$(agent))))

$(BUILD)/channel/agent/%.o: channel/agent/%.c
	@mkdir -p $(@D)
	$(CC) $(AGENT_CFLAGS) -c -o $@ $<
$(BUILD)/pdb-adapter/agent/%.o: pdb-adapter/agent/%.c
	@mkdir -p $(@D)
	$(CC) $(AGENT_CFLAGS) -c -o $@ $<
$(BUILD)/gdb-adapter/agent/%.o: gdb-adapter/agent/%.c
	@mkdir -p $(@D)
	$(CC) $(AGENT_CFLAGS) -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FRED_CFLAGS) -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# Unit tests: each tests/unit/test_*.c is one cmocka program.
UNIT = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
$(BUILD)/tests/test_%: $(BUILD)/tests/unit/test_%.o $(call obj,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c))) $(call obj,$(BASE) $(CKPT) $(DECOMPOSE) $(ADAPTERS) $(filter-out fred/main.c,$(FRED)))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

unit-tests: $(UNIT)

# What Debian calls all that is needed to build, to test and to demonstrate.
DEPS = gcc g++ gdb make libc6-dev libc6-dbg libreadline-dev libcmocka-dev python3 python3-pytest python3-numpy python3-sortedcontainers python3-dbg

deps:
	@command -v dpkg-query >/dev/null || { echo "Not a Debian system: make sure that you have: $(DEPS)"; exit 0; }; \
	missing=; \
	for package in $(DEPS); do \
		dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	test -n "$$missing" || exit 0; \
	if [ "$$(id -u)" = 0 ]; then as=; elif command -v sudo >/dev/null; then as=sudo; else \
		echo "Missing:$$missing.  As root: apt-get install$$missing" >&2; exit 1; fi; \
	echo "Installing:$$missing"; \
	install="$$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends$$missing"; \
	$$install || { $$as apt-get update -qq && $$install; }

# Each of these installs and builds what it needs first, in that order, also with -j.
demo: deps
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) PYTHON=$(PYTHON) ./demo.sh

check: deps
	@$(MAKE) --no-print-directory all unit-tests
	@BUILD=$(BUILD) FRED_BIN=$(CURDIR)/$(BUILD)/fredapp $(PYTHON) tests/run

check-unit: deps
	@$(MAKE) --no-print-directory unit-tests
	@BUILD=$(BUILD) $(PYTHON) tests/run unit

check-session check-fault: check-%: deps
	@$(MAKE) --no-print-directory all
	@BUILD=$(BUILD) FRED_BIN=$(CURDIR)/$(BUILD)/fredapp $(PYTHON) tests/run $*

include tests/fuzz/fuzz.mk

# The agent goes into the user's Python and is built without sanitizers, as always.
ASAN = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
check-asan: deps
	@$(MAKE) --no-print-directory BUILD=build-asan CFLAGS="$(ASAN)" all unit-tests fuzzers
	@$(MAKE) --no-print-directory BUILD=build-asan CFLAGS="$(ASAN)" FUZZ_LIMIT=-runs=$(FUZZ_RUNS) run-fuzzers
	@BUILD=build-asan FRED_BIN=$(CURDIR)/build-asan/fredapp FRED_TEST_TIMEOUT=180 $(PYTHON) tests/run unit session

lint:
	@$(PYTHON) tests/lint.py

format:
	clang-format -i $(filter-out %_source.h,$(wildcard $(foreach d,base channel channel/agent ckpt ckpt/* decompose fred *-adapter *-adapter/agent tests/unit tests/fuzz bench,$(d)/*.[ch])))

-include bench/bench.mk
bench: deps
	@$(MAKE) --no-print-directory all $(BUILD)/bench/bench_ckpt
	@BUILD=$(BUILD) $(PYTHON) bench/run.py

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/fred \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 755 $(BUILD)/fredapp $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(AGENT_FILES) $(DESTDIR)$(PREFIX)/lib/fred/
	install -m 644 man/fredapp.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 man/fred-commands.7 $(DESTDIR)$(PREFIX)/share/man/man7/

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/fredapp $(AGENTS:%=$(DESTDIR)$(PREFIX)/lib/fred/fred-%-agent.so) \
		$(DESTDIR)$(PREFIX)/share/man/man1/fredapp.1 $(DESTDIR)$(PREFIX)/share/man/man7/fred-commands.7
	-rmdir $(DESTDIR)$(PREFIX)/lib/fred

help:
	@echo "all            build fredapp and its agents in $(BUILD)/ (the default)"
	@echo "demo           install what is missing, build, and find bugs by going backwards, in Python and in C"
	@echo "check          install what is missing, build, and run all tests"
	@echo "check-unit, check-session, check-fault   a part of them"
	@echo "check-asan     unit and session tests under AddressSanitizer and UBSan, and the fuzzers for a moment"
	@echo "fuzz           run each fuzzer for FUZZ_SECONDS=$(FUZZ_SECONDS), with clang's libFuzzer if it is installed"
	@echo "lint, format   check the rules of the house; lay out the C"
	@echo "bench          measure, and write bench/RESULTS.md"
	@echo "install        to PREFIX=$(PREFIX) (and DESTDIR); uninstall removes it"
	@echo "deps           only install the Debian packages that are needed"
	@echo "clean          remove what was built"

clean:
	rm -rf $(BUILD) build-asan

.PHONY: all unit-tests deps demo check check-unit check-session check-fault check-asan lint format bench install uninstall help clean
.SECONDARY:
