# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions in README.md really run: what it shows is what fredapp prints, but for figures that a machine decides."""
import os
import re

import pytest

import driver

README = os.path.join(driver.TOP, "README.md")


def sessions():
    """(arguments, transcript) of each fenced block that begins with `$ fredapp`."""
    with open(README) as file:
        text = file.read()
    return re.findall(r"^```\n\$ fredapp ([^\n]*)\n(.*?)^```$", text, re.M | re.S)


def plain(text):
    """Without times, and without the counts that depend on how a search went."""
    text = text.replace(driver.TOP + "/", "")
    return re.sub(r"\d+\.\d+ (ms|s)\b", "TIME", re.sub(r"\d+ evaluations, \d+ snapshots", "COUNTS", text))


def test_there_are_sessions():
    assert len(sessions()) >= 2


@pytest.mark.parametrize("arguments, transcript", sessions(), ids=[arguments.split("/")[-1] for arguments, _ in sessions()])
def test_session(folder, arguments, transcript):
    commands = re.findall(r"^\(Pdb\) (.*)$", transcript, re.M)
    argv = [driver.PYTHON if word == "python3" else word for word in arguments.split()]
    batch = driver.run_batch(folder, commands, *argv, cwd=driver.TOP)
    assert plain(batch.out) == plain(transcript)
    assert batch.err == ""
