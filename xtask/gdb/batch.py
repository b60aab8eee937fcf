# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands without a person: one after the other, until the first that fails or until the machine has ended.

GDB's own `-batch` goes on behind a command that failed and ends with the exit code of the last one: a mistyped command would pass."""
import os

import gdb

# What GDB says when the machine ends under it; that is the end that most runs want.
ENDED = ("Remote connection closed", "The program is not being run")


def run(command):
    """Runs one command; ends GDB with exit code 1 if it fails."""
    try:
        gdb.execute(command)
    except gdb.error as error:
        if any(text in str(error) for text in ENDED):
            return
        print("`%s` failed: %s" % (command, error), flush=True)
        gdb.flush(gdb.STDOUT)
        # Not gdb's `quit`: inside of a command it would ask about the machine first.
        os._exit(1)
