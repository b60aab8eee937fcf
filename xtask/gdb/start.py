# SPDX-License-Identifier: GPL-2.0-or-later
"""What GDB sources: everything that stands beside this file.

Environment: `SMSS_IMAGES`, the folder of the images' debug files (`NAME.dbg`, unstripped PE); `SMSS_KERNEL`, `shim` if the debugged kernel
is ours; `SMSS_ARCH`, the machine of the programs; `SMSS_RUST`, the toolchain's own GDB scripts (`lib/rustlib/etc`), which know Rust's collections."""
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.environ.get("SMSS_RUST", "")]
sys.dont_write_bytecode = True

import images
import printers
import seh
import traps
import view

if os.environ.get("SMSS_KERNEL") == "shim":
    images.watch()
    import nt
