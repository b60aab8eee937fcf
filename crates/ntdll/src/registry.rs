// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, registry.
//!
//! The kernel delivers a value behind a header, in one buffer. A value of up to a kilobyte comes
//! through the stack in one call; a longer one, if it fits the caller's buffers, is asked for again
//! with pages.

use crate::Native;
use crate::convert::{Named, counted, done, handle, length, raw, read_u32, status};
use crate::objects::open;
use crate::scratch::{Buffer, Scratch};
use nt::access::Access;
use nt::system::{Registry, RegistryBoot, ValueInformation, ValueType};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use ntapi::ntregapi::{
    KeyValueFullInformation, KeyValuePartialInformation, NtCreateKey, NtDeleteValueKey,
    NtEnumerateValueKey, NtFlushKey, NtInitializeRegistry, NtOpenKey, NtQueryValueKey,
    NtSetValueKey,
};
use winapi::um::winnt::REG_OPTION_VOLATILE;

const NEAR: usize = 0x400;

/// Offsets in KEY_VALUE_PARTIAL_INFORMATION.
mod partial {
    use abi::key::ValuePartial;
    use core::mem::offset_of;

    pub(super) const TYPE: usize = offset_of!(ValuePartial, kind);
    pub(super) const DATA_LENGTH: usize = offset_of!(ValuePartial, data_length);
    pub(super) const DATA: usize = size_of::<ValuePartial>();
}

/// Offsets in KEY_VALUE_FULL_INFORMATION.
mod full {
    use abi::key::ValueFull;
    use core::mem::offset_of;

    pub(super) const TYPE: usize = offset_of!(ValueFull, kind);
    pub(super) const DATA_OFFSET: usize = offset_of!(ValueFull, data_offset);
    pub(super) const DATA_LENGTH: usize = offset_of!(ValueFull, data_length);
    pub(super) const NAME_LENGTH: usize = offset_of!(ValueFull, name_length);
    pub(super) const NAME: usize = size_of::<ValueFull>();
}

/// Whether the kernel says that the buffer was too short for all of it.
fn cut(answer: Status) -> bool {
    answer == Status::BUFFER_OVERFLOW || answer == Status::BUFFER_TOO_SMALL
}

/// Copies `from[at..at + into.len()]` into `into`.
fn copy(from: &[u8], at: usize, into: &mut [u8]) -> Result<()> {
    let end = at
        .checked_add(into.len())
        .ok_or(Status::INVALID_PARAMETER)?;
    into.copy_from_slice(from.get(at..end).ok_or(Status::INVALID_PARAMETER)?);
    Ok(())
}

impl Registry for Native {
    fn open_key(&self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle> {
        // SAFETY: an opener.
        Ok(unsafe { open(NtOpenKey, attributes, access) }?.handle)
    }

    fn create_volatile_key(
        &self,
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
        &self,
        key: Handle,
        name: UnicodeStr<'_>,
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        let mut name = counted(name)?;
        let mut near = Scratch::<NEAR>::new();
        let mut bytes = 0;
        loop {
            let mut storage = Buffer::new(&mut near, bytes)?;
            let buffer = storage.bytes();
            let first = buffer.as_mut_ptr();
            let mut needed = 0;
            // SAFETY: the buffer is as long as said and outlives the call; the name borrows from
            // the caller, the length is a live local.
            let answer = status(unsafe {
                NtQueryValueKey(
                    raw(key),
                    &raw mut name,
                    KeyValuePartialInformation,
                    first.cast(),
                    length(buffer.len())?,
                    &raw mut needed,
                )
            });
            if !cut(answer) {
                answer.ok()?;
            }
            let kind = ValueType(read_u32(buffer, partial::TYPE));
            let data_bytes = read_u32(buffer, partial::DATA_LENGTH) as usize;
            let information = ValueInformation {
                kind,
                name_units: 0,
                data_bytes,
            };
            let Some(data) = data.get_mut(..data_bytes) else {
                return Ok(information);
            };
            if !cut(answer) {
                copy(buffer, partial::DATA, data)?;
                return Ok(information);
            }
            // A kernel that still says "too short" when given the length it asked for is not
            // asked a third time.
            if (needed as usize) <= buffer.len() {
                return Err(answer);
            }
            bytes = needed as usize;
        }
    }

    fn enumerate_value(
        &self,
        key: Handle,
        index: u32,
        name: &mut [u16],
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        let mut near = Scratch::<NEAR>::new();
        let mut bytes = 0;
        loop {
            let mut storage = Buffer::new(&mut near, bytes)?;
            let buffer = storage.bytes();
            let first = buffer.as_mut_ptr();
            let mut needed = 0;
            // SAFETY: the buffer is as long as said and outlives the call; the length is a live
            // local.
            let answer = status(unsafe {
                NtEnumerateValueKey(
                    raw(key),
                    index,
                    KeyValueFullInformation,
                    first.cast(),
                    length(buffer.len())?,
                    &raw mut needed,
                )
            });
            if !cut(answer) {
                answer.ok()?;
            }
            let kind = ValueType(read_u32(buffer, full::TYPE));
            let data_bytes = read_u32(buffer, full::DATA_LENGTH) as usize;
            let name_units = read_u32(buffer, full::NAME_LENGTH) as usize / 2;
            let information = ValueInformation {
                kind,
                name_units,
                data_bytes,
            };
            let (Some(name), Some(data)) = (name.get_mut(..name_units), data.get_mut(..data_bytes))
            else {
                return Ok(information);
            };
            if !cut(answer) {
                let at = read_u32(buffer, full::DATA_OFFSET) as usize;
                // A value without data may leave its offset unset.
                if data_bytes != 0 {
                    copy(buffer, at, data)?;
                }
                for (unit, bytes) in name
                    .iter_mut()
                    .zip(buffer.get(full::NAME..).unwrap_or_default().chunks_exact(2))
                {
                    *unit = bytes
                        .first_chunk()
                        .map_or(0, |bytes| u16::from_le_bytes(*bytes));
                }
                return Ok(information);
            }
            if (needed as usize) <= buffer.len() {
                return Err(answer);
            }
            bytes = needed as usize;
        }
    }

    fn set_value(
        &self,
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

    fn delete_value(&self, key: Handle, name: UnicodeStr<'_>) -> Result<()> {
        let mut name = counted(name)?;
        // SAFETY: the name borrows from the caller for the call.
        done(unsafe { NtDeleteValueKey(raw(key), &raw mut name) })
    }

    fn flush_key(&self, key: Handle) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtFlushKey(raw(key)) })
    }

    fn initialize_registry(&self, boot: RegistryBoot) -> Result<()> {
        let flag = match boot {
            RegistryBoot::Smss => 0,
            RegistryBoot::Raw(flag) => flag,
        };
        // SAFETY: takes no pointer.
        done(unsafe { NtInitializeRegistry(flag) })
    }
}
