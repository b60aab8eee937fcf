# SPDX-License-Identifier: GPL-2.0-or-later
"""The way from the kernel back to what ran in ring 3.

A step of GDB that faults a page in or makes a system call ends at the first instruction of a handler. Whoever knows the caller of that
instruction sees a call there, and GDB steps over it."""
import os
import re
import struct

import gdb
from gdb.unwinder import Unwinder, register_unwinder
from machine import REGISTERS, WIDE_PROCESSOR, WORD, is_kernel, keep, memory, register, word

# The exceptions for which the processor pushes an error code.
ERROR_CODES = (8, 10, 11, 12, 13, 14, 17, 21, 29, 30)


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


def unwound_to(frame, pc, identity, caller, stack):
    """The frame of a handler: its caller has the same registers, but for these two."""
    unwound = frame.create_unwind_info(FrameId(gdb.Value(identity), gdb.Value(pc)))
    values = {name: register(frame, name) for name in REGISTERS}
    values.update(rsp=stack, rip=caller)
    for name, value in values.items():
        keep(unwound, frame, name, value)
    return unwound


def pushed(frame, pc, at):
    """The same, with what the processor pushed at `at`: program counter, code segment, flags, and the stack, which 32-bit processors push
    only where the ring changes."""
    same_ring = not WIDE_PROCESSOR and not word(at + WORD) & 3
    stack = at + 3 * WORD if same_ring else word(at + 3 * WORD)
    return unwound_to(frame, pc, at, word(at), stack)


class IdtUnwinder(Unwinder):
    """For a kernel without symbols: the first instruction of every handler of the interrupt descriptor table."""

    def __init__(self):
        super().__init__("smss-idt")
        self.handlers = {}

    def read_table(self):
        text = gdb.execute("monitor info registers", to_string=True)
        found = re.search(r"IDT=\s*([0-9a-f]+)\s+([0-9a-f]+)", text)
        if not found:
            return
        base, limit = (int(number, 16) for number in found.groups())
        table = memory(base, min(limit + 1, 4096))
        gate = 2 * WORD
        for vector in range(len(table) // gate):
            low, _, _, middle = struct.unpack_from("<4H", table, gate * vector)
            high = struct.unpack_from("<I", table, gate * vector + 8)[0] if WIDE_PROCESSOR else 0
            self.handlers.setdefault(low | middle << 16 | high << 32, vector)

    def __call__(self, frame):
        pc = register(frame, "rip")
        if not is_kernel(pc):
            return None
        if not self.handlers:
            self.read_table()
        vector = self.handlers.get(pc)
        if vector is None:
            return None
        return pushed(frame, pc, register(frame, "rsp") + (WORD if vector in ERROR_CODES else 0))


class TrapUnwinder(Unwinder):
    """The first instructions of the shim's way into the kernel."""

    def __init__(self):
        super().__init__("smss-trap")
        self.stubs, self.entry, self.system_call = (self.address(name) for name in ("trap_stubs", "trap_entry", "system_call_entry"))

    @staticmethod
    def address(symbol):
        text = gdb.execute("info address " + symbol, to_string=True)
        return int(next(word for word in text.replace(".", " ").split() if word.startswith("0x")), 16)

    def __call__(self, frame):
        pc, sp = register(frame, "rip"), register(frame, "rsp")
        if pc == self.system_call:
            return unwound_to(frame, pc, sp, register(frame, "rcx"), sp)
        if not self.stubs <= pc <= self.entry:
            return None
        vector, offset = (pc - self.stubs) // 16, (pc - self.stubs) % 16
        if pc == self.entry:
            at = sp + 16
        elif vector in ERROR_CODES:
            at = sp + (16 if offset else 8)
        else:
            at = sp + min(offset // 2, 2) * 8
        return pushed(frame, pc, at)


register_unwinder(None, TrapUnwinder() if os.environ.get("SMSS_KERNEL") == "shim" else IdtUnwinder(), replace=True)
