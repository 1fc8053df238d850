"""Says and asks what the debugger says and asks."""  # SPDX-License-Identifier: GPL-3.0-or-later
import sys
import time

sys.stdout.write("(Pdb) ")
sys.stdout.flush()
first = input("(Pdb) ")
print("first", first)
sys.stdout.write("> fake.py(1)<module>()\n-> nothing\n(Pdb) ")
sys.stdout.flush()
time.sleep(0.3)
second = input("(Pdb) ")
print("second", second)
end = True
