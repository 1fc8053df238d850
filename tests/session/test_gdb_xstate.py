# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended registers written with a buffer shorter than the kernel's, as gdb does on a CPU that is newer than it."""
import os
import platform
import subprocess

import pytest

from gdb_peer import AGENT

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="registers of x86-64")

# A child has a value in the upper half of ymm0, and its tracer changes the lower half with a buffer that ends before it.
TRACER = r"""
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	static unsigned char state[65536], after[65536];
	unsigned char lane[32];
	struct iovec all = {state, sizeof state}, first = {state, 576};

	memset(lane, 7, sizeof lane);
	pid_t child = fork();
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		__asm__ volatile("vmovdqu %0, %%ymm0; mov %1, %%edi; mov %2, %%esi; mov $62, %%eax; syscall"
				 : : "m"(lane), "r"(getpid()), "i"(SIGSTOP) : "rax", "rdi", "rsi", "rcx", "r11", "memory");
		_exit(0);
	}
	waitpid(child, NULL, 0);
	if (ptrace(PTRACE_GETREGSET, child, (void *)NT_X86_XSTATE, &all) < 0)
		return 3;
	memset(state + 160, 9, 16);     /* xmm0 */
	if (ptrace(PTRACE_SETREGSET, child, (void *)NT_X86_XSTATE, &first) < 0)
		return errno == EFAULT ? 1 : 2;
	all = (struct iovec){after, sizeof after};
	ptrace(PTRACE_GETREGSET, child, (void *)NT_X86_XSTATE, &all);
	printf("%d %d of %zu bytes\n", after[160], after[576], all.iov_len);
	ptrace(PTRACE_KILL, child, NULL, NULL);
	return 0;
}
"""


@pytest.mark.skipif("avx" not in open("/proc/cpuinfo").read(), reason="this CPU has nothing beyond the legacy registers")
def test_a_short_buffer_is_completed(folder):
    with open(os.path.join(folder.work, "tracer.c"), "w") as file:
        file.write(TRACER)
    subprocess.run(["gcc", "-O0", "-o", "tracer", "tracer.c"], cwd=folder.work, check=True)
    tracer = os.path.join(folder.work, "tracer")
    assert subprocess.run([tracer]).returncode == 1             # what the kernel says to it
    done = subprocess.run([tracer], env={**os.environ, "LD_PRELOAD": AGENT}, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("9 7 of ")
