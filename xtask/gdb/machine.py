# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine that is debugged: the names of its registers, the width of its words, and its memory.

Environment: `SMSS_ARCH`, `i386` if the processor has no more than 32 bits. An image of 32 bits on a processor of 64 is the image's affair,
not this module's."""
import os
import struct

import gdb

WIDE = os.environ.get("SMSS_ARCH") != "i386"
WORD = 8 if WIDE else 4
MASK = (1 << 8 * WORD) - 1
PC = "rip" if WIDE else "eip"
SP = "rsp" if WIDE else "esp"
REGISTERS = ("rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15" if WIDE else "eax ecx edx ebx esp ebp esi edi").split()

# Where the environment block of a thread has the address of its process', and that one the image's base.
BLOCK, PROCESS, IMAGE_BASE = ("$gs_base", 0x60, 0x10) if WIDE else ("$fs_base", 0x30, 0x08)


def memory(address, count):
    """Bytes of the process that runs."""
    return bytes(gdb.selected_inferior().read_memory(address, count))


def u32(address):
    return struct.unpack("<I", memory(address, 4))[0]


def word(address):
    """A pointer, or a register that was pushed."""
    return int.from_bytes(memory(address, WORD), "little")


def register(frame, name):
    """The value of a register as a number without a sign."""
    return int(frame.read_register(name)) & MASK


def ring():
    """The privilege level that the processor is at."""
    return int(gdb.newest_frame().read_register("cs")) & 3


def is_kernel(pc):
    """Whether an address is one of the kernel's: the upper half, but for a 32-bit kernel that was given less."""
    return bool(pc >> (8 * WORD - 1))
