"""Figure 4: a list that must not grow beyond its limit, though len() is too dear to be called often.

A reading that arrives late goes in by another way than the others and makes the list one node too long.
Usage: linked_list.py [LIMIT]"""
# SPDX-License-Identifier: GPL-3.0-or-later
import sys


class Node:
    __slots__ = ("value", "next")

    def __init__(self, value):
        self.value = value
        self.next = None


class LinkedList:
    """The first readings, at most `limit` of them."""

    def __init__(self, limit):
        self.head = self.tail = None
        self.limit = limit
        self.used = 0

    def len(self):
        n, node = 0, self.head
        while node is not None:
            n += 1
            node = node.next
        return n

    def append(self, value):
        node = Node(value)
        if self.head is None:
            self.head = node
        else:
            self.tail.next = node
        self.tail = node

    def add(self, value):
        if self.used < self.limit:
            self.used += 1
            self.append(value)


def read_sensor(linked_list, limit):
    for value in range(limit + 100):
        linked_list.add(value)
        if value == limit + 7:
            linked_list.append(-value)      # arrived late


def main():
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    linked_list = LinkedList(limit)
    read_sensor(linked_list, limit)
    assert linked_list.len() <= limit, "the list has grown too long"
    print("readings kept:", linked_list.len())


main()
