// SPDX-License-Identifier: GPL-2.0-or-later
//! Makes the system-call stubs out of the executive's table of services, and tells the linker to
//! make a DLL with the right exports.
//!
//! The table is the kernel's own source, so stubs and dispatcher cannot disagree about a number
//! (spec 13.3).

#[allow(dead_code, reason = "this script uses the table only")]
#[path = "../executive/src/services/table.rs"]
mod table;

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// Where the image wants to be: below the 8 TiB that NT 5.2 gives a process, where nothing else is
/// put. The kernel maps the DLL first into every address space, so that it gets this address.
const IMAGE_BASE: &str = "0x7ffb7000000";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=exports.txt");
    println!("cargo::rerun-if-changed=../executive/src/services/table.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    let mut stubs = String::new();
    let mut exports = String::from("LIBRARY ntdll.dll\nEXPORTS\n");
    exports.push_str(include_str!("exports.txt"));
    for service in &table::SERVICES {
        let bare = service
            .name
            .strip_prefix("Nt")
            .expect("a service is called Nt-something");
        writeln!(
            stubs,
            ".p2align 4\n.globl Nt{bare}\n.globl Zw{bare}\nNt{bare}:\nZw{bare}:\nmov r10, rcx\nmov eax, {}\nsyscall\nret",
            service.number
        )
        .expect("a string takes everything");
        writeln!(exports, "Nt{bare}\nZw{bare}").expect("a string takes everything");
    }
    fs::write(out.join("stubs.s"), stubs).expect("OUT_DIR is writable");
    let definition = out.join("ntdll.def");
    fs::write(&definition, exports).expect("OUT_DIR is writable");

    // Cargo calls it a binary; these make it a DLL without an entry point. The host never links it.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "windows") {
        for argument in [
            "--shared",
            "--entry=",
            &format!("--image-base={IMAGE_BASE}"),
            &definition.display().to_string(),
        ] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}
