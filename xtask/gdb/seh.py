# SPDX-License-Identifier: GPL-2.0-or-later
"""Backtraces through PE images: an x64 SEH unwinder for a GDB that has none.

PE images carry their unwind data in .pdata and .xdata, not as DWARF frames, so a plain GDB's bt, up and finish go wrong in them. This reads
the RUNTIME_FUNCTION table of a mapped image and follows UNWIND_INFO, the format of the public x64 ABI documentation.
Usage: seh-image BASE (where the PE is mapped)."""
import struct

import gdb
from gdb.unwinder import Unwinder, register_unwinder

REGISTERS = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
MASK = (1 << 64) - 1

# Unwind operations, and how many 16-bit slots each takes (operand 0, operand 1).
PUSH_NONVOL, ALLOC_LARGE, ALLOC_SMALL, SET_FPREG, SAVE_NONVOL, SAVE_NONVOL_FAR = range(6)
SLOTS = {0: (1, 1), 1: (2, 3), 2: (1, 1), 3: (1, 1), 4: (2, 2), 5: (3, 3), 8: (2, 2), 9: (3, 3), 10: (1, 1)}
CHAINED = 4


def memory(address, count):
    return bytes(gdb.selected_inferior().read_memory(address, count))


def u32(address):
    return struct.unpack("<I", memory(address, 4))[0]


def u64(address):
    return struct.unpack("<Q", memory(address, 8))[0]


class Image:
    """One mapped PE image and its function table."""

    def __init__(self, base):
        header = base + u32(base + 0x3C)
        self.base = base
        self.size = u32(header + 24 + 56)
        rva, size = struct.unpack("<II", memory(header + 24 + 112 + 3 * 8, 8))
        table = memory(base + rva, size // 12 * 12) if size else b""
        self.functions = list(struct.iter_unpack("<III", table))

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
        self.announced = set()

    def announce(self, base):
        """Notes an image whose tables are read once it is seen mapped."""
        if base not in self.images:
            self.announced.add(base)

    def image_of(self, pc):
        for base in sorted(self.announced):
            try:
                self.images[base] = Image(base)
                self.announced.discard(base)
            except gdb.MemoryError:
                pass
        return next((image for image in self.images.values() if image.base <= pc < image.base + image.size), None)

    def __call__(self, frame):
        pc = int(frame.read_register("rip")) & MASK
        image = self.image_of(pc)
        if image is None:
            return None
        values = {name: int(frame.read_register(name)) & MASK for name in REGISTERS}
        saved = {}
        function = image.function(pc - image.base)
        start = image.base + function[0] if function else pc
        sp = self.undo_prolog(image, function, pc, values, saved)
        unwound = frame.create_unwind_info(FrameId(gdb.Value(sp + 8), gdb.Value(start)))
        for name in REGISTERS:
            if name == "rsp":
                continue
            current = frame.read_register(name)
            unwound.add_saved_register(name, gdb.Value(u64(saved[name])).cast(current.type) if name in saved else current)
        unwound.add_saved_register("rsp", gdb.Value(sp + 8).cast(frame.read_register("rsp").type))
        unwound.add_saved_register("rip", gdb.Value(u64(sp)).cast(frame.read_register("rip").type))
        return unwound

    @staticmethod
    def undo_prolog(image, function, pc, values, saved):
        """Follows the unwind codes; gives the address of the return address."""
        sp = values["rsp"]
        first = True
        while function:
            info = image.base + function[2]
            version_flags, prolog, count, frame = memory(info, 4)
            codes = struct.unpack("<%dH" % count, memory(info + 4, 2 * count))
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
                        values[REGISTERS[operand]] = u64(sp)
                        sp += 8
                    elif operation == ALLOC_LARGE:
                        sp += codes[at + 1] * 8 if operand == 0 else codes[at + 1] | codes[at + 2] << 16
                    elif operation == ALLOC_SMALL:
                        sp += operand * 8 + 8
                    elif operation in (SAVE_NONVOL, SAVE_NONVOL_FAR):
                        where = codes[at + 1] * 8 if operation == SAVE_NONVOL else codes[at + 1] | codes[at + 2] << 16
                        saved[REGISTERS[operand]] = sp + where
                        values[REGISTERS[operand]] = u64(sp + where)
                at += SLOTS.get(operation, (1, 1))[1 if operand else 0]
            chained = version_flags >> 3 & CHAINED
            function = struct.unpack("<III", memory(info + 4 + (count + 1 & ~1) * 2, 12)) if chained else None
            first = False
        return sp


UNWINDER = SehUnwinder()
register_unwinder(None, UNWINDER, replace=True)


class SehImage(gdb.Command):
    """seh-image BASE: unwind through the PE image mapped at BASE."""

    def __init__(self):
        super().__init__("seh-image", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        base = int(gdb.parse_and_eval(argument)) & MASK
        UNWINDER.images[base] = Image(base)
        gdb.invalidate_cached_frames()
        print("seh: image at %#x, %d functions" % (base, len(UNWINDER.images[base].functions)))


SehImage()
