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

/// Where the image wants to be: below the end of what NT 5.2 gives a process, 8 TiB or 2 GiB, where
/// nothing else is put. The kernel maps the DLL first into every address space, so that it gets this
/// address.
const IMAGE_BASE: &str = "0x7ffb7000000";
const IMAGE_BASE_I386: &str = "0x7d600000";

/// What only one machine's DLL exports.
const AMD64_EXPORTS: &str = "__C_specific_handler\n__chkstk\n";
const I386_EXPORTS: &str = "KiFastSystemCall\nKiFastSystemCallRet\nKiIntSystemCall\nRtlUnwind\n";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=exports.txt");
    println!("cargo::rerun-if-changed=../executive/src/services/table.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));

    let mut stubs = String::new();
    let mut exports = String::from("LIBRARY ntdll.dll\nEXPORTS\n");
    exports.push_str(include_str!("exports.txt"));
    let i386 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86");
    exports.push_str(if i386 { I386_EXPORTS } else { AMD64_EXPORTS });
    for service in &table::SERVICES {
        let bare = service
            .name
            .strip_prefix("Nt")
            .expect("a service is called Nt-something");
        stubs.push_str(&stub(service, bare, i386));
        writeln!(exports, "Nt{bare}\nZw{bare}").expect("a string takes everything");
    }
    fs::write(out.join("stubs.s"), stubs).expect("OUT_DIR is writable");
    let definition = out.join("ntdll.def");
    fs::write(&definition, exports).expect("OUT_DIR is writable");

    let base = if i386 { IMAGE_BASE_I386 } else { IMAGE_BASE };
    // Cargo calls it a binary; these make it a DLL without an entry point. The host never links it.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "windows") {
        for argument in [
            "--shared",
            "--entry=",
            &format!("--image-base={base}"),
            &definition.display().to_string(),
        ] {
            println!("cargo::rustc-link-arg-bins={argument}");
        }
    }
}

/// The stub of a service under both of its names. An i386 program calls what the shared data page
/// names, and takes the arguments off the stack; that nothing but a return address is above them is said for
/// those who walk the stack.
fn stub(service: &table::Service, bare: &str, i386: bool) -> String {
    let number = service.number;
    let (names, code) = if i386 {
        let bytes = 4 * service.arguments;
        (
            [format!("_Nt{bare}@{bytes}"), format!("_Zw{bare}@{bytes}")],
            format!(
                ".cfi_startproc\nmov eax, {number}\nmov edx, 0x7ffe0300\ncall dword ptr [edx]\nret {bytes}\n.cfi_endproc"
            ),
        )
    } else {
        (
            [format!("Nt{bare}"), format!("Zw{bare}")],
            format!("mov r10, rcx\nmov eax, {number}\nsyscall\nret"),
        )
    };
    let [nt, zw] = names;
    format!(".p2align 4\n.globl {nt}\n.globl {zw}\n{nt}:\n{zw}:\n{code}\n")
}
