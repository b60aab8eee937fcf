# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine that is debugged: its registers, the width of its words, and its memory.

A register goes by its name of 64 bits everywhere in these scripts. Which registers a frame really has depends on the processor and on how
GDB sees it (`view`): `register` and `keep` find out.

Environment: `SMSS_ARCH`, `i386` if the programs that are debugged have 32 bits; `SMSS_KERNEL`, `shim` if the kernel is ours, which is one
of 64 bits whatever its programs are."""
import os
import struct

import gdb

SHIM = os.environ.get("SMSS_KERNEL") == "shim"
WIDE_PROGRAMS = os.environ.get("SMSS_ARCH") != "i386"
WIDE_PROCESSOR = WIDE_PROGRAMS or SHIM

# Bytes of what the processor pushes, and of a program's pointer.
WORD = 8 if WIDE_PROCESSOR else 4
POINTER = 8 if WIDE_PROGRAMS else 4
MASK = (1 << 8 * WORD) - 1
REGISTERS = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
# Those that a processor of 32 bits has as well, and how it calls them.
NARROW = {"r" + name: "e" + name for name in "ax cx dx bx sp bp si di ip".split()}
# How GDB calls the upper half of such a register of a processor of 64 bits that it sees as one of 32.
HIGH = "_high"

# Where the environment block of a thread has the address of its process', and that one the image's base.
BLOCK, PROCESS, IMAGE_BASE = ("$gs_base", 0x60, 0x10) if WIDE_PROGRAMS else ("$fs_base", 0x30, 0x08)


def memory(address, count):
    """Bytes of the process that runs."""
    return bytes(gdb.selected_inferior().read_memory(address, count))


def u32(address):
    return struct.unpack("<I", memory(address, 4))[0]


def word(address, size=WORD):
    """A register that was pushed, or a pointer of the program's `size`."""
    return int.from_bytes(memory(address, size), "little")


def seen_wide(architecture):
    """Whether GDB sees the processor as one of 64 bits."""
    return architecture.name() == "i386:x86-64"


def parts(frame, name):
    """The registers of a frame that hold the one of this name, each with the place of its lowest bit."""
    if seen_wide(frame.architecture()):
        return [(name, 0)]
    low = [(NARROW[name], 0)] if name in NARROW else []
    if not WIDE_PROCESSOR:
        return low
    return low + [(name + HIGH, 32)] if low else [(name, 0)]


def register(frame, name):
    """The value of a register as a number without a sign."""
    values = ((frame.read_register(part), place) for part, place in parts(frame, name))
    return sum((int(value) & (1 << 8 * value.type.sizeof) - 1) << place for value, place in values)


def keep(unwound, frame, name, value):
    """Says what a register is in the caller of `frame`."""
    for part, place in parts(frame, name):
        kind = frame.read_register(part).type
        unwound.add_saved_register(part, gdb.Value(value >> place & (1 << 8 * kind.sizeof) - 1).cast(kind))


def ring():
    """The privilege level that the processor is at."""
    return int(gdb.newest_frame().read_register("cs")) & 3


def is_kernel(pc):
    """Whether an address is one of the kernel's: the upper half, but for a 32-bit kernel that was given less."""
    return bool(pc >> (8 * WORD - 1))
