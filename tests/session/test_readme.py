# SPDX-License-Identifier: GPL-3.0-or-later
"""The sessions in README.md really run: what it shows is what fredapp prints, but for figures that a machine decides."""
import os
import re
import shutil
import subprocess

import pytest

import driver
from gdb_pair import NO_WATCHPOINTS

README = os.path.join(driver.TOP, "README.md")
PROMPT = re.compile(r"^\((?:Pdb|gdb)\) (.*)$", re.M)


def sessions():
    """(the compiler's arguments or nothing, fredapp's arguments, transcript) of each fenced block with `$ fredapp`."""
    with open(README) as file:
        text = file.read()
    return re.findall(r"^```\n(?:\$ gcc ([^\n]*)\n)?\$ fredapp ([^\n]*)\n(.*?)^```$", text, re.M | re.S)


def plain(text, folder):
    """Without times, addresses and places of libraries, and without the counts that depend on how a search went."""
    text = text.replace(folder.work + "/", "")
    text = re.sub(r"\b0x[0-9a-f]+", "ADDRESS", re.sub(r'library ".*"', "LIBRARY", text))
    return re.sub(r"\d+\.\d+ (ms|s)\b", "TIME", re.sub(r"\d+ evaluations, \d+ snapshots?", "COUNTS", text))


def test_there_are_sessions():
    """Of both debuggers."""
    debuggers = [PROMPT.search(transcript).group()[:5] for _, _, transcript in sessions()]
    assert debuggers.count("(Pdb)") >= 2 and debuggers.count("(gdb)") >= 1


@pytest.mark.parametrize("gcc, arguments, transcript", sessions(), ids=[each[1].split("/")[-1] for each in sessions()])
def test_session(folder, gcc, arguments, transcript):
    argv = [driver.PYTHON if word == "python3" else word for word in arguments.split()]
    if not shutil.which(argv[0]):
        pytest.skip("no %s here" % argv[0])
    shutil.copytree(driver.PROGRAMS, os.path.join(folder.work, "test-programs"))
    if gcc:
        subprocess.run(["gcc", *gcc.split()], cwd=folder.work, check=True)
    batch = driver.run_batch(folder, PROMPT.findall(transcript), *argv)
    assert plain(batch.out, folder) == plain(transcript, folder)
    assert NO_WATCHPOINTS.sub("", batch.err) == ""
