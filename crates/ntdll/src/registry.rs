// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, registry.
//!
//! The kernel delivers a value behind a header, in one buffer. That is the caller's own if it is
//! large enough for most values, and the value is then moved to its beginning; otherwise pages. A value
//! that does not fit there, but the caller's buffers, is asked for again with more pages.

use crate::Native;
use crate::convert::{Named, counted, done, handle, length, raw, read_u32, status};
use crate::imports::{
    NtCreateKey, NtDeleteValueKey, NtEnumerateValueKey, NtFlushKey, NtInitializeRegistry,
    NtOpenKey, NtQueryValueKey, NtSetValueKey,
};
use crate::memory::Pages;
use crate::objects::open;
use abi::key::{ValueFull, ValuePartial};
use core::mem::offset_of;
use nt::access::Access;
use nt::system::{Registry, RegistryBoot, ValueInformation, ValueType};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use ntapi::ntregapi::{KeyValueFullInformation, KeyValuePartialInformation};
use winapi::um::winnt::REG_OPTION_VOLATILE;
use zerocopy::IntoBytes;

const NEAR: usize = 0x400;

/// Where a kernel's answer has what, in bytes.
struct Fields {
    kind: usize,
    data_length: usize,
    /// Where it says how long the name is, and where that begins, if it gives one.
    name: Option<(usize, usize)>,
    /// Where it says where the data begins, or else where that is.
    data: Result<usize, usize>,
}

/// KEY_VALUE_PARTIAL_INFORMATION.
const PARTIAL: Fields = Fields {
    kind: offset_of!(ValuePartial, kind),
    data_length: offset_of!(ValuePartial, data_length),
    name: None,
    data: Err(size_of::<ValuePartial>()),
};

/// KEY_VALUE_FULL_INFORMATION.
const FULL: Fields = Fields {
    kind: offset_of!(ValueFull, kind),
    data_length: offset_of!(ValueFull, data_length),
    name: Some((offset_of!(ValueFull, name_length), size_of::<ValueFull>())),
    data: Ok(offset_of!(ValueFull, data_offset)),
};

/// Bytes of the longer header.
const HEADER: usize = size_of::<ValueFull>();

/// A call that answers into a buffer and says how many bytes it needs.
type Ask<'a> = dyn FnMut(&mut [u8], &mut u32) -> Result<Status> + 'a;

/// What `ask` answers, in the caller's buffers if it fits them.
#[inline(never)]
fn value(
    fields: &Fields,
    name: &mut [u16],
    data: &mut [u8],
    ask: &mut Ask<'_>,
) -> Result<ValueInformation> {
    // The kernel takes aligned buffers only.
    let in_place = data.len() >= NEAR && data.as_ptr().cast::<u32>().is_aligned();
    let mut pages = match in_place {
        true => None,
        false => Some(Pages::allocate(NEAR)?),
    };
    let room = data.len();
    loop {
        let buffer = match &mut pages {
            Some(pages) => pages.as_mut(),
            None => &mut *data,
        };
        if let Some(header) = buffer.first_chunk_mut() {
            *header = [0; HEADER];
        }
        let mut needed = 0;
        let answer = ask(buffer, &mut needed)?;
        let cut = answer == Status::BUFFER_OVERFLOW || answer == Status::BUFFER_TOO_SMALL;
        if !cut {
            answer.ok()?;
        }
        let number = |at| read_u32(buffer, at) as usize;
        let (name_bytes, name_at) = (fields.name).map_or((0, 0), |(bytes, at)| (number(bytes), at));
        let information = ValueInformation {
            kind: ValueType(read_u32(buffer, fields.kind)),
            name_units: name_bytes / 2,
            data_bytes: number(fields.data_length),
        };
        let name = name.get_mut(..information.name_units);
        let Some(name) = name.filter(|_| information.data_bytes <= room) else {
            return Ok(information);
        };
        if !cut {
            copy(buffer, name_at, name.as_mut_bytes())?;
            // A value without data may leave its offset unset.
            let from = match (information.data_bytes, fields.data) {
                (0, _) => 0,
                (_, Ok(at)) => number(at),
                (_, Err(at)) => at,
            };
            let end = from.saturating_add(information.data_bytes);
            if end > buffer.len() {
                return Err(Status::INVALID_PARAMETER);
            }
            match &pages {
                None => data.copy_within(from..end, 0),
                Some(pages) => {
                    let data = data.get_mut(..information.data_bytes);
                    copy(pages.as_ref(), from, data.unwrap_or_default())?;
                }
            }
            return Ok(information);
        }
        // A kernel that still says "too short" when given the length it asked for is not asked a third
        // time.
        if (needed as usize) <= buffer.len() {
            return Err(answer);
        }
        pages = Some(Pages::allocate(needed as usize)?);
    }
}

