# SPDX-License-Identifier: GPL-3.0-or-later
"""`set exec-direction reverse` turns gdb's commands round."""
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")


def test_commands_turn_round(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "sum.c"), snapshots=True)
    gdb.do_all("break main", "run", "next", "next", "step")
    inside = gdb.do("where")
    assert "add (" in inside
    gdb.do_all("next", "set exec-direction reverse", "n")
    assert gdb.do("where") == inside
    gdb.do("fin")
    at_call = gdb.do("where")
    assert "add (" not in at_call
    assert "No more reverse-execution history." in gdb.do("c")
    assert "on" in gdb.do("show exec-direction").split()
    gdb.do_all("set exec-direction forward", "next 2", "step")
    assert gdb.do("where") == inside
    gdb.kill()


def test_without_bare_names_it_is_gdbs_own(folder):
    gdb = Gdb(folder, "-nx", build(folder.work, "sum.c"), snapshots=True)
    gdb.do_all("break main", "run", "fred-set bare-names off")
    assert "Target does not support this operation." in gdb.do("set exec-direction reverse")
    gdb.kill()
