# SPDX-License-Identifier: GPL-3.0-or-later
"""Gives every test its folder and its way to fredapp; keeps the folder of a failed one and says how to replay it."""
import os
import shlex
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "session"))
import driver       # noqa: E402
import machine      # noqa: E402

PYTHONS = driver.pythons()


def pytest_generate_tests(metafunc):
    # Tests that ask for `python` run on every version of issue and machine; a missing one is a skip with its reason.
    if "python" in metafunc.fixturenames:
        params = []
        for minor in range(8, 14):
            version = "3.%d" % minor
            path = PYTHONS.get(version)
            params.append(pytest.param(path, id="py" + version, marks=[] if path else
                                       pytest.mark.skip(reason="no Python %s on this machine" % version)))
        metafunc.parametrize("python", params)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    setattr(item, "report_" + report.when, report)
    folder = getattr(item, "fred_folder", None)
    if report.failed and folder:
        names = [name for name in ("FRED_BIN", "FRED_SEED", "FRED_PYTHONS", "FRED_FAULT") if name in os.environ]
        report.sections.append(("replay", "folder kept: %s (run*.sh, their input and output)\ncd %s && %s %s -m pytest %s" % (
            folder.path, shlex.quote(driver.TOP), " ".join("%s=%s" % (n, shlex.quote(os.environ[n])) for n in names),
            sys.executable, shlex.quote(item.nodeid))))
        report.sections.append(("the end of the last session's log", folder.last_log()))


@pytest.fixture(scope="session")
def debug_registers():
    """For tests of what hardware watchpoints do: there are virtual machines whose debug registers take all and do nothing."""
    if not machine.debug_registers_work():
        pytest.skip("the debug registers of this machine do nothing")


@pytest.fixture
def folder(request):
    path = tempfile.mkdtemp(prefix="fred-test-")
    os.chmod(path, 0o755)
    folder = driver.Folder(path, request.node.nodeid)
    request.node.fred_folder = folder
    yield folder
    failed = any(getattr(getattr(request.node, "report_" + when, None), "failed", False) for when in ("setup", "call"))
    if failed:
        # The sessions of a failed test may stand anywhere: end them, and blame nothing further on it.
        folder.close()
        driver.await_no_survivors(folder.id, 10)
        driver.kill_survivors(folder.id)
        return
    for terminal in folder.terminals:
        if terminal.process.poll() is None and terminal.master >= 0:
            terminal.close_master()     # the user closes the window: nothing may stay behind
    left = driver.await_no_survivors(folder.id)
    if left:
        details = [describe(pid, line) for pid, line in left]
        driver.kill_survivors(folder.id)
        folder.close()
        pytest.fail("processes survived the test:\n" + "\n".join(details))
    folder.close()
    driver.remove(path)


def describe(pid, line):
    try:
        with open("/proc/%d/status" % pid) as file:
            fields = dict(row.rstrip("\n").split(":\t", 1) for row in file if ":\t" in row)
        return "%d (%s) parent %s tracer %s: %s" % (pid, fields["State"], fields["PPid"], fields["TracerPid"], line)
    except (OSError, KeyError):
        return "%d: %s" % (pid, line)


@pytest.fixture
def fred(folder):
    """fred("a.py") is pdb on one of our programs, at its first prompt; fred(argv=[...]) any command."""
    def start(script=None, *args, argv=None, python=None, at_prompt=True, **how):
        session = driver.Fred(folder, *(argv or driver.pdb(script, *args, python=python)), **how)
        if at_prompt:
            session.banner = session.prompt()
        return session
    return start


@pytest.fixture
def bare(folder):
    """The same without FReD: the debugger alone on such a terminal."""
    def start(script=None, *args, argv=None, python=None, at_prompt=True, **how):
        session = driver.Debugger(folder, argv or driver.pdb(script, *args, python=python), **how)
        if at_prompt:
            session.banner = session.prompt()
        return session
    return start


@pytest.fixture
def batch(folder):
    """batch(["next", "p x"], "a.py") runs a script of commands in batch mode."""
    def start(commands, script=None, *args, argv=None, python=None, **how):
        return driver.run_batch(folder, commands, *(argv or driver.pdb(script, *args, python=python)), **how)
    return start
