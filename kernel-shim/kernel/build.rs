// SPDX-License-Identifier: GPL-2.0-or-later
//! Hands the linker script to the linker.

fn main() {
    println!("cargo::rerun-if-changed=kernel.ld");
    // Relative, to the workspace where the linker runs: a moved checkout keeps this script's output.
    println!("cargo::rustc-link-arg-bins=-Tkernel-shim/kernel/kernel.ld");
}
