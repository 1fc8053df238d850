# SPDX-License-Identifier: GPL-3.0-or-later
"""Several threads under gdb: undo is exact, a search names the thread that makes the change and stops it there, and going back
by statements goes along the thread that stopped."""
import re
import shutil

import pytest

from gdb_pair import Gdb, build

pytestmark = pytest.mark.skipif(not shutil.which("gdb") or not shutil.which("gcc"), reason="no gdb or no gcc here")

# The worker changes it while main waits.
GATE = """#include <pthread.h>
#include <semaphore.h>
static sem_t gate;
static int shared;
static void *worker(void *unused)
{
	sem_wait(&gate);
	shared = 7;             /* the change */
	return unused;
}
int main(void)
{
	pthread_t thread;
	sem_init(&gate, 0, 0);
	pthread_create(&thread, 0, worker, 0);
	sem_post(&gate);
	pthread_join(thread, 0);
	return shared;          /* the end */
}
"""

# Main changes it while workers wait, or sleep, for nothing.
IDLE = """#include <pthread.h>
#include <semaphore.h>
static sem_t never;
static int total, calls;
static int doubled(void) { return 2 * total; }
static void *worker(void *unused)
{
	sem_wait(&never);
	return unused;
}
static void add(int n)
{
	total += n;             /* the change */
	calls++;
}
int main(void)
{
	pthread_t threads[3];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], 0, worker, 0);
	for (int i = 0; i < 10; i++)
		add(i);
	return doubled() != 90; /* the end */
}
"""

# A worker changes it while main runs in a loop: how often it has gone round by then is another number each time.
LOOP = """#include <pthread.h>
static volatile int shared;
static volatile long rounds;
static void *worker(void *unused)
{
	int sum = 0;
	for (int i = 1; i <= 5; i++)
		sum += i;
	shared = sum;           /* the change */
	return unused;
}
int main(void)
{
	pthread_t thread;
	pthread_create(&thread, 0, worker, 0);
	while (shared == 0)
		rounds++;
	pthread_join(thread, 0);
	return 0;               /* the end */
}
"""

# Two workers, and nobody knows whose turn it is.
MUTEX = """#include <pthread.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;
static void *count(void *unused)
{
	for (int i = 0; i < 50; i++) {
		pthread_mutex_lock(&lock);
		counter++;      /* the change */
		pthread_mutex_unlock(&lock);
	}
	return unused;
}
int main(void)
{
	pthread_t a, b;
	pthread_create(&a, 0, count, 0);
	pthread_create(&b, 0, count, 0);
	pthread_join(a, 0);
	pthread_join(b, 0);
	return counter != 100;  /* the end */
}
"""

# What a call returns is changed by a worker.
LIST = """#include <pthread.h>
#include <stdlib.h>
static struct node { struct node *next; } *head, *tail;
static int list_len(struct node *node)
{
	int n = 0;
	for (; node; node = node->next)
		n++;
	return n;
}
static void append(void)
{
	struct node *node = calloc(1, sizeof *node);
	if (tail)
		tail->next = node;      /* the change */
	else
		head = node;
	tail = node;
}
static void *worker(void *unused)
{
	for (int i = 0; i < 6; i++)
		append();
	return unused;
}
int main(void)
{
	pthread_t thread;
	append();
	pthread_create(&thread, 0, worker, 0);
	pthread_join(thread, 0);
	return list_len(head) != 7;     /* the end */
}
"""

# A worker waits in poll() to the end.
POLL = """#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
static sem_t ready;
static int ends[2], interrupted, rounds;
static void *worker(void *unused)
{
	struct pollfd wanted = {.fd = ends[0], .events = POLLIN};
	sem_post(&ready);
	while (poll(&wanted, 1, -1) != 1)
		interrupted++;
	return unused;
}
int main(void)
{
	pthread_t thread;
	sem_init(&ready, 0, 0);
	if (pipe(ends) < 0)
		return 1;
	pthread_create(&thread, 0, worker, 0);
	sem_wait(&ready);
	for (int i = 0; i < 5; i++)
		rounds++;       /* the end */
	if (write(ends[1], "x", 1) != 1)
		return 1;
	pthread_join(thread, 0);
	return interrupted;     /* joined */
}
"""

