# SPDX-License-Identifier: GPL-3.0-or-later
"""Several threads under gdb: undo is exact, and a search does not blame a statement without a word."""
import os
import re
import shutil
import subprocess

import pytest

from gdb_pair import Gdb

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

GATE = """#include <pthread.h>
#include <semaphore.h>
static sem_t gate;
static int shared;
static void *worker(void *unused)
{
	sem_wait(&gate);
	shared = 7;
	return unused;
}
int main(void)
{
	pthread_t thread;
	sem_init(&gate, 0, 0);
	pthread_create(&thread, 0, worker, 0);
	sem_post(&gate);
	pthread_join(thread, 0);
	return shared;
}
"""


@pytest.fixture
def gdb(folder):
    with open(os.path.join(folder.work, "gate.c"), "w") as file:
        file.write(GATE)
    subprocess.run(["gcc", "-g", "-O0", "-pthread", "-o", "gate", "gate.c"], cwd=folder.work, check=True)
    session = Gdb(folder, "-nx", "./gate", snapshots=True)
    session.do_all("break 16", "run")
    yield session
    session.kill()


def test_undo_brings_thread_and_place_back(gdb):
    gdb.do("break 8")
    assert "worker" in gdb.do("continue")
    number = gdb.do("output $_thread")
    threads = gdb.do("info threads")
    gdb.do("next")
    assert gdb.do("output shared") == "7"
    gdb.do("fred-undo")
    assert gdb.do("output shared") == "0"
    assert gdb.do("output $_thread") == number != "1"
    assert gdb.do("info threads") == threads
    gdb.do("fred-undo")
    assert gdb.do("output $_thread") == "1"


def test_a_search_says_that_another_thread_may_have_done_it(gdb):
    gdb.do_all("break 18", "continue")
    assert gdb.do("output shared") == "7"
    answer = gdb.do("fred-reverse-watch shared == 0")
    if "statement:" in answer:
        assert re.search(r"FReD: this program has had \d threads: another one may have made the change", answer), answer
    else:           # the threads ran otherwise the second time: that must be said, and no statement named
        assert "the same way" in answer, answer
