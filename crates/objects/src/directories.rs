// SPDX-License-Identifier: GPL-2.0-or-later
//! Object directories: those of the registry, and `\Sessions` (spec 2.3 #3, 14 #17).

use crate::Protection;
use nt::access::Access;
use nt::failure::{Attempt, Essential, Skippable, Stop};
use nt::object::{Attributes, ObjectAttributes};
use nt::system::Objects;
use nt::{Owned, Result, UnicodeStr, wide};

const PERMANENT: Attributes = Attributes::CASE_INSENSITIVE
    .union(Attributes::OPENIF)
    .union(Attributes::PERMANENT);

/// Creates or opens the permanent directory `name`.
pub(crate) fn create<S: Objects>(
    system: S,
    name: UnicodeStr<'_>,
    security: &[u8],
) -> Result<Owned<S>> {
    let attributes = ObjectAttributes::named(name)
        .with(PERMANENT)
        .secured(security);
    Ok(Owned::new(
        system,
        system
            .create_directory(&attributes, Access::DIRECTORY_ALL)?
            .handle,
    ))
}

/// Makes one directory of `ObjectDirectories`. A failure is reported and the boot goes on.
pub fn object_directory<S: Objects>(system: S, protection: Protection, name: UnicodeStr<'_>) {
    if name.is_empty() {
        // An empty string of the list names nothing.
        return;
    }
    let for_everyone = name.eq_ascii("\\RPC Control") || name.eq_ascii("\\Windows");
    let security = if for_everyone {
        protection.liberal()
    } else {
        protection.primary()
    };
    create(system, name, security).or_skip(Skippable::ObjectDirectory, name);
}

/// Makes `\Sessions`, below which subsystem servers make the directories of their sessions. The
/// handle is to be kept.
///
/// # Errors
/// [`Stop`]: without it no session can be made.
pub fn sessions<S: Objects>(system: S, protection: Protection) -> Result<Owned<S>, Stop> {
    let name = wide!("\\Sessions");
    create(system, name, protection.primary()).or_stop(Essential::Sessions, name)
}
