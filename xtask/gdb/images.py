# SPDX-License-Identifier: GPL-2.0-or-later
"""Symbols of PE images where the kernel maps them.

The shim's kernel calls `debugger_image_loaded(name, length, base, process)` for every image of a process; a breakpoint there that does not
stop loads the image's debug file at the announced base, so relocated images are found as well.

Commands: `nt-start [IMAGE]` runs until the entry point of an image in ring 3, smss.exe if none is named; `nt-image FILE BASE` loads symbols
by hand, on any kernel; `nt-find FILE` looks for a mapped image in the memory of the process that runs; `nt-break NAME` sets breakpoints at
a function, whatever its module and its generic arguments."""
import os
import re
import struct

import gdb
import seh
from machine import BLOCK, IMAGE_BASE, MASK, POINTER, PROCESS, memory, register, ring, u32, word
from view import alias

FOLDER = os.environ.get("SMSS_IMAGES", "")
PAGE = 0x1000
PE32_PLUS = 0x20B


class File:
    """A PE file: what it says of itself, and its bytes by relative address, whether they are mapped or not."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.path = path
        header = struct.unpack_from("<I", self.bytes, 0x3C)[0]
        self.stamp = struct.unpack_from("<I", self.bytes, header + 8)[0]
        count, optional = struct.unpack_from("<6xH12xH", self.bytes, header)
        self.entry = struct.unpack_from("<I", self.bytes, header + 24 + 16)[0]
        self.wide = struct.unpack_from("<H", self.bytes, header + 24)[0] == PE32_PLUS
        self.base = struct.unpack_from("<Q" if self.wide else "<4xI", self.bytes, header + 24 + 24)[0]
        sections = header + 24 + optional
        self.sections = [struct.unpack_from("<4I", self.bytes, sections + 40 * n + 8) for n in range(count)]

    def read(self, rva, count):
        """Bytes at a relative address; those a file does not have are zero."""
        for _, start, size, offset in self.sections:
            if start <= rva < start + size:
                return self.bytes[offset + rva - start:][:count].ljust(count, b"\0")
        return self.bytes[rva:rva + count].ljust(count, b"\0")


class Mapped:
    """An image whose symbols are loaded."""

    def __init__(self, name, file, base):
        self.name = name
        self.file = file
        self.base = base

    @property
    def entry(self):
        return self.base + self.file.entry

    def body(self):
        """The entry point behind its prologue, where the arguments can be read; the entry point itself where no lines are known."""
        block = gdb.block_for_pc(self.entry)
        if block is None or block.function is None:
            return self.entry
        lines = sorted(line.pc for line in block.function.symtab.linetable() if self.entry < line.pc < block.function.value().address + 256)
        return lines[0] if lines else self.entry


MAPPED = {}


def read(address, count):
    """Bytes of the process that runs; those of a loaded image also before they are paged in, as its file has them."""
    try:
        return memory(address, count)
    except gdb.MemoryError:
        for mapped in MAPPED.values():
            for _, start, size, _ in mapped.file.sections:
                if mapped.base + start <= address and address + count <= mapped.base + start + size:
                    return mapped.file.read(address - mapped.base, count)
        raise


def load(path, base):
    """Loads the symbols of the image file at `path`, mapped at `base`."""
    name = os.path.basename(path).lower().removesuffix(".dbg")
    known = MAPPED.get(name)
    if known is None or known.base != base:
        file = File(path)
        if known is not None:
            gdb.execute("remove-symbol-file -a %#x" % known.entry, to_string=True)
        gdb.execute("add-symbol-file %s -o %#x" % (path, (base - file.base) & MASK), to_string=True)
        MAPPED[name] = Mapped(name, file, base)
        if file.wide:
            seh.UNWINDER.add(base, file.read)
        gdb.invalidate_cached_frames()
        print("image %s at %#x%s" % (name, base, "" if base == file.base else ", relocated from %#x" % file.base))
    return MAPPED[name]


def debug_file(name):
    """The debug file of an image by its name; None if there is none."""
    path = os.path.join(FOLDER, name + ".dbg")
    return path if os.path.exists(path) else None


class ImageLoaded(gdb.Breakpoint):
    """The kernel's announcement of an image: loads its symbols and goes on, unless `nt-start` waits for it."""

    wanted = None
    found = None

    def __init__(self, address):
        super().__init__("*%#x" % address, internal=True)
        self.silent = True

    def stop(self):
        frame = gdb.newest_frame()
        value = lambda name: register(frame, name)
        text = bytes(gdb.selected_inferior().read_memory(value("rdi"), value("rsi"))).decode("utf-8", "replace")
        name = text.replace("/", "\\").rsplit("\\", 1)[-1].lower()
        path = debug_file(name)
        if path is None:
            return False
        mapped = load(path, value("rdx"))
        if name != ImageLoaded.wanted:
            return False
        ImageLoaded.found = mapped
        return True


WATCH = None


def watch():
    """Follows the announcements of the shim's kernel, at the very first instruction: behind the prologue the arguments may have moved."""
    global WATCH
    text = gdb.execute("info address debugger_image_loaded", to_string=True)
    address = int(next(word for word in text.replace(".", " ").split() if word.startswith("0x")), 16)
    WATCH = [ImageLoaded(place) for place in (address, alias(address)) if place is not None]


