"""Debugs SCRIPT with a pdb whose prompt has colours, as that of Python 3.14.

Usage: coloured_prompt.py SCRIPT ARGUMENTS"""
# SPDX-License-Identifier: GPL-3.0-or-later
import pdb
import sys


class ColouredPdb(pdb.Pdb):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.prompt = "\x1b[1m(Pdb)\x1b[0m "


pdb.Pdb = ColouredPdb
sys.argv[1:1] = []
pdb.main()
