// SPDX-License-Identifier: GPL-2.0-or-later
//! Gives every image the subsystem that the table of programs says, by reading the table where it
//! stands, and a base of its own.
//!
//! The target's own choices are native and one base for all; the linker takes the last one it is
//! told. With bases of their own, an address in a log or at a breakpoint belongs to one image only,
//! whichever process it was seen in.

use std::{env, fs};

/// Base of the first program, and how far apart two are: above the Session Manager's, and farther
/// than any image with its symbols is long.
const FIRST_BASE: u64 = 0x1_5000_0000;
const DISTANCE: u64 = 0x0100_0000;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/lib.rs");
    if env::var_os("CARGO_FEATURE_NATIVE").is_none() {
        return;
    }
    let source = fs::read_to_string("src/lib.rs").expect("the table of programs");
    let table = source
        .split_once("\nprograms! {")
        .expect("the table of programs")
        .1;
    let rows = table
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"'));
    for (row, base) in rows.zip((FIRST_BASE..).step_by(DISTANCE as usize)) {
        let (name, rest) = row.split_once(".exe\"").expect("a program's file name");
        println!("cargo::rustc-link-arg-bin={name}=--image-base={base:#x}");
        let subsystem = match rest.split_whitespace().next() {
            Some("NATIVE") => continue,
            Some("WINDOWS_GUI") => "windows",
            Some("WINDOWS_CUI") => "console",
            other => panic!("{name}: subsystem {other:?}"),
        };
        println!("cargo::rustc-link-arg-bin={name}=--subsystem={subsystem}:5.02");
    }
}
