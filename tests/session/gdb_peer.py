# SPDX-License-Identifier: GPL-3.0-or-later
"""fredapp's end of the channel to the agent in gdb, without fredapp: a terminal of its own, no snapshots."""
import os
import subprocess
import tempfile

import clock_peer
import driver

AGENT = os.path.join(driver.TOP, os.environ.get("BUILD", "build"), "fred-gdb-agent.so")


class GdbPeer(clock_peer.Peer):
    """gdb with the agent, at its first prompt.  What it prints is read with printed()."""

    def __init__(self, *arguments, cwd=None):
        self.socket, theirs = clock_peer.socket.socketpair()
        self.socket.settimeout(60)
        self.output = tempfile.TemporaryFile()
        self.terminal, terminal = os.openpty()
        self.process = subprocess.Popen(
            ["gdb", "-q", "-nx", *arguments], pass_fds=[theirs.fileno()], cwd=cwd, stdin=terminal, stdout=self.output,
            stderr=subprocess.STDOUT, start_new_session=True, env={
                **os.environ, "LD_PRELOAD": AGENT, "FRED_AGENT_FD": str(theirs.fileno()), "FRED_AGENT_DEBUG": "1",
                "HOME": "/nonexistent", "TERM": "dumb"})
        os.close(terminal)
        theirs.close()
        self.buffer = b""
        self.ticks, self.breakpoints, self.arrivals, self.hello = [], [], 0, None
        self.prompt = self.wait()

    def __exit__(self, *unused):
        super().__exit__()
        os.close(self.terminal)

    def lines(self, *texts):
        for text in texts:
            self.line(text)

    def printed_by(self, text):
        before = os.fstat(self.output.fileno()).st_size
        self.line(text)
        self.output.seek(before)
        return self.output.read().decode(errors="replace")

    def classify(self, text):
        self.send("c", text)
        kind, fields = self.receive()
        return int(fields[0]) if kind == "R" else fields[0]

    def settings(self):
        return self.ask("s")[0]
