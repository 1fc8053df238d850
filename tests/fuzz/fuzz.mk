# SPDX-License-Identifier: GPL-3.0-or-later
# Fuzzers: each tests/fuzz/fuzz_*.c is one program, $(BUILD)/fuzz/fuzz_*.
FUZZERS = $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 20
# Each about two seconds under gcc's sanitizers.
FUZZ_RUNS ?= 10000
# The program around a fuzzer; nothing where libFuzzer brings its own.
FUZZ_DRIVER ?= $(BUILD)/tests/fuzz/standalone.o

# A library: a fuzzer that includes a file of ours, to come at its parser, stands in for that file's object.
$(BUILD)/fuzz/fred.a: $(call obj,$(BASE) $(CKPT) $(DECOMPOSE) $(ADAPTERS) $(filter-out fred/main.c,$(FRED)))
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(FUZZ_DRIVER) $(BUILD)/fuzz/fred.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

fuzzers: $(FUZZERS)

# What a run finds worth keeping stays in $(BUILD)/fuzz/corpus for the next; a failing input in $(BUILD)/fuzz.
run-fuzzers: fuzzers
	@for fuzzer in $(FUZZERS); do \
		name=$${fuzzer##*/fuzz_}; \
		mkdir -p $(BUILD)/fuzz/corpus/$$name; \
		echo "== fuzz_$$name"; \
		log=$(BUILD)/fuzz/$$name.log; \
		$$fuzzer $(FUZZ_LIMIT) $(FUZZ_OPTIONS) -artifact_prefix=$(BUILD)/fuzz/$$name- \
			$(BUILD)/fuzz/corpus/$$name tests/fuzz/seeds/$$name >$$log 2>&1 || { cat $$log; exit 1; }; \
		grep -E 'FRED_SEED|runs in|number_of_executed_units' $$log; \
	done

FUZZ_SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined
fuzz: deps
	@if ! command -v clang >/dev/null; then \
		echo "clang is not installed (package clang): seeds are changed at random instead"; \
	elif ! echo 'int LLVMFuzzerTestOneInput(void *data, unsigned long n) { return 0; }' | \
			clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null; then \
		echo "clang lacks its fuzzer (package libclang-rt-dev): seeds are changed at random instead"; \
	else \
		exec $(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz-clang CC=clang FUZZ_DRIVER= LDFLAGS=-fsanitize=fuzzer \
			CFLAGS="-O1 -g -fsanitize=fuzzer-no-link $(FUZZ_SANITIZERS)" FUZZ_LIMIT=-max_total_time=$(FUZZ_SECONDS) \
			FUZZ_OPTIONS="-verbosity=0 -print_final_stats=1 -timeout=10 -max_len=4096" run-fuzzers; \
	fi; \
	exec $(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz-gcc CFLAGS="-O1 -g $(FUZZ_SANITIZERS)" \
		FUZZ_LIMIT=-max_total_time=$(FUZZ_SECONDS) run-fuzzers

.PHONY: fuzzers run-fuzzers fuzz
