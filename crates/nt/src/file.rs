// SPDX-License-Identifier: GPL-2.0-or-later
//! Opening a file for synchronous use.

use crate::access::{Access, OpenOptions, Share};
use crate::system::{Files, Objects};
use crate::{ObjectAttributes, Owned, Result};

/// Opens the file or directory that `attributes` names, such that every request waits until it is
/// done.
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
    let handle = system.open_file(
        attributes,
        access | Access::SYNCHRONIZE,
        share,
        options | OpenOptions::SYNCHRONOUS_IO_NONALERT,
    )?;
    Ok(Owned::new(system, handle))
}
