# SPDX-License-Identifier: GPL-2.0-or-later
"""Pretty-printers: UNICODE_STRING and its kin, NTSTATUS, LIST_ENTRY.

The names of NTSTATUS codes are those of `crates/nt/src/status.rs`, read from there. A plain `NTSTATUS` is a number to Rust and to its debug
information; `nt-status CODE` names it."""
import os
import re

import gdb
import images
from machine import MASK

LIMIT = 0x7FFE
STATUSES = {}


def statuses():
    """Names by code."""
    if not STATUSES:
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "../../crates/nt/src/status.rs"), encoding="utf-8") as source:
            for name, code in re.findall(r"^\s+([A-Z0-9_]+) = (0x[0-9A-Fa-f_]+);", source.read(), re.M):
                STATUSES.setdefault(int(code.replace("_", ""), 16), "STATUS_" + name)
    return STATUSES


def status(code):
    """`STATUS_NAME (C0000034)`, or the code alone."""
    code &= 0xFFFFFFFF
    name = statuses().get(code)
    return "%s (%08X)" % (name, code) if name else "%08X" % code


def utf16(pointer, units):
    """The text at an address, quoted; a message if it cannot be read."""
    if units == 0:
        return '""'
    try:
        raw = images.read(int(pointer) & MASK, 2 * min(units, LIMIT))
    except gdb.MemoryError:
        return "<%d units at %#x, not mapped>" % (units, int(pointer) & MASK)
    return '"%s"' % raw.decode("utf-16-le", "replace")


class Text:
    """A printer made of a function."""

    def __init__(self, function, value):
        self.function = function
        self.value = value

    def to_string(self):
        return self.function(self.value)


def unicode_string(value):
    return "%s (Length %d, MaximumLength %d)" % (utf16(value["Buffer"], int(value["Length"]) // 2), value["Length"], value["MaximumLength"])


def slice_of_units(value):
    inner = value["__0"]
    return utf16(inner["data_ptr"], int(inner["length"]))


def heapless(value):
    inner = value["__0"]
    return utf16(inner["buffer"].address, int(inner["len"]))


def nt_status(value):
    return status(int(value["__0"]))


class ListEntry:
    """A LIST_ENTRY as the head of its list: the entries' addresses, as far as they are mapped and lead back."""

    def __init__(self, value):
        self.value = value

    def entries(self):
        head = int(self.value.address) & MASK
        at = int(self.value["Flink"]) & MASK
        found = []
        while at not in (head, 0) and at not in found and len(found) < 256:
            found.append(at)
            try:
                at = int.from_bytes(gdb.selected_inferior().read_memory(at, 8), "little")
            except gdb.MemoryError:
                break
        return found, at == head

    def to_string(self):
        found, closed = self.entries()
        flink, blink = (int(self.value[name]) & MASK for name in ("Flink", "Blink"))
        return "LIST_ENTRY {Flink %#x, Blink %#x}, %d entries%s" % (flink, blink, len(found), "" if closed else ", does not lead back")

    def children(self):
        return [("[%d]" % n, "%#x" % at) for n, at in enumerate(self.entries()[0])]


PRINTERS = {
    "UNICODE_STRING": lambda value: Text(unicode_string, value),
    "winapi::shared::ntdef::UNICODE_STRING": lambda value: Text(unicode_string, value),
    "nt::string::UnicodeStr": lambda value: Text(slice_of_units, value),
    "nt::status::Status": lambda value: Text(nt_status, value),
    "winapi::shared::ntdef::LIST_ENTRY": ListEntry,
    "winapi::um::winnt::LIST_ENTRY": ListEntry,
    "LIST_ENTRY": ListEntry,
}


def lookup(value):
    name = value.type.strip_typedefs().name or ""
    if name.startswith("nt::string::UnicodeBuf<"):
        return Text(heapless, value)
    make = PRINTERS.get(re.sub(r"<.*", "", name))
    return make(value) if make else None


class NtStatus(gdb.Command):
    """nt-status CODE: the name of an NTSTATUS."""

    def __init__(self):
        super().__init__("nt-status", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        print(status(int(gdb.parse_and_eval(argument))))


gdb.pretty_printers.append(lookup)
NtStatus()
