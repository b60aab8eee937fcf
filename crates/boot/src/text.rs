// SPDX-License-Identifier: GPL-2.0-or-later
//! Texts of bounded length out of the registry.

use nt::access::Access;
use nt::object::ObjectAttributes;
use nt::system::{Objects, Registry, ValueType};
use nt::{Handle, Owned, Result, Status, UnicodeStr};
use zerocopy::IntoBytes;

/// Units of the longest text that is looked at (spec 13.2).
pub(crate) const TEXT: usize = 512;

pub(crate) fn open_key<'s, S: Objects + Registry>(
    system: &'s S,
    name: UnicodeStr<'_>,
    access: Access,
) -> Result<Owned<'s, S>> {
    Ok(Owned::new(
        system,
        system.open_key(&ObjectAttributes::named(name), access)?,
    ))
}

/// The text of a value, up to its NUL if it has one.
///
/// # Errors
/// `OBJECT_TYPE_MISMATCH` if it is no text, `BUFFER_TOO_SMALL` if it is too long, or what the
/// kernel says.
pub(crate) fn text_value<'b, S: Registry>(
    system: &S,
    key: Handle,
    name: UnicodeStr<'_>,
    buffer: &'b mut [u16; TEXT],
) -> Result<UnicodeStr<'b>> {
    let information = system.query_value(key, name, buffer.as_mut_bytes())?;
    if !matches!(information.kind, ValueType::SZ | ValueType::EXPAND_SZ) {
        return Err(Status::OBJECT_TYPE_MISMATCH);
    }
    let text = buffer
        .get(..information.data_bytes / 2)
        .ok_or(Status::BUFFER_TOO_SMALL)?;
    Ok(UnicodeStr(text).until_nul())
}
