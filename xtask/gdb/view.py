# SPDX-License-Identifier: GPL-2.0-or-later
"""A processor of 64 bits that runs a program of 32: GDB sees it as what runs at the moment.

Frames, registers and instructions of a program for i386 are those of an i386, while the shim's kernel is one of 64 bits. GDB takes a
machine for the one or the other by its description; there are two here, of the same bytes, and each stop chooses. In the narrow one a
register is there as its lower half, by the name that i386 has for it, with the upper one beside it (`rip` is `eip` and `rip_high`).

An address of the kernel is cut to its lower half in the narrow view: a breakpoint there is found by `alias`, which no program has, since
theirs end below 2 GB."""
import re
import tempfile

import gdb
from machine import HIGH, NARROW, SHIM, WIDE_PROGRAMS, ring, seen_wide

BOTH = SHIM and not WIDE_PROGRAMS


def alias(address):
    """Where GDB sees the program counter, in the narrow view, when it is at `address`; none where that makes no difference."""
    low = address & 0xFFFFFFFF
    return low if BOTH and low != address else None


def halves(description):
    """The same machine as one of 32 bits, whose registers lie in the same bytes."""
    lines, number = [], 0
    for line in description.replace("i386:x86-64", "i386").splitlines():
        found = re.match(r'(\s*<reg name=")(\w+)(" bitsize=")(\d+)(" type=")(\w+)(" regnum=")\d+(".*)', line)
        if found is None:
            lines.append(line)
            continue
        head, name, bits, size, kind, what, place, tail = found.groups()
        registers = [(name, size, what)]
        if name in NARROW:
            registers = [(NARROW[name], "32", what if what.endswith("_ptr") else "int32"), (name + HIGH, "32", "int32")]
        for register in registers:
            lines.append(head + register[0] + bits + register[1] + kind + register[2] + place + str(number) + tail)
            number += 1
    return "\n".join(lines) + "\n"


class View:
    """What GDB takes the processor for."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".xml", prefix="smss-i386-")
        text = gdb.execute("maint print xml-tdesc", to_string=True)
        self.file.write(halves(text[text.index("<?xml"):]))
        self.file.flush()
        # Registers by number are those of the other description.
        gdb.execute("set remote set-register-packet off", to_string=True)
        # The kernel's memory is read in either.
        gdb.execute("set remoteaddresssize 64")
        gdb.execute("set architecture auto", to_string=True)
        gdb.execute("define hook-continue\npython view.VIEW.narrow()\nend")
        gdb.events.stop.connect(self.stopped)

    @staticmethod
    def is_wide():
        return seen_wide(gdb.selected_inferior().architecture())

    def narrow(self):
        if self.is_wide():
            gdb.execute("set tdesc filename " + self.file.name, to_string=True)

    def wide(self):
        if not self.is_wide():
            gdb.execute("unset tdesc filename", to_string=True)

    def stopped(self, _):
        """Sees what has stopped as what it is, and shows it again if it was shown otherwise."""
        program = ring() == 3
        if program != self.is_wide():
            return
        if program:
            self.narrow()
        else:
            self.wide()
        gdb.execute("frame")


VIEW = View() if BOTH else None