class Start(gdb.Command):
    """nt-start [IMAGE]: run until the entry point of IMAGE (smss.exe) in ring 3."""

    def __init__(self):
        super().__init__("nt-start", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        name = argument.strip().lower() or "smss.exe"
        if WATCH is None:
            self.unannounced(name)
            return
        ImageLoaded.wanted, ImageLoaded.found = name, None
        gdb.execute("continue", to_string=True)
        found, ImageLoaded.wanted = ImageLoaded.found, None
        if found is None:
            raise gdb.GdbError("stopped before the image was mapped")
        gdb.Breakpoint("*%#x" % found.body(), type=gdb.BP_HARDWARE_BREAKPOINT, temporary=True, internal=True)
        gdb.execute("continue")

    @staticmethod
    def unannounced(name):
        """On a kernel that announces nothing: the entry point, reached in ring 3, wherever the image is mapped."""
        path = debug_file(name)
        if path is None:
            raise gdb.GdbError("no debug file of %s in %s" % (name, FOLDER))
        file = File(path)
        base = file.base
        with SharedDataWatch() as watch:
            while True:
                stop = gdb.Breakpoint("*%#x" % (base + file.entry), type=gdb.BP_HARDWARE_BREAKPOINT, internal=True)
                stop.silent = True
                gdb.execute("continue", to_string=True)
                here = register(gdb.newest_frame(), "rip")
                stop.delete()
                if here == base + file.entry and holds(base, file):
                    break
                if here != base + file.entry and not watch.hit():
                    raise gdb.GdbError("stopped at %#x before %s had started" % (here, name))
                mapped = process_image()
                if mapped is not None and holds(mapped, file):
                    base = mapped
                    watch.close()
                gdb.execute("stepi", to_string=True)
        mapped = load(path, base)
        gdb.Breakpoint("*%#x" % mapped.body(), type=gdb.BP_HARDWARE_BREAKPOINT, temporary=True, internal=True)
        gdb.execute("continue")


class SharedDataWatch:
    """Stops the machine whenever KUSER_SHARED_DATA is read at its ring-3 address: a loader does so before it enters the image."""

    def __enter__(self):
        language = gdb.parameter("language")
        gdb.execute("set language c")
        page = "*(unsigned char (*)[4096]) 0x7ffe0000"
        # Access, not read: GDB takes a read of something that has changed meanwhile for a write, and the page holds the time.
        self.watch = gdb.Breakpoint(page, type=gdb.BP_WATCHPOINT, wp_class=gdb.WP_ACCESS, internal=True)
        self.watch.silent = True
        gdb.execute("set language " + language)
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.watch is not None:
            self.watch.delete()
            self.watch = None

    def hit(self):
        """Whether this stop may be the watch's: it is set, and the processor is in ring 3."""
        return self.watch is not None and ring() == 3


def process_image():
    """Where the image of the process that runs is mapped, by its PEB; None outside ring 3 or before there is one."""
    if ring() != 3:
        return None
    try:
        block = word((int(gdb.parse_and_eval(BLOCK)) & MASK) + PROCESS, POINTER)
        return word(block + IMAGE_BASE, POINTER)
    except gdb.MemoryError:
        return None


class Image(gdb.Command):
    """nt-image FILE BASE: load the symbols of a PE image mapped at BASE."""

    def __init__(self):
        super().__init__("nt-image", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if len(words) != 2:
            raise gdb.GdbError("nt-image FILE BASE")
        load(words[0], int(gdb.parse_and_eval(words[1])) & MASK)


def holds(base, file):
    """Whether this file is mapped at `base`: its header says so, with the same time stamp and entry point."""
    try:
        if memory(base, 2) != b"MZ":
            return False
        header = base + u32(base + 0x3C)
        return memory(header, 4) == b"PE\0\0" and u32(header + 8) == file.stamp and u32(header + 24 + 16) == file.entry
    except gdb.MemoryError:
        return False


def find(path, around=None, pages=4096):
    """Looks for the mapped image of a file: at its preferred base, then downwards from an address inside it. None if it is not there."""
    file = File(path)
    if holds(file.base, file):
        return file.base
    if around is not None:
        for base in range(around & -0x10000, max(0, (around & -0x10000) - pages * PAGE), -0x10000):
            if holds(base, file):
                return base
    return None


class Find(gdb.Command):
    """nt-find FILE: load the symbols of a PE file where the process that runs has it mapped."""

    def __init__(self):
        super().__init__("nt-find", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        (path,) = gdb.string_to_argv(argument)
        base = find(path, register(gdb.newest_frame(), "rip"))
        if base is None:
            raise gdb.GdbError("not mapped in this process, or its header is paged out")
        load(path, base)


class Break(gdb.Command):
    """nt-break NAME: breakpoints at every function of this name; modules in front and generic arguments behind may be left out."""

    def __init__(self):
        super().__init__("nt-break", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        name = re.escape(argument.strip())
        wanted = re.compile(r"^(\d+):\s+(?:static )?fn (?:[^(]*::)?%s(?:<.*>)?\(" % name)
        file, places = "", set()
        for line in gdb.execute("info functions -q " + argument.strip().rsplit("::", 1)[-1], to_string=True).splitlines():
            if line.startswith("File "):
                file = line[5:].rstrip(":")
            elif wanted.match(line):
                places.add("%s:%s" % (file, wanted.match(line).group(1)))
        if not places:
            raise gdb.GdbError("no function %s in the images loaded so far" % argument)
        for place in sorted(places):
            gdb.Breakpoint(place)


Start()
Image()
Find()
Break()
