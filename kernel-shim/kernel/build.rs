// SPDX-License-Identifier: GPL-2.0-or-later
//! Hands the linker script to the linker.

fn main() {
    println!("cargo::rerun-if-changed=kernel.ld");
    println!(
        "cargo::rustc-link-arg-bins=-T{}/kernel.ld",
        std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()
    );
}