PROGRAMS = {"gate": GATE, "idle": IDLE, "loop": LOOP, "mutex": MUTEX, "list": LIST, "poll": POLL}


def line_of(name, text):
    """The number of the line with that text."""
    return PROGRAMS[name].split(text)[0].count("\n") + 1


@pytest.fixture
def at_end(folder):
    """A session of the program of that name, before its last statement."""
    sessions = []

    def begin(name, stop="/* the end */"):
        program = build(folder.work, name + ".c", "-g", "-pthread", text=PROGRAMS[name])
        sessions.append(Gdb(folder, "-nx", program, snapshots=True))
        sessions[-1].do_all("break main", "run", "break %d" % line_of(name, stop))
        answer = sessions[-1].do("continue")
        assert stop in answer, answer
        return sessions[-1]

    yield begin
    for session in sessions:
        session.kill()


def check_change(gdb, expression, before, after, thread, answer):
    """The search has come to the line of the change, in that thread (a pattern); `next` makes the change."""
    assert "/* the change */" in answer, answer
    named = re.search(r'FReD: thread (%s) \(".*"\) makes the change, and is selected now' % thread, answer)
    assert named, answer
    assert "cannot be told" not in answer and "may have made" not in answer, answer
    assert gdb.do("output $_thread") == named.group(1)
    assert gdb.do("output " + expression) == before
    gdb.do("next")
    assert gdb.do("output " + expression) == after
    assert gdb.do("output $_thread") == named.group(1)


def test_undo_brings_thread_and_place_back(at_end):
    gdb = at_end("gate", "/* the change */")
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


def test_a_worker_makes_the_change_while_main_waits_for_it(at_end, debug_registers):
    gdb = at_end("gate")
    check_change(gdb, "shared", "0", "7", "2", gdb.do("fred-reverse-watch shared == 0"))
    assert "/* the end */" in gdb.do("fred-undo 2")
    assert gdb.do("output $_thread") == "1"
    check_change(gdb, "shared", "0", "7", "2", gdb.do("fred-reverse-watch --last shared"))


def test_a_wait_is_not_interrupted_by_going_back(at_end):
    """However often gdb has stopped the thread in it."""
    gdb = at_end("poll")
    gdb.do_all("delete 1 2", *["next"] * 6)
    assert gdb.do("output rounds") == "3"
    gdb.do_all("fred-undo 2", "next", "fred-undo")
    assert gdb.do("output rounds") == "2"
    gdb.do("tbreak %d" % line_of("poll", "/* joined */"))
    assert "/* joined */" in gdb.do("continue")
    assert gdb.do("output rounds") == "5" and gdb.do("output interrupted") == "0"


def test_the_thread_that_moved_makes_the_change_while_others_wait(at_end):
    gdb = at_end("idle")
    check_change(gdb, "total", "10", "15", "1", gdb.do("fred-reverse-watch total < 12"))
    gdb.do("fred-undo 2")
    check_change(gdb, "doubled()", "20", "30", "1", gdb.do("fred-reverse-watch doubled() < 24"))


def test_a_worker_makes_the_change_while_main_runs(at_end, debug_registers):
    gdb = at_end("loop")
    check_change(gdb, "shared", "0", "15", "2", gdb.do("fred-reverse-watch shared"))


def test_whichever_worker_makes_the_change_is_named(at_end, debug_registers):
    gdb = at_end("mutex")
    check_change(gdb, "counter", "29", "30", "[23]", gdb.do("fred-reverse-watch counter < 30"))


def test_the_first_change(at_end, debug_registers):
    gdb = at_end("idle")
    answer = gdb.do("fred-reverse-watch --first total")
    check_change(gdb, "total", "0", "1", "1", answer)
    assert "FReD: this is the first change since the start" in answer
    assert gdb.do("output calls") == "1"


