# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracle: steps through a whole program with a bare pdb and writes down every stop.

Usage: stops.py SCRIPT MOST EXPRESSION...; prints JSON, one object a stop: kind, line, function, depth, T, and for each
frame of the program from the outermost its activation, the values of the expressions (null: they raise), and which of them
need that frame: they name a variable of it, or ask for all of them."""
import json
import os
import pdb
import re
import sys


class Recorder(pdb.Pdb):
    def __init__(self, script, most, expressions):
        super().__init__(stdout=open(os.devnull, "w"), readrc=False)
        self.script, self.most, self.expressions = script, most, expressions
        self.stops, self.activations, self.kept, self.count = [], {}, [], 0
        self.kind = None

    def user_call(self, frame, argument_list):
        self.kind = "call"
        self.enter(frame)
        super().user_call(frame, argument_list)

    def user_line(self, frame):
        self.kind = "line"
        super().user_line(frame)

    def user_return(self, frame, value):
        self.kind = "return"
        super().user_return(frame, value)

    def user_exception(self, frame, info):
        self.kind = "exception"
        super().user_exception(frame, info)

    def enter(self, frame):
        self.count += 1
        self.activations[frame] = self.count

    def interaction(self, frame, *rest):
        frames, at = [], frame
        while at is not None and at.f_code.co_filename in (self.script, "<string>"):
            frames.insert(0, at)
            at = at.f_back
        for each in frames:
            if each not in self.activations:
                self.enter(each)
        stop = {"kind": self.kind, "line": frame.f_lineno, "function": frame.f_code.co_name, "depth": len(frames),
                "T": frame.f_globals.get("T"), "file": os.path.basename(frame.f_code.co_filename), "frames": []}
        for each in frames:
            values, variables = [], each.f_code.co_varnames + each.f_code.co_cellvars + each.f_code.co_freevars + ("dir",)
            for expression in self.expressions:
                try:
                    values.append(repr(eval(expression, each.f_globals, each.f_locals)))
                except Exception:
                    values.append(None)
            needs = [any(re.search(r"\b%s\b" % name, expression) for name in variables) for expression in self.expressions]
            stop["frames"].append([self.activations[each], values, needs])
        self.stops.append(stop)
        if len(self.stops) >= self.most:
            raise SystemExit
        self.set_step()


def main():
    script, most = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    recorder = Recorder(script, most, sys.argv[3:])
    sys.argv[:] = [script]
    try:
        if hasattr(pdb, "_ScriptTarget"):
            target = pdb._ScriptTarget(script)
            if hasattr(target, "check"):
                target.check()
            recorder._run(target)
        else:
            recorder._runscript(script)
    except SystemExit:
        pass
    sys.settrace(None)
    json.dump(recorder.stops, sys.stdout)


if __name__ == "__main__":
    # pdb empties the globals of __main__ for the program: work from a module of another name.
    import stops
    stops.main()