/// Copies `from[at..at + into.len()]` into `into`.
fn copy(from: &[u8], at: usize, into: &mut [u8]) -> Result<()> {
    let from = from.get(at..).and_then(|from| from.get(..into.len()));
    into.copy_from_slice(from.ok_or(Status::INVALID_PARAMETER)?);
    Ok(())
}

impl Registry for Native {
    fn open_key(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle> {
        // SAFETY: an opener.
        Ok(unsafe { open(NtOpenKey, attributes, access) }?.handle)
    }

    fn create_volatile_key(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        let mut named = Named::new(attributes)?;
        let mut key = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local, the attributes borrow from the caller for the
        // call; neither class nor disposition.
        let status = unsafe {
            NtCreateKey(
                &raw mut key,
                access.bits(),
                named.pointer(),
                0,
                core::ptr::null_mut(),
                REG_OPTION_VOLATILE,
                core::ptr::null_mut(),
            )
        };
        done(status)?;
        Ok(handle(key))
    }

    fn query_value(
        self,
        key: Handle,
        name: UnicodeStr<'_>,
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        let mut name = counted(name)?;
        value(&PARTIAL, &mut [], data, &mut |buffer, needed| {
            // SAFETY: the buffer is as long as said and outlives the call; the name borrows from
            // the caller, the length is the caller's own.
            Ok(status(unsafe {
                NtQueryValueKey(
                    raw(key),
                    &raw mut name,
                    KeyValuePartialInformation,
                    buffer.as_mut_ptr().cast(),
                    length(buffer.len())?,
                    needed,
                )
            }))
        })
    }

    fn enumerate_value(
        self,
        key: Handle,
        index: u32,
        name: &mut [u16],
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        value(&FULL, name, data, &mut |buffer, needed| {
            // SAFETY: the buffer is as long as said and outlives the call; the length is the caller's
            // own.
            Ok(status(unsafe {
                NtEnumerateValueKey(
                    raw(key),
                    index,
                    KeyValueFullInformation,
                    buffer.as_mut_ptr().cast(),
                    length(buffer.len())?,
                    needed,
                )
            }))
        })
    }

    fn set_value(
        self,
        key: Handle,
        name: UnicodeStr<'_>,
        kind: ValueType,
        data: &[u8],
    ) -> Result<()> {
        let mut name = counted(name)?;
        // SAFETY: name and data borrow from the caller for the call and are only read.
        done(unsafe {
            NtSetValueKey(
                raw(key),
                &raw mut name,
                0,
                kind.0,
                data.as_ptr().cast_mut().cast(),
                length(data.len())?,
            )
        })
    }

    fn delete_value(self, key: Handle, name: UnicodeStr<'_>) -> Result<()> {
        let mut name = counted(name)?;
        // SAFETY: the name borrows from the caller for the call.
        done(unsafe { NtDeleteValueKey(raw(key), &raw mut name) })
    }

    fn flush_key(self, key: Handle) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtFlushKey(raw(key)) })
    }

    fn initialize_registry(self, boot: RegistryBoot) -> Result<()> {
        let flag = match boot {
            RegistryBoot::Smss => 0,
            RegistryBoot::Raw(flag) => flag,
        };
        // SAFETY: takes no pointer.
        done(unsafe { NtInitializeRegistry(flag) })
    }
}
