// SPDX-License-Identifier: GPL-2.0-or-later
//! DOS devices: the symbolic links of the registry in `\??` (spec 3.2).
//!
//! A link is permanent; one that exists already is replaced, and empty data removes it and
//! makes none (deviation D27: ReactOS makes a link to the root of the namespace if there was none).

use crate::Protection;
use nt::access::Access;
use nt::failure::{Attempt, Essential, Stop};
use nt::object::{Attributes, ObjectAttributes};
use nt::system::Objects;
use nt::{Handle, Owned, Result, Status, UnicodeStr, wide};

/// Opens `\??` and makes the links: names and targets. The directory's handle is to be kept (spec
/// 9.2 needs it again).
///
/// # Errors
/// [`Stop`] if the directory cannot be opened or a link not made.
#[inline(never)]
pub fn dos_devices<'v, S: Objects>(
    system: S,
    protection: Protection,
    links: impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)>,
) -> Result<Owned<S>, Stop> {
    let name = wide!("\\??");
    let directory = system.open_directory(&ObjectAttributes::named(name), Access::DIRECTORY_ALL);
    let directory = Owned::new(system, directory.or_stop(Essential::DosDevices, name)?);
    for (name, target) in links {
        let done = if target.is_empty() {
            remove(system, directory.get(), name)
        } else {
            replace(system, directory.get(), protection, name, target)
        };
        done.or_stop(Essential::DosDevices, name)?;
    }
    Ok(directory)
}

fn replace<S: Objects>(
    system: S,
    directory: Handle,
    protection: Protection,
    name: UnicodeStr<'_>,
    target: UnicodeStr<'_>,
) -> Result<()> {
    let mut more = Attributes::OPENIF;
    loop {
        let attributes = Attributes::CASE_INSENSITIVE | Attributes::PERMANENT | more;
        let attributes = ObjectAttributes::named(name)
            .under(directory)
            .with(attributes)
            .secured(protection.primary_defaulted());
        let link = system.create_symbolic_link(&attributes, Access::SYMBOLIC_LINK_ALL, target)?;
        let handle = Owned::new(system, link.handle);
        if !link.existed || more.is_empty() {
            return Ok(());
        }
        // Its last handle takes the old link's name with it.
        system.make_temporary(handle.get())?;
        more = Attributes::empty();
    }
}

fn remove<S: Objects>(system: S, directory: Handle, name: UnicodeStr<'_>) -> Result<()> {
    match system.open_symbolic_link(
        &ObjectAttributes::named(name).under(directory),
        Access::SYMBOLIC_LINK_ALL,
    ) {
        Ok(link) => {
            let link = Owned::new(system, link);
            system.make_temporary(link.get())
        }
        Err(Status::OBJECT_NAME_NOT_FOUND) => Ok(()),
        Err(status) => Err(status),
    }
}
