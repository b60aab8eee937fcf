// SPDX-License-Identifier: GPL-2.0-or-later
//! autochk.exe: shows what it was asked to check, looks whether the system's volume can be read, and
//! says that it looks no further: it stands in for a system's own. Without arguments it ends at once
//! with status 1, as the original does (spec 8.4).

use crate::arguments::{after, words};
use crate::{Statics, screen};
use nt::access::{Access, OpenOptions, Share};
use nt::system::System;
use nt::{ObjectAttributes, Result, Status, file, wide};

/// The program.
pub fn main<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    let line = system.own_command_line();
    if words(line).next().is_none() {
        return Status::new(1);
    }
    screen::show(system, format_args!("autochk: {}", after(line, 1)));
    match sizes(system) {
        Ok((whole, free)) => screen::show(
            system,
            format_args!(
                "The system's volume can be read: {} MB, {} MB of it free.",
                whole >> 20,
                free >> 20
            ),
        ),
        Err(status) => screen::show(
            system,
            format_args!("The system's volume cannot be read: {status}."),
        ),
    }
    screen::show(
        system,
        format_args!("More is not checked: this autochk.exe is a stand-in."),
    );
    Status::SUCCESS
}

/// Bytes of the system's volume, and how many of them are free.
fn sizes<S: System>(system: S) -> Result<(u64, u64)> {
    let root = file::open(
        system,
        &ObjectAttributes::named(wide!("\\SystemRoot")),
        Access::FILE_READ_ATTRIBUTES,
        Share::READ | Share::WRITE | Share::DELETE,
        OpenOptions::DIRECTORY_FILE,
    )?;
    let size = system.query_fs_size(root.get())?;
    let unit = u64::from(size.sectors_per_unit).saturating_mul(size.bytes_per_sector.into());
    Ok((
        size.total_units.saturating_mul(unit),
        size.available_units.saturating_mul(unit),
    ))
}
