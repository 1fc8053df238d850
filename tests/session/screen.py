# SPDX-License-Identifier: GPL-3.0-or-later
"""What a terminal shows after some output."""
import re


class Screen:
    """What a terminal of this size shows: as much of VT100 as readline and pdb use."""

    TOKEN = re.compile(r"\x1b\[([?0-9;]*)([@-~])|\x1b\][^\x07]*\x07|\x1b[()][0-9A-B]|\x1b[=>78M]|([\x00-\x1f\x7f])|([^\x00-\x1f\x7f])",
                       re.S)

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.row = self.column = 0
        self.cells = [[" "] * columns for _ in range(rows)]

    def feed(self, data):
        for match in self.TOKEN.finditer(data.decode(errors="replace")):
            argument, final, control, char = match.groups()
            if char:
                if self.column == self.columns:
                    self.column = 0
                    self.newline()
                self.cells[self.row][self.column] = char
                self.column += 1
            elif control == "\n":
                self.newline()
            elif control == "\r":
                self.column = 0
            elif control == "\b":
                self.column = max(0, self.column - 1)
            elif final and not argument.startswith("?"):
                self.sequence([int(n or 0) for n in argument.split(";")], final)
        return self

    def newline(self):
        if self.row == self.rows - 1:
            self.cells.append([" "] * self.columns)
            del self.cells[0]
        else:
            self.row += 1

    def sequence(self, numbers, final):
        n = max(1, numbers[0])
        if final == "A":
            self.row = max(0, self.row - n)
        elif final == "B":
            self.row = min(self.rows - 1, self.row + n)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + n)
        elif final == "D":
            self.column = max(0, self.column - n)
        elif final in "Hf":
            self.row = min(self.rows, n) - 1
            self.column = min(self.columns, max(1, numbers[1] if len(numbers) > 1 else 1)) - 1
        elif final == "J" and numbers[0] in (2, 3):
            self.cells = [[" "] * self.columns for _ in range(self.rows)]
        elif final in "JK":
            self.cells[self.row][self.column:] = [" "] * (self.columns - self.column)
            if final == "J":
                for row in range(self.row + 1, self.rows):
                    self.cells[row] = [" "] * self.columns
        elif final == "P":
            del self.cells[self.row][self.column:self.column + n]
            self.cells[self.row] += [" "] * (self.columns - len(self.cells[self.row]))
        elif final == "@":
            self.cells[self.row][self.column:self.column] = [" "] * n
            del self.cells[self.row][self.columns:]

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]
