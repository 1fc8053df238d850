# SPDX-License-Identifier: GPL-3.0-or-later
"""fredapp's end of the channel to the agent in pdb, without fredapp: no terminal, no snapshots."""
import os
import re
import socket
import struct
import subprocess
import tempfile

import driver

AGENT = os.environ.get("FRED_AGENT") or os.path.join(driver.TOP, os.environ.get("BUILD", "build"), "fred-pdb-agent.so")
FOREVER = 1 << 62


class Prompt:
    def __init__(self, fields):
        self.text = fields[0]
        self.tick, self.depth, self.kind, self.end, self.inside, self.restarted, self.post_mortem, \
            self.session = map(int, fields[1:9])
        self.restarted &= 1             # gdb's agent says more in it
        self.place = (os.path.basename(fields[9]), int(fields[10]), fields[11]) if len(fields) > 11 and fields[9] else None
        self.way = int(fields[12]) if len(fields) > 12 else 0
        self.stop = self.place, self.depth, self.kind

    def __repr__(self):
        return "tick %d %r depth %d kind %d end %d inside %d restarted %d" % (
            self.tick, self.place, self.depth, self.kind, self.end, self.inside, self.restarted)


class Peer:
    """pdb with the agent, at its first prompt."""
    def __init__(self, argv, cwd=None, to_prompt=True, env=None):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            argv, pass_fds=[theirs.fileno()], cwd=cwd, stdin=subprocess.DEVNULL, stdout=self.output,
            stderr=subprocess.STDOUT, env={
                **os.environ, "LD_PRELOAD": AGENT, "FRED_AGENT_FD": str(theirs.fileno()), "PYTHONHASHSEED": "0",
                "FRED_AGENT_DEBUG": "1", "HOME": "/nonexistent", **(env or {})})
        theirs.close()
        self.buffer = b""
        self.ticks = []         # (kind, depth) of the last run
        self.breakpoints = []   # and whether a breakpoint is there
        self.ways = []          # digests, one for each 16 ticks
        self.arrivals = 0
        self.refusals = 0         # of the halt
        self.hello = None
        if to_prompt:
            self.prompt = self.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()
        self.output.close()

    def receive(self):
        def need(n):
            while len(self.buffer) < n:
                data = self.socket.recv(1 << 16)
                if not data:
                    raise EOFError("pdb has gone:\n" + self.printed())
                self.buffer += data
        need(5)
        size, kind = struct.unpack("<IB", self.buffer[:5])
        need(5 + size)
        body, self.buffer = self.buffer[5:5 + size], self.buffer[5 + size:]
        if kind == ord("N"):
            self.refusals += 1
            return self.receive()
        if kind == ord("T"):
            return "T", struct.unpack("<%dI" % (size // 4), body)
        return chr(kind), body.decode("utf-8", "surrogateescape").split("\0")[:-1]

    def send(self, kind, *fields):
        body = b"".join(str(field).encode("utf-8", "surrogateescape") + b"\0" for field in fields)
        self.socket.sendall(struct.pack("<IB", len(body), ord(kind)) + body)

    def wait(self):
        """To the next prompt; keeps ticks on the way."""
        while True:
            kind, fields = self.receive()
            if kind == "T":
                self.ticks += [(value & 7, value >> 4 & 0xfffff) for value in fields]
                self.breakpoints += [value >> 3 & 1 for value in fields]
            elif kind == "C":
                assert int(fields[0]) == len(self.ways)
                self.ways += [int(field) for field in fields[1:]]
            elif kind == "A":
                self.arrivals += 1
                self.send("g")
            elif kind == "H":
                self.hello = fields
            elif kind in "PM":
                self.prompt = Prompt(fields) if kind == "P" else fields[0]
                return self.prompt
            else:
                raise AssertionError("%s %r instead of a prompt" % (kind, fields))

    def line(self, text):
        self.send("l", text)
        return self.wait()

    def run(self, text, limit=FOREVER, trace=1, breakpoints="", show=0, until=""):
        self.ticks, self.breakpoints = [], []
        if text is not None:
            self.ways = []
        self.send("k", 0 if text is None else 1, text or "", limit, trace, breakpoints, show, until)
        return self.wait()

    def ask(self, kind, *fields):
        self.send(kind, *fields)
        kind, fields = self.receive()
        assert kind in "RF", (kind, fields)
        return fields if kind == "R" else None

    def value(self, text):
        return self.ask("v", text, self.prompt.depth)

    def printed(self):
        self.output.seek(0)
        return re.sub("[0-9a-fx]{6,}>", ">", self.output.read().decode(errors="replace"))
