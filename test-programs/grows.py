"""Takes MEGABYTES of memory and rewrites a tenth of it at each step."""  # SPDX-License-Identifier: GPL-3.0-or-later
import sys

memory = bytearray(int(sys.argv[1]) * 1000000)
for i in range(0, len(memory), 4096):
    memory[i] = 1
generation = 1
for i in range(0, len(memory) // 10, 4096):
    memory[i] = 2
generation = 2
for i in range(0, len(memory) // 10, 4096):
    memory[i] = 3
generation = 3
