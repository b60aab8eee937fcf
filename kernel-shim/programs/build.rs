// SPDX-License-Identifier: GPL-2.0-or-later
//! Gives every image the subsystem that the table of programs says, by reading the table where it stands.
//!
//! The target's own choice is native; the linker takes the last one it is told.

use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/lib.rs");
    if env::var_os("CARGO_FEATURE_NATIVE").is_none() {
        return;
    }
    let source = fs::read_to_string("src/lib.rs").expect("the table of programs");
    let table = source.split_once("\nprograms! {").expect("the table of programs").1;
    for row in table.lines().filter_map(|line| line.trim().strip_prefix('"')) {
        let (name, rest) = row.split_once(".exe\"").expect("a program's file name");
        let subsystem = match rest.split_whitespace().next() {
            Some("NATIVE") => continue,
            Some("WINDOWS_GUI") => "windows",
            Some("WINDOWS_CUI") => "console",
            other => panic!("{name}: subsystem {other:?}"),
        };
        println!("cargo::rustc-link-arg-bin={name}=--subsystem={subsystem}:5.02");
    }
}
