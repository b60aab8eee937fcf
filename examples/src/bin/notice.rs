// SPDX-License-Identifier: GPL-2.0-or-later
//! notice.exe: a program for BootExecute. It shows a text file on the boot screen before anything
//! else of user mode runs, and waits a moment so that it can be read.
//!
//! `cargo xtask run --file notice.txt=\notice.txt --program notice --arguments '\??\C:\notice.txt'`
//!
//! What a boot command has to go by: its command line is the value's text, it has no heap, no
//! console and no Win32, its volume may be about to be repaired, and the whole boot waits for it. So
//! it opens for reading only, bounds what it reads, and always ends.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use nt::access::{Access, OpenOptions, Share};
use nt::system::System;
use nt::{ObjectAttributes, Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};

/// Bytes of a file that are shown: more than a screen holds.
const SHOWN: usize = 4096;

/// How long the text stands before the boot goes on, milliseconds.
const PAUSE: u32 = 1000;

ntdll::program!(ntdll::Program {
    prefix: || "notice: ",
    fatal: ntdll::Fatal::EndProcess,
    main: |system| Status::from(notice(system)),
});

fn notice(system: impl System) -> Result<()> {
    let file = argument(system.own_command_line()).ok_or(Status::INVALID_PARAMETER)?;
    let mut text = [0; SHOWN];
    let count = read(system, file, &mut text).inspect_err(|status| {
        nt::error!("{file}: {status}");
    })?;
    for line in text
        .get(..count)
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
    {
        show(system, line)?;
    }
    nt::info!("{file}: {count} bytes shown");
    system.delay(PAUSE)
}

/// What follows the program's name: a path in the kernel's namespace.
fn argument(line: UnicodeStr<'_>) -> Option<UnicodeStr<'_>> {
    let (_name, rest) = line.token()?;
    rest.token().map(|(file, _)| file)
}

fn read(system: impl System, file: UnicodeStr<'_>, into: &mut [u8]) -> Result<usize> {
    let file = system.open_file(
        &ObjectAttributes::named(file),
        Access::FILE_READ_DATA.union(Access::SYNCHRONIZE),
        Share::READ,
        OpenOptions::NON_DIRECTORY_FILE.union(OpenOptions::SYNCHRONOUS_IO_NONALERT),
    )?;
    let file = Owned::new(system, file);
    match system.read_file(file.get(), 0, into) {
        // An empty file ends where it begins.
        Err(Status::END_OF_FILE) => Ok(0),
        read => read,
    }
}

/// One line on the boot screen; what is not ASCII is shown as a question mark.
fn show(system: impl System, line: &[u8]) -> Result<()> {
    let mut shown = UnicodeBuf::<{ SHOWN + 2 }>::new();
    for &byte in line.trim_ascii_end() {
        let visible = byte == b' ' || byte.is_ascii_graphic();
        shown.push_unit(u16::from(if visible { byte } else { b'?' }))?;
    }
    shown.push(wide!("\r\n"))?;
    system.display_string(shown.as_str())
}
