# SPDX-License-Identifier: GPL-2.0-or-later
"""Backtraces through PE images: an x64 SEH unwinder for a GDB that has none.

PE images carry their unwind data in .pdata and .xdata, not as DWARF frames, so a plain GDB's bt, up and finish go wrong in them. This reads
the RUNTIME_FUNCTION table of a mapped image and follows UNWIND_INFO, the format of the public x64 ABI documentation.
Usage: seh-image BASE (where the PE is mapped)."""
import struct

import gdb
from gdb.unwinder import Unwinder, register_unwinder
from machine import MASK, REGISTERS, SHIM, WIDE_PROGRAMS, memory, register, word

# Unwind operations, and how many 16-bit slots each takes (operand 0, operand 1).
PUSH_NONVOL, ALLOC_LARGE, ALLOC_SMALL, SET_FPREG, SAVE_NONVOL, SAVE_NONVOL_FAR = range(6)
SLOTS = {0: (1, 1), 1: (2, 3), 2: (1, 1), 3: (1, 1), 4: (2, 2), 5: (3, 3), 8: (2, 2), 9: (3, 3), 10: (1, 1)}
CHAINED = 4


class Image:
    """One PE image and its function table. `read` gives bytes by relative address; from the file, they need not be paged in."""

    def __init__(self, base, read):
        header = struct.unpack("<I", read(0x3C, 4))[0]
        self.base = base
        self.read = read
        self.size = struct.unpack("<I", read(header + 24 + 56, 4))[0]
        rva, size = struct.unpack("<II", read(header + 24 + 112 + 3 * 8, 8))
        table = read(rva, size // 12 * 12) if size else b""
        self.functions = [entry for entry in struct.iter_unpack("<III", table) if entry[1]]

    def function(self, rva):
        low, high = 0, len(self.functions)
        while low < high:
            middle = (low + high) // 2
            begin, end, _ = self.functions[middle]
            if rva < begin:
                high = middle
            elif rva >= end:
                low = middle + 1
            else:
                return self.functions[middle]
        return None


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class SehUnwinder(Unwinder):
    """Unwinds frames whose program counter lies in a known image."""

    def __init__(self):
        super().__init__("smss-seh-x64")
        self.images = {}

    def add(self, base, read=None):
        """An image mapped at `base`; without `read` its tables are read from memory, now."""
        self.images[base] = Image(base, read or (lambda rva, count: memory(base + rva, count)))
        return self.images[base]

    def image_of(self, pc):
        known = next((image for image in self.images.values() if image.base <= pc < image.base + image.size), None)
        return known or (None if SHIM else self.discover(pc))

    def discover(self, pc):
        """On a kernel that announces no images: the one that has `pc`, if its header and its tables are in memory."""
        if pc >> 47:
            return None
        for base in range(pc & -0x10000, max(0, (pc & -0x10000) - (64 << 20)), -0x10000):
            try:
                if memory(base, 2) == b"MZ":
                    image = self.add(base)
                    return image if pc < base + image.size else None
            except gdb.MemoryError:
                continue
        return None

    def __call__(self, frame):
        pc = register(frame, "rip")
        image = self.image_of(pc)
        if image is None:
            return None
        values = {name: register(frame, name) for name in REGISTERS}
        saved = {}
        function = image.function(pc - image.base)
        start = image.base + function[0] if function else pc
        sp = self.undo_epilog(image, function, pc, values, saved)
        if sp is None:
            sp = self.undo_prolog(image, function, pc, values, saved)
        unwound = frame.create_unwind_info(FrameId(gdb.Value(sp + 8), gdb.Value(start)))
        for name in REGISTERS:
            if name == "rsp":
                continue
            current = frame.read_register(name)
            unwound.add_saved_register(name, gdb.Value(word(saved[name])).cast(current.type) if name in saved else current)
        unwound.add_saved_register("rsp", gdb.Value(sp + 8).cast(frame.read_register("rsp").type))
        unwound.add_saved_register("rip", gdb.Value(word(sp)).cast(frame.read_register("rip").type))
        return unwound

    @staticmethod
    def undo_epilog(image, function, pc, values, saved):
        """The address of the return address if only an epilog's instructions are left, else None: the unwind codes do not describe it."""
        if function is None:
            return values["rsp"]
        rva = pc - image.base
        code = image.read(rva, 40)
        sp, at, found = values["rsp"], 0, {}
        small, large = struct.unpack_from("<b", code, 3)[0], struct.unpack_from("<i", code, 3)[0]
        if code[:3] == b"\x48\x83\xc4":
            sp, at = sp + small, 4
        elif code[:3] == b"\x48\x81\xc4":
            sp, at = sp + large, 7
        elif code[:3] == b"\x48\x8d\x65":
            sp, at = values["rbp"] + small, 4
        elif code[:3] == b"\x48\x8d\xa5":
            sp, at = values["rbp"] + large, 7
        while True:
            high = code[at] == 0x41
            number = code[at + high] - 0x58
            if not 0 <= number < 8:
                break
            found[REGISTERS[number + 8 * high]] = sp
            sp, at = sp + 8, at + 1 + high
        jump = None
        if code[at] == 0xE9:
            jump = rva + at + 5 + struct.unpack_from("<i", code, at + 1)[0]
        elif code[at] == 0xEB:
            jump = rva + at + 2 + struct.unpack_from("<b", code, at + 1)[0]
        leaves = jump is not None and not function[0] <= jump < function[1]
        if code[at] != 0xC3 and code[at:at + 2] != b"\xff\x25" and not leaves:
            return None
        saved.update(found)
        return sp

    @staticmethod
    def undo_prolog(image, function, pc, values, saved):
        """Follows the unwind codes; gives the address of the return address."""
        sp = values["rsp"]
        first = True
        while function:
            info = function[2]
            version_flags, prolog, count, frame = image.read(info, 4)
            codes = struct.unpack("<%dH" % count, image.read(info + 4, 2 * count))
            offset = pc - (image.base + function[0])
            in_prolog = first and offset < prolog
            done = lambda code: not in_prolog or (code & 0xFF) <= offset
            if frame & 15 and any(code >> 8 & 15 == SET_FPREG and done(code) for code in codes):
                sp = values[REGISTERS[frame & 15]] - (frame >> 4) * 16
            at = 0
            while at < count:
                code = codes[at]
                operation, operand = code >> 8 & 15, code >> 12
                if done(code):
                    if operation == PUSH_NONVOL:
                        saved[REGISTERS[operand]] = sp
                        values[REGISTERS[operand]] = word(sp)
                        sp += 8
                    elif operation == ALLOC_LARGE:
                        sp += codes[at + 1] * 8 if operand == 0 else codes[at + 1] | codes[at + 2] << 16
                    elif operation == ALLOC_SMALL:
                        sp += operand * 8 + 8
                    elif operation in (SAVE_NONVOL, SAVE_NONVOL_FAR):
                        where = codes[at + 1] * 8 if operation == SAVE_NONVOL else codes[at + 1] | codes[at + 2] << 16
                        saved[REGISTERS[operand]] = sp + where
                        values[REGISTERS[operand]] = word(sp + where)
                at += SLOTS.get(operation, (1, 1))[1 if operand else 0]
            chained = version_flags >> 3 & CHAINED
            function = struct.unpack("<III", image.read(info + 4 + (count + 1 & ~1) * 2, 12)) if chained else None
            first = False
        return sp


UNWINDER = SehUnwinder()
# Functions of 32 bits have their frames as DWARF, in their debug files.
if WIDE_PROGRAMS:
    register_unwinder(None, UNWINDER, replace=True)


class SehImage(gdb.Command):
    """seh-image BASE: unwind through the PE image mapped at BASE."""

    def __init__(self):
        super().__init__("seh-image", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        image = UNWINDER.add(int(gdb.parse_and_eval(argument)) & MASK)
        print("seh: image at %#x, %d functions" % (image.base, len(image.functions)))


SehImage()
