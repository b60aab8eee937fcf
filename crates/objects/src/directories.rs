// SPDX-License-Identifier: GPL-2.0-or-later
//! Object directories: those of the registry, and `\Sessions` (spec 2.3 #3, 14 #17).

use crate::Protection;
use nt::access::Access;
use nt::failure::{Step, Stop, judge};
use nt::object::{Attributes, ObjectAttributes};
use nt::system::Objects;
use nt::{Owned, Result, UnicodeStr, wide};

const PERMANENT: Attributes = Attributes::CASE_INSENSITIVE
    .union(Attributes::OPENIF)
    .union(Attributes::PERMANENT);

/// Creates or opens the permanent directory `name`.
pub(crate) fn create<'s, S: Objects>(
    system: &'s S,
    name: UnicodeStr<'_>,
    security: &[u8],
) -> Result<Owned<'s, S>> {
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
pub fn object_directory<S: Objects>(system: &S, protection: Protection, name: UnicodeStr<'_>) {
    let for_everyone = name.eq_ascii("\\RPC Control") || name.eq_ascii("\\Windows");
    let security = if for_everyone {
        protection.liberal()
    } else {
        protection.primary()
    };
    if let Err(status) = create(system, name, security) {
        let _ = judge(Step::ObjectDirectory, name, status);
    }
}

/// Makes `\Sessions`, below which subsystem servers make the directories of their sessions. The
/// handle is to be kept.
///
/// # Errors
/// [`Stop`]: without it no session can be made.
pub fn sessions<S: Objects>(system: &S, protection: Protection) -> Result<Owned<'_, S>, Stop> {
    let name = wide!("\\Sessions");
    create(system, name, protection.primary()).map_err(|status| stop(Step::Sessions, name, status))
}

/// The stop that the table of failures gives for `step`.
pub(crate) fn stop(step: Step, object: UnicodeStr<'_>, status: nt::Status) -> Stop {
    judge(step, object, status)
        .err()
        .unwrap_or(Stop { step, status })
}
