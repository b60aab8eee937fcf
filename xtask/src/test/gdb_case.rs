// SPDX-License-Identifier: GPL-2.0-or-later
//! The debugger under test: GDB, unattended, on the development images.
//!
//! It stops at smss.exe's entry in ring 3, at a function by file and line, steps, reads a local,
//! goes back through the frames, looks at the executive, and lets the system go on to its pass
//! exit. Judged by what GDB printed and by the machine's end.

use crate::arch::Arch;
use crate::build;
use crate::gdb::Session;
use crate::qemu::End;
use anyhow::{Context, Result, bail};
use std::time::Duration;

/// Name among the tests.
pub const NAME: &str = "gdb_steps_through_smss";

/// What GDB is told, and what its output must have for it. A command without an answer of its own
/// has an empty text.
const DIALOGUE: &[(&str, &str)] = &[
    ("nt-start", "smss::NtProcessStartup (peb=0x"),
    ("print peb != 0", "true"),
    (
        "print (*(*(peb as *mut ntapi::ntpebteb::PEB)).ProcessParameters).CommandLine",
        "\\SystemRoot\\System32\\smss.exe",
    ),
    (
        "print (*(*(peb as *mut ntapi::ntpebteb::PEB)).Ldr).InLoadOrderModuleList",
        "LIST_ENTRY {Flink 0x",
    ),
    // What finds a relocated image on a kernel that announces none.
    (
        "python print(images.process_image() == images.MAPPED['smss.exe'].base)",
        "True",
    ),
    ("tbreak smss::main", "Temporary breakpoint"),
    ("continue", "smss::main ("),
    ("bt", "in smss::NtProcessStartup (peb="),
    (
        "nt-break registry::boot_options::is_mini_nt",
        "boot_options.rs, line",
    ),
    ("continue", "is_mini_nt<ntdll::Native> ("),
    ("finish", "smss::boot<ntdll::Native>"),
    ("next", ""),
    ("next", ""),
    ("info locals", "mini_nt = false"),
    ("nt-status 0xC0000034", "STATUS_OBJECT_NAME_NOT_FOUND"),
    ("nt-processes", "smss.exe"),
    ("nt-threads", "smss.exe"),
    ("nt-handles smss", "\\SmApiPort"),
    ("nt-objects \\", "SymbolicLink"),
    ("nt-ports", "\\SmApiPort"),
    ("continue", ""),
];

/// What is asked of a program for i386 besides, at its entry: on the shim's processor of 64 bits it is
/// seen as on one of its own.
const I386: &[(&str, &str)] = &[
    ("show architecture", "(currently \"i386\")"),
    ("print sizeof(peb)", "= 4"),
    ("info frame", "eip = 0x"),
    ("info symbol $eip", "NtProcessStartup@4"),
];

/// And before the system is let go on: a stop in the kernel is seen as one of 64 bits.
const I386_KERNEL: &[(&str, &str)] = &[
    (
        "tbreak executive::services::dispatch",
        "Temporary breakpoint",
    ),
    ("continue", "executive::services::"),
    ("show architecture", "(currently \"i386:x86-64\")"),
    (
        "bt",
        "kernel::system::System::system_call (self=0xffffffff8",
    ),
];

/// Runs it, for the programs of a machine.
pub fn run(arch: Arch) -> Result<()> {
    let images = build::all(arch, true)?;
    let name = format!("gdb-test-{arch}");
    let mut session = Session::start(&images, &name, "exit=settled")?;
    let only: [&[(&str, &str)]; 2] = match arch {
        Arch::Amd64 => [&[], &[]],
        Arch::I386 => [I386, I386_KERNEL],
    };
    let (entry, after) = DIALOGUE.split_at(1);
    let (after, end) = after.split_at(after.len() - 1);
    let dialogue = || [entry, only[0], after, only[1], end].into_iter().flatten();
    let commands: Vec<String> = dialogue()
        .map(|(command, _)| (*command).to_owned())
        .collect();
    let output = session.batch(&commands)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let log = crate::paths::target().join(name).join("gdb.log");
    std::fs::write(
        &log,
        format!("{said}{}", String::from_utf8_lossy(&output.stderr)),
    )?;
    let mut rest = &*said;
    for (command, answer) in dialogue() {
        let at = rest.find(answer).with_context(|| {
            format!(
                "GDB did not answer `{command}` with `{answer}`; log: {}",
                log.display()
            )
        })?;
        rest = &rest[at + answer.len()..];
    }
    while session.machine.line(Duration::from_secs(60))?.is_some() {}
    match session.machine.judge()? {
        End::Pass => Ok(()),
        end => bail!(
            "the machine ended with {end:?} after the debugger had let it go; log: {}",
            log.display()
        ),
    }
}