def test_whichever_worker_makes_the_first_change_is_named(at_end, debug_registers):
    gdb = at_end("mutex")
    check_change(gdb, "counter", "0", "1", "[23]", gdb.do("fred-reverse-watch --first counter"))


def test_the_first_change_of_what_a_call_returns_is_refused(at_end):
    gdb = at_end("list")
    answer = gdb.do("fred-reverse-watch --first list_len(head)")
    assert "is the first cannot be told where there have been 2 threads" in answer and answer.count("\n") == 1, answer
    assert "/* the end */" in gdb.do("frame")


def test_a_worker_makes_the_change_of_what_a_call_returns(at_end):
    gdb = at_end("list")
    check_change(gdb, "list_len(head)", "3", "4", "2", gdb.do("fred-reverse-watch list_len(head) < 4"))


def test_a_local_of_another_thread_than_the_one_that_moved_is_refused(at_end):
    gdb = at_end("loop")
    gdb.do_all("fred-undo", "break 9", "continue", "thread 1", "frame function main")
    answer = gdb.do("fred-reverse-watch thread")
    assert "belongs to the thread that is selected now" in answer, answer
    assert gdb.do("output $_thread") == "1"


def test_back_from_a_worker_goes_along_the_worker(at_end):
    gdb = at_end("loop", "/* the change */")
    assert gdb.do("output $_thread") == "2"
    lines, sums = [], []
    for _ in range(12):
        answer = gdb.do("reverse-step")
        lines.append(int(re.search(r"^(\d+)\t", answer, re.M).group(1)))
        assert gdb.do("output $_thread") == "2", answer
        sums.append(int(gdb.do("output sum")))
    loop, body = line_of("loop", "for (int"), line_of("loop", "sum +=")
    assert lines == [loop] + [body, loop] * 5 + [line_of("loop", "int sum")]
    assert sums[:-1] == [15, 10, 10, 6, 6, 3, 3, 1, 1, 0, 0]
    # Before its first statement it was not there.
    assert "main ()" in gdb.do("reverse-step")
    assert gdb.do("output $_thread") == "1"
    gdb.do("fred-undo 13")
    assert "/* the change */" in gdb.do("frame")
    assert "loop.c:%d" % loop in gdb.do("reverse-next") and gdb.do("output sum") == "15"


def test_where_threads_race_nothing_is_claimed(at_end):
    """Another run may come to the breakpoint with another count behind it."""
    gdb = at_end("mutex")
    gdb.do_all("fred-undo", "break %d if counter == 20" % line_of("mutex", "/* the change */"), "continue")
    before = gdb.do("output counter"), gdb.do("output $_thread"), gdb.do("output i")
    answer = gdb.do("reverse-next")
    if "did not run the same way" in answer:
        assert "its threads race, but fred-undo takes commands back all the same" in answer
        assert (gdb.do("output counter"), gdb.do("output $_thread"), gdb.do("output i")) == before
    else:
        assert "pthread_mutex_lock" in answer and gdb.do("output $_thread") == before[1]
        assert gdb.do("output i") == before[2]
        assert gdb.do("output counter") == "20" or "FReD: the other threads did not run as they had" in answer


def test_what_other_threads_did_otherwise_is_said(at_end):
    gdb = at_end("loop", "/* the change */")
    answer = gdb.do("reverse-next")
    assert "for (int" in answer and "FReD: the other threads did not run as they had" in answer


def test_back_from_where_a_search_has_led_goes_along_its_thread(at_end):
    gdb = at_end("loop")
    gdb.do("fred-reverse-watch shared")
    assert "for (int" in gdb.do("reverse-next")
    assert "sum +=" in gdb.do("reverse-step")
    assert (gdb.do("output $_thread"), gdb.do("output sum"), gdb.do("output i")) == ("2", "10", "5")
