#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks what doc and compiler do not: who may include whom, a licence line in every file, no paths of one machine, no
file too long.

Usage: tests/lint.py; prints FILE:LINE: MESSAGE for each offence and ends with status 1 if there was one."""
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LONGEST = 500           # lines of a file; one idea each
OURS = ("base", "channel", "ckpt", "replay", "decompose", "fred", "pdb-adapter", "gdb-adapter")


def may_include(folder, file, header):
    """May FILE, which is in FOLDER or below, include HEADER (both are paths from the top)?"""
    place = os.path.dirname(header).split("/")[0]
    agent = folder + "/agent/"
    if file.startswith(agent):
        # It lives in another process, the debugger: what it shares with us is what is spoken.
        return header.startswith((agent, "channel/agent/")) or header == "channel/protocol.h"
    if "/agent/" in header:
        return False
    if place == folder or place == "base":
        return True
    if folder == "channel" or folder.endswith("-adapter"):
        return header in ("fred/adapter.h", "decompose/machine.h") or place == "channel" != folder
    if folder == "fred":
        session = re.fullmatch(r"fred/session.*\.[ch]", file)
        if place in ("ckpt", "replay"):
            # The public header only, and never together with decompose/ except in the session.
            return bool(session) and not header.endswith("_priv.h") or header in ("ckpt/ckpt.h", "replay/replay.h")
        return place == "decompose" or place.endswith("-adapter")
    return False


def includes(path):
    with open(os.path.join(TOP, path), errors="replace") as file:
        for number, line in enumerate(file, 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if match:
                yield number, match.group(1)


def check_includes(path, offend):
    folder = path.split("/")[0]
    if folder not in OURS or not path.endswith((".c", ".h")):
        return
    seen = {}
    for number, header in includes(path):
        full = header if header.split("/")[0] in OURS else os.path.normpath(os.path.join(os.path.dirname(path), header))
        if not full.split("/")[0] in OURS:
            continue                    # made by the build
        seen[full.split("/")[0]] = number
        if not may_include(folder, path, full):
            offend(path, number, "%s/ may not include %s (doc: style)" % (os.path.dirname(path), header))
    if folder == "fred" and "decompose" in seen and ("ckpt" in seen or "replay" in seen) \
            and not os.path.basename(path).startswith("session"):
        offend(path, seen["decompose"], "only fred/session*.c sees ckpt and decompose together")


def check_text(path, offend):
    if os.path.getsize(os.path.join(TOP, path)) == 0:
        return
    with open(os.path.join(TOP, path), errors="replace") as file:
        lines = file.read().split("\n")
    needs_licence = path.endswith((".c", ".h", ".py", ".sh", ".mk", ".1", ".7")) or lines[0].startswith("#!") \
        or os.path.basename(path) == "Makefile"
    if needs_licence and not any("SPDX-License-Identifier: GPL-3.0-or-later" in line for line in lines[:12]):
        offend(path, 1, "no SPDX-License-Identifier: GPL-3.0-or-later")
    if path.endswith((".c", ".h", ".py")) and len(lines) > LONGEST + 1:
        offend(path, LONGEST + 1, "more than %d lines: split it by theme" % LONGEST)
    for number, line in enumerate(lines, 1):
        # Homes and mounts of one machine; /root and /home alone may well be what a file is about.
        if re.search(r"/wo[r]k/\w|/home/\w+/|/ro[o]t/\.\w", line):
            offend(path, number, "path of one machine")
        if line.endswith((" ", "\t")) and path.endswith((".c", ".h", ".py")):
            offend(path, number, "blanks at the end of the line")


def main():
    offences = []

    def offend(path, number, message):
        offences.append(path)
        print("%s:%d: %s" % (path, number, message))
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, check=True, capture_output=True,
                           text=True).stdout.split("\n")
    for path in filter(None, files):
        if os.path.isfile(os.path.join(TOP, path)):
            check_includes(path, offend)
            check_text(path, offend)
    for page in [path for path in files if re.fullmatch(r"man/.*\.[17]", path)]:
        if not shutil.which("groff"):
            print("%s: not checked: no groff here" % page)
            continue
        done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", "-z", page], cwd=TOP, capture_output=True, text=True)
        if done.stderr or done.returncode:
            offend(page, 1, "groff: " + done.stderr.strip())
    if shutil.which("cppcheck"):
        folders = [folder for folder in OURS if os.path.isdir(os.path.join(TOP, folder))]
        done = subprocess.run(["cppcheck", "-q", "--error-exitcode=3", "--enable=warning,portability", "--inline-suppr",
                               "--suppress=missingInclude", "--suppress=internalAstError",
                               "--suppress=ctuuninitvar",
                               # Not -Ibuild: the agents' Python, a number each byte, takes it minutes to read.
                               # cppcheck 2.10 knows no __VA_OPT__, and takes each call for one that keeps its argument.
                               "--suppress=syntaxError", "--suppress=returnDanglingLifetime", "-I.", "-D__x86_64__", *folders], cwd=TOP)
        if done.returncode:
            offend("cppcheck", 0, "see above")
    else:
        print("cppcheck is not installed: not run")
    print("lint: %d offence%s" % (len(offences), "" if len(offences) == 1 else "s"))
    return 1 if offences else 0


sys.exit(main())
