"""Two tests, one of which fails: for pytest --pdb and --trace."""  # SPDX-License-Identifier: GPL-3.0-or-later


def drain(tank, amount):
    tank["level"] -= amount
    tank["drained"] = tank.get("drained", 0) + amount
    return tank


def test_small_amount():
    assert drain({"level": 5}, 2)["level"] == 3


def test_never_negative():
    tank = {"level": 5}
    for amount in (2, 2, 2):
        tank = drain(tank, amount)
    level = tank["level"]
    assert level >= 0
