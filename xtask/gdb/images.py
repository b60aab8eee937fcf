# SPDX-License-Identifier: GPL-2.0-or-later
"""Symbols of PE images as the kernel maps them.

The shim's kernel calls `debugger_image_loaded(name, length, base, process)` whenever an image is mapped; a breakpoint there that never stops
loads the image's debug file at the announced base, relocated images included. On another kernel the same is done by hand:
`nt-image FILE BASE`."""
import os
import struct

import gdb

FOLDER = os.environ.get("SMSS_IMAGES", "")
MASK = (1 << 64) - 1
STOP_AT_ENTRY = os.environ.get("SMSS_STOP_AT", "smss.exe")


def pe_facts(path):
    """Preferred base and entry point (relative) of a PE file."""
    with open(path, "rb") as file:
        head = file.read(4096)
    header = struct.unpack_from("<I", head, 0x3C)[0]
    entry = struct.unpack_from("<I", head, header + 24 + 16)[0]
    base = struct.unpack_from("<Q", head, header + 24 + 24)[0]
    return base, entry


LOADED = {}


def load(path, base):
    """Adds the symbols of the image file at `path`, mapped at `base`; gives the address of its entry point."""
    preferred, entry = pe_facts(path)
    if LOADED.get(path) != base:
        gdb.execute("add-symbol-file %s -o %#x" % (path, (base - preferred) & MASK), to_string=True)
        LOADED[path] = base
        print("image %s at %#x" % (os.path.basename(path), base))
    UNWIND(base)
    return base + entry


def UNWIND(base):
    """Makes backtraces go through the image; its tables are read when first needed, since it may not be mapped in this process."""
    import __main__

    unwinder = getattr(__main__, "UNWINDER", None)
    if unwinder is not None:
        unwinder.announce(base)


class ImageLoaded(gdb.Breakpoint):
    """The kernel's announcement of a mapped image; loads symbols and goes on."""

    def __init__(self):
        super().__init__("debugger_image_loaded", internal=True)
        self.stopped = False

    def stop(self):
        frame = gdb.selected_frame()
        value = lambda name: int(frame.read_register(name)) & MASK
        text = bytes(gdb.selected_inferior().read_memory(value("rdi"), value("rsi"))).decode("utf-8", "replace")
        name = text.replace("/", "\\").rsplit("\\", 1)[-1].lower()
        path = os.path.join(FOLDER, name + ".dbg")
        if os.path.exists(path):
            entry = load(path, value("rdx"))
            if name == STOP_AT_ENTRY and not self.stopped:
                self.stopped = True
                gdb.execute("thbreak *%#x" % entry)
        return False


class NtImage(gdb.Command):
    """nt-image FILE BASE: load the symbols of a PE image mapped at BASE."""

    def __init__(self):
        super().__init__("nt-image", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        path, base = gdb.string_to_argv(argument)
        load(path, int(gdb.parse_and_eval(base)) & MASK)


NtImage()
if os.environ.get("SMSS_KERNEL") == "shim":
    ImageLoaded()
