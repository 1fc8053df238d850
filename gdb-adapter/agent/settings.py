# SPDX-License-Identifier: GPL-3.0-or-later
# Breakpoints, displays and the like, as one string and back.


def settings_save():
    return ['']


def settings_load(saved):
    return []


requests.update({'s': settings_save, 'o': settings_load})
