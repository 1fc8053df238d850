# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives fredapp, or a bare debugger, as a user at a terminal does.

A Terminal runs one command on a pty and waits for what it prints: always for an event (bytes, end of file), under one
generous deadline that can only fail a test, never make one pass.  Fred and BarePdb know the prompt: after a line was
sent, everything up to the next prompt at the end of the output is that line's answer.

Every process started here bears FRED_TEST_ID in its environment, and so do all its descendants, snapshots included:
survivors() finds them in /proc."""
import fcntl
import os
import re
import select
import shlex
import shutil
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
import uuid

import pytest

from screen import Screen

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = os.path.join(TOP, "test-programs")
FRED = os.environ.get("FRED_BIN") or os.path.join(TOP, "build", "fredapp")
# A sanitizer or a loaded machine may be slow; no test waits this long when it passes.
DEADLINE = float(os.environ.get("FRED_TEST_TIMEOUT", "60"))
PYTHON = sys.executable

# Those of pdb, of pdb in pdb, of `commands`, `interact` and statements of several lines; coloured or not.
PROMPT = re.compile(rb"(?:\x1b\[[0-9;]*m)*(?:\(Pdb\)|\(\(Pdb\)\)|\(com\)|(?<=\n)(?:\.\.\. *|>>>))(?:\x1b\[[0-9;]*m)* $")


def program(name):
    return os.path.join(PROGRAMS, name)


def line_with(source, text):
    """The number of the first line that contains the text."""
    return next(number for number, line in enumerate(source.split("\n"), 1) if text in line)


def line_of(name, text):
    """The same of one of our programs."""
    with open(program(name)) as file:
        return line_with(file.read(), text)


class Failure(AssertionError):
    """What was awaited did not come; says what came instead."""


class Folder:
    """A test's own folder: HOME, TMPDIR, working directory, and a log of what was run in it."""

    def __init__(self, path, test):
        self.path, self.test = path, test
        self.id = uuid.uuid4().hex
        for name in ("home", "tmp", "work"):
            os.makedirs(os.path.join(path, name), exist_ok=True)
            os.chmod(os.path.join(path, name), 0o755)
        self.home, self.tmp, self.work = (os.path.join(path, n) for n in ("home", "tmp", "work"))
        self.runs = 0
        self.terminals = []

    def environment(self, extra=None):
        env = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "FRED_FAULT", "FRED_LOG", "ASAN_OPTIONS",
                                                   "UBSAN_OPTIONS", "LSAN_OPTIONS") if name in os.environ}
        env.setdefault("LC_ALL", "C.UTF-8")
        env.update(HOME=self.home, TMPDIR=self.tmp, TERM="dumb", FRED_TEST_ID=self.id, PYTHONDONTWRITEBYTECODE="1")
        for name, value in (extra or {}).items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        return env

    def logged(self, argv):
        """The command, with a log of fredapp's, for the report of a test that fails, beside the script that runs it."""
        if FRED != argv[0]:
            return argv
        path = os.path.join(self.path, "run%d.sh.log" % (self.runs + 1))
        with open(path, "w"):
            os.chmod(path, 0o666)       # fredapp may be another user's
        return [FRED, "--log", path, *argv[1:]]

    def last_log(self, lines=30):
        """The end of the last of these, which tells what a session that hangs was at."""
        logs = sorted((name for name in os.listdir(self.path) if name.endswith(".log")), key=lambda name: (len(name), name))
        if not logs:
            return ""
        with open(os.path.join(self.path, logs[-1]), errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def record(self, argv, env, cwd):
        """Writes down how to run this again by hand."""
        self.runs += 1
        path = os.path.join(self.path, "run%d.sh" % self.runs)
        with open(path, "w") as file:
            file.write("#!/bin/sh\n# %s\ncd %s &&\nexec env -i \\\n" % (self.test, shlex.quote(cwd)))
            for name, value in sorted(env.items()):
                file.write("\t%s=%s \\\n" % (name, shlex.quote(value)))
            file.write("\t%s\n" % " ".join(map(shlex.quote, argv)))
        os.chmod(path, 0o755)
        return path

    def close(self):
        for terminal in self.terminals:
            terminal.kill()


def survivors(test_id):
    """(pid, command line) of every process that a test started and that still runs."""
    mark, found = ("FRED_TEST_ID=" + test_id).encode(), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as file:
                if mark not in file.read().split(b"\0"):
                    continue
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                found.append((int(pid), file.read().replace(b"\0", b" ").decode(errors="replace").strip()))
        except OSError:
            continue                # gone meanwhile, or not ours to read
    return [entry for entry in found if entry[0] != os.getpid()]


def standing(test_id):
    """Where each of them stands, for the report of one that hangs: its state, and the system call of each thread."""
    def text(path):
        try:
            with open(path) as file:
                return file.read().strip()
        except OSError as error:
            return error.strerror

    def threads(pid):
        for tid in sorted(os.listdir("/proc/%d/task" % pid)):
            at = "/proc/%d/task/%s/" % (pid, tid)
            yield "    %s %s in %s, call %s" % (tid, text(at + "stat").rpartition(") ")[2][:1], text(at + "wchan"), text(at + "syscall"))
    lines = []
    for pid, command in survivors(test_id):
        try:
            each = list(threads(pid))
        except OSError:
            continue                # gone meanwhile
        if any(" t in " not in line for line in each):          # no snapshot
            lines += ["%d %s" % (pid, command), *each]
    return "\n".join(lines)


def await_state(holds, what):
    """Of what only /proc or the file system tells; returns what holds() does then."""
    deadline = time.monotonic() + DEADLINE
    while not (there := holds()):
        assert time.monotonic() < deadline, what
        os.sched_yield()
    return there


def await_no_survivors(test_id, seconds=20):
    """Waits for the end of all processes of a test; returns those that do not end."""
    deadline = time.monotonic() + seconds
    while True:
        left = survivors(test_id)
        if not left or time.monotonic() > deadline:
            return left
        try:
            fd = os.pidfd_open(left[0][0])
        except ProcessLookupError:
            continue
        try:
            select.select([fd], [], [], max(0, deadline - time.monotonic()))
        finally:
            os.close(fd)


def kill_survivors(test_id):
    for pid, _ in survivors(test_id):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def modes(fd):
    """Those that stty shows; not what is typed, which flags change nothing for."""
    return termios.tcgetattr(fd)[:4]


class Terminal:
    """One command on a pty of its own."""

    def __init__(self, folder, argv, size=(24, 200), env=None, cwd=None, prefix=(), stdin=None, stderr=None,
                 preexec=None):
        self.folder, self.argv = folder, [*prefix, *folder.logged(argv)]
        self.cwd = cwd or folder.work
        environment = folder.environment(env)
        # Also of a debugger without FReD, so that both say the same of it.
        if "--log" in self.argv or FRED not in " ".join(self.argv):
            environment.setdefault("FRED_LOG", "session:debug,agent:debug")
        self.script = folder.record(self.argv, environment, self.cwd)
        self.master, slave = os.openpty()
        self.resize(*size)
        # The same line discipline wherever the test runs, so that transcripts can be compared.
        mode = termios.tcgetattr(slave)
        mode[1] |= termios.OPOST | termios.ONLCR
        mode[3] |= termios.ECHO | termios.ICANON | termios.ISIG | termios.ECHOCTL
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        self.first_modes = modes(self.master)

        def own_terminal():
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            if preexec:
                preexec()

        self.process = subprocess.Popen(self.argv, stdin=slave if stdin is None else stdin, stdout=slave,
                                        stderr=slave if stderr is None else stderr, cwd=self.cwd, env=environment,
                                        start_new_session=True, preexec_fn=own_terminal, pass_fds=(slave,))
        os.close(slave)
        self.seen = bytearray()     # everything, for screen() and for reports
        self.unread = bytearray()   # what no expect() has taken yet
        self.ended = False
        self.log = open(self.script + ".output", "wb", buffering=0)
        self.typed = open(self.script + ".input", "wb", buffering=0)
        folder.terminals.append(self)

    # What the user does.
    def type(self, text):
        """Keys as they are, without an end of line."""
        data = text if isinstance(text, bytes) else text.encode()
        self.typed.write(data)
        while data:
            # Read meanwhile: a program that waits for its output to be taken does not take our input.
            _, writable, _ = select.select([self.master], [self.master], [], DEADLINE)
            if not writable:
                self._read(DEADLINE)
                continue
            data = data[os.write(self.master, data[:512]):]

    def send(self, line):
        self.type(line + "\n")

    def interrupt(self):
        self.type(b"\x03")

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close_master(self):
        """The terminal window is closed."""
        os.close(self.master)
        self.master, self.ended = -1, True

    # What the user sees.
    def _read(self, seconds):
        if self.ended:
            return False
        ready, _, _ = select.select([self.master], [], [], max(0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:             # EIO: nobody has the other side open
            data = b""
        if not data:
            self.ended = True
            return False
        self.log.write(data)
        self.seen += data
        self.unread += data
        return True

    def await_(self, found, what, seconds=None):
        """Reads until found(unread) is not None; returns what it gave."""
        deadline = time.monotonic() + (DEADLINE if seconds is None else seconds)
        while True:
            result = found(self.unread)
            if result is not None:
                return result
            if not self._read(deadline - time.monotonic()):
                if found(self.unread) is not None:
                    continue
                raise Failure("%s; expected %s, got %r\nrun: %s\n%s" %
                              ("the command ended" if self.ended else "time is up", what, bytes(self.unread[-2000:]),
                               self.script, standing(self.folder.id)))

    def expect(self, wanted, seconds=None):
        """Waits for a text, or a compiled pattern of bytes; returns the output up to and including it."""
        if hasattr(wanted, "search"):
            def found(data):
                match = wanted.search(data)
                return match and match.end()
        else:
            text = wanted if isinstance(wanted, bytes) else wanted.encode()

            def found(data):
                at = data.find(text)
                return None if at < 0 else at + len(text)
        end = self.await_(found, repr(wanted), seconds)
        taken, self.unread = self.unread[:end], self.unread[end:]
        return taken.decode(errors="replace")

    def expect_end(self, seconds=None):
        """Waits until the command has ended; returns what it still printed, and keeps its status."""
        deadline = time.monotonic() + (DEADLINE if seconds is None else seconds)
        pidfd = os.pidfd_open(self.process.pid)
        try:
            while self.process.poll() is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Failure("still running; printed %r\nrun: %s" % (bytes(self.unread[-2000:]), self.script))
                fds = [pidfd] + ([] if self.ended else [self.master])
                ready, _, _ = select.select(fds, [], [], left)
                if self.master in ready:
                    self._read(0)
        finally:
            os.close(pidfd)
        while self._read(1):
            pass
        taken, self.unread = self.unread, bytearray()
        return taken.decode(errors="replace")

    @property
    def status(self):
        return self.process.returncode

    def screen(self, size=(24, 200)):
        return Screen(*size).feed(self.seen).lines()

    def kill(self):
        """Ends whatever is left; only for the clean-up after a test."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
        self.log.close()
        self.typed.close()


class Debugger(Terminal):
    """A terminal with a pdb at its other end, through fredapp or not."""

    prompt_pattern = PROMPT

    def prompt(self, seconds=None):
        """Waits for a prompt at the end of the output; returns what came before it."""
        def found(data):
            # Only the end: there may be megabytes before it.
            tail = max(0, len(data) - 64)
            match = self.prompt_pattern.search(data[tail:])
            return match and tail + match.start()
        end = self.await_(found, "a prompt", seconds)
        taken, self.unread = self.unread[:end], bytearray()
        return taken.decode(errors="surrogateescape")

    def do(self, line, seconds=None):
        """Types a command and returns its answer, without echo and prompt."""
        self.send(line)
        return self.answer(line, seconds)

    def answer(self, line, seconds=None):
        self.expect(line.encode() + b"\r\n", seconds)
        # The echo's end of line stays: a prompt that must begin a line can be told then.
        self.unread[:0] = b"\r\n"
        return self.prompt(seconds)[2:].replace("\r\n", "\n")

    def do_all(self, *lines):
        return [self.do(line) for line in lines]

    def quit(self):
        self.send("quit")
        self.expect(re.compile(rb"quit\r\n"))
        return self.expect_end()


class Fred(Debugger):
    def __init__(self, folder, *debugger, options=(), **how):
        super().__init__(folder, [FRED, *options, *debugger], **how)


def pdb(script, *args, python=None):
    """The command line of pdb for one of our programs."""
    path = script if os.path.isabs(script) else program(script)
    return [python or PYTHON, "-m", "pdb", path, *args]


class Batch:
    """What one `fredapp --batch` left: .out, .err, .status, and .answers: (command, answer) in order."""

    def __init__(self, out, err, status, script):
        self.out, self.err, self.status, self.script = out, err, status, script
        self.answers, command, lines = [], None, []
        for line in (out[:-1] if out.endswith("\n") else out).split("\n"):
            match = re.match(r"(?:\(Pdb\) |\(com\) |\.\.\. )(.*)", line)
            if match:
                self.answers.append((command, "\n".join(lines)))
                command, lines = match.group(1), []
            else:
                lines.append(line)
        self.answers.append((command, "\n".join(lines)))

    def answer(self, command, nth=0):
        found = [answer for text, answer in self.answers if text == command]
        if len(found) <= nth:
            raise Failure("no answer to %r in the transcript:\n%s\n%s\nrun: %s" %
                          (command, self.out, self.err, self.script))
        return found[nth]

    def __repr__(self):
        return "status %s\n--- stdout\n%s\n--- stderr\n%s\nrun: %s" % (self.status, self.out, self.err, self.script)


def run(folder, argv, env=None, cwd=None, stdin=subprocess.DEVNULL, seconds=None, **how):
    """Runs a command without a terminal; returns (stdout, stderr, status) as a Batch."""
    cwd = cwd or folder.work
    environment = folder.environment(env)
    script = folder.record(argv, environment, cwd)
    with subprocess.Popen(argv, stdin=stdin if not isinstance(stdin, bytes) else subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=cwd,
                          start_new_session=True, **how) as process:
        try:
            out, err = process.communicate(stdin if isinstance(stdin, bytes) else None,
                                           DEADLINE * 2 if seconds is None else seconds)
        except subprocess.TimeoutExpired as late:
            process.kill()
            # Whoever still holds the pipe is a survivor; do not wait for it.
            kill_survivors(folder.id)
            raise Failure("time is up; stdout %r stderr %r\nrun: %s" %
                          ((late.output or b"")[-3000:], (late.stderr or b"")[-3000:], script))
    out, err = out.decode(errors="surrogateescape"), err.decode(errors="surrogateescape")
    for name, text in ((".output", out), (".errors", err)):
        with open(script + name, "w", errors="surrogateescape") as file:
            file.write(text)
    return Batch(out, err, process.returncode, script)


def run_batch(folder, commands, *debugger, options=(), prefix=(), **how):
    """Runs commands through `fredapp --batch -x FILE -- DEBUGGER`."""
    path = os.path.join(folder.path, "script%d" % (folder.runs + 1))
    with open(path, "w") as file:
        file.write("".join(line + "\n" for line in commands))
    os.chmod(path, 0o644)
    return run(folder, [*prefix, FRED, "--batch", *options, "-x", path, "--", *debugger], **how)


def pythons():
    """{version: path} of the interpreters to test with; FRED_PYTHONS overrides (paths, separated by colons)."""
    named = os.environ.get("FRED_PYTHONS")
    if named is not None:
        candidates = [path for path in named.split(":") if path]
    else:
        versions = os.path.expanduser("~/.pyenv/versions")
        candidates = ["/usr/bin/python3"]
        folders = ["/usr/bin", "/usr/local/bin"] + [path for path in os.environ.get("PATH", "").split(":")
                                                    if path and "shims" not in path]
        if os.path.isdir(versions):
            folders += [os.path.join(versions, name, "bin") for name in sorted(os.listdir(versions))]
        for folder in folders:
            candidates += [os.path.join(folder, "python3.%d" % minor) for minor in range(8, 15)]
    found = {}
    for path in candidates:
        if not os.access(path, os.X_OK):
            continue
        try:
            version = subprocess.run([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                                     capture_output=True, text=True, timeout=30).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            continue
        if re.fullmatch(r"3\.\d+", version):
            found.setdefault(version, path)
    return found


def ordinary_user(folder, *programs):
    """What makes a command one of an ordinary user who has this folder; skips where he may not read what he needs."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not installed")
    for path in (FRED, *programs):
        while path != "/":
            if not os.stat(path).st_mode & (stat.S_IXOTH if os.path.isdir(path) else stat.S_IROTH):
                pytest.skip("an ordinary user may not read " + path)
            path = os.path.dirname(path)
    for path in (folder.home, folder.tmp, folder.work):
        os.chmod(path, 0o777)
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
            "--no-new-privs")


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
