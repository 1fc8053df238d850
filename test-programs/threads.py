"""Four threads that wait for work and add it up."""  # SPDX-License-Identifier: GPL-3.0-or-later
import queue
import threading

work, results = queue.Queue(), queue.Queue()


def worker():
    while True:
        item = work.get()
        if item is None:
            return
        results.put(item * item)


def main():
    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    total = 0
    for round in range(5):
        work.put(round)
        total += results.get()
    alive = sum(thread.is_alive() for thread in threads)
    for thread in threads:
        work.put(None)
    for thread in threads:
        thread.join()
    print("total", total, "alive", alive)


main()
