# SPDX-License-Identifier: GPL-3.0-or-later
"""Idle processors are kept awake while a command runs, for a moment, and sleep again at the prompt.

The kernel's device has one value for the whole machine, and other sessions write to it: a file stands for it here."""
import os
import struct
import time

import pytest

import driver


class Device:
    def __init__(self, path):
        self.path = path
        open(path, "wb").close()

    def wishes(self):
        """The microseconds allowed, one after the other, as they were written."""
        with open(self.path, "rb") as file:
            data = file.read()
        return list(struct.unpack("%di" % (len(data) // 4), data))

    def await_(self, n):
        """The n-th wish: there is no event for it."""
        end = time.monotonic() + driver.DEADLINE
        while len(self.wishes()) < n:
            assert time.monotonic() < end, self.wishes()
            os.sched_yield()
        return self.wishes()[n - 1]


@pytest.fixture
def device(folder):
    return Device(os.path.join(folder.work, "latency"))


@pytest.fixture
def spins(fred, device):
    return fred("spins.py", env={"FRED_LATENCY_DEVICE": device.path})


def test_a_command_and_its_end(spins, device):
    spins.do("p 1")
    assert device.await_(1) == 0
    assert device.await_(2) > 1000000, "at the prompt any processor may sleep"
    spins.do("p 2")
    assert device.await_(3) == 0 and device.await_(4) > 1000000
    spins.quit()


def test_a_long_command(spins, device):
    spins.send("continue")
    assert device.await_(1) == 0
    assert device.await_(2) > 1000000   # while it still runs
    spins.interrupt()
    spins.prompt()
    assert len(device.wishes()) == 2
    spins.quit()


def test_it_can_be_turned_off(spins, device):
    spins.do("fred-set stay-awake off")
    device.await_(2)
    spins.do_all("p 1", "p 2")
    assert len(device.wishes()) == 2
    spins.quit()


def test_a_session_that_is_suspended(spins, device):
    spins.send("continue")
    spins.expect("spinning")
    spins.type(b"\x1a")
    _, status = os.waitpid(spins.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status) and device.wishes()[-1] > 1000000
    spins.process.kill()
    spins.expect_end()


def test_without_the_device(fred):
    session = fred("spins.py", env={"FRED_LATENCY_DEVICE": "/nonexistent/latency"})
    assert session.do("p 1") == "1\n"
    session.quit()
