// SPDX-License-Identifier: GPL-2.0-or-later
//! Opening and making a file for synchronous use: every request waits until it is done.

use crate::access::{Access, OpenOptions, Share};
use crate::system::{Files, Objects};
use crate::{Handle, ObjectAttributes, Owned, Result};

/// Opens the file or directory that `attributes` names.
///
/// # Errors
/// What the kernel says.
#[inline(never)]
pub fn open<S: Objects + Files>(
    system: S,
    attributes: &ObjectAttributes<'_>,
    access: Access,
    share: Share,
    options: OpenOptions,
) -> Result<Owned<S>> {
    synchronous(system, access, options, |access, options| {
        system.open_file(attributes, access, share, options)
    })
}

/// Opens the file that `attributes` names, or makes it, empty, if it is not there.
///
/// # Errors
/// What the kernel says.
#[inline(never)]
pub fn create<S: Objects + Files>(
    system: S,
    attributes: &ObjectAttributes<'_>,
    access: Access,
    share: Share,
    options: OpenOptions,
) -> Result<Owned<S>> {
    synchronous(system, access, options, |access, options| {
        system.create_file(attributes, access, share, options)
    })
}

/// What `ask` gives for this access and these options, and what makes requests wait.
fn synchronous<S: Objects>(
    system: S,
    access: Access,
    options: OpenOptions,
    ask: impl FnOnce(Access, OpenOptions) -> Result<Handle>,
) -> Result<Owned<S>> {
    let handle = ask(
        access | Access::SYNCHRONIZE,
        options | OpenOptions::SYNCHRONOUS_IO_NONALERT,
    )?;
    Ok(Owned::new(system, handle))
}
