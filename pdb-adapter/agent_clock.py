# SPDX-License-Identifier: GPL-3.0-or-later
def clock_stopped(stop):
    return 0, True, stop.inside

def clock_forget():
    pass

def clock_can_go_on():
    return False
