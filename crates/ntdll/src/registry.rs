// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, registry.
//!
//! The kernel delivers a value behind a header, in one buffer. That is the caller's own if it is
//! large enough for most values, and the value is then moved to its beginning; otherwise pages. A value
//! that does not fit there, but the caller's buffers, is asked for again with more pages.

use crate::Native;
use crate::convert::{Named, counted, done, handle, length, raw, status};
use crate::imports::{
    NtCreateKey, NtDeleteValueKey, NtEnumerateValueKey, NtFlushKey, NtInitializeRegistry,
    NtOpenKey, NtQueryValueKey, NtSetValueKey,
};
use crate::memory::Pages;
use crate::objects::open;
use abi::key::ValueFull;
use nt::access::Access;
use nt::system::{Registry, RegistryBoot, ValueInformation, ValueType};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use ntapi::ntregapi::KeyValueFullInformation;
use winapi::shared::ntdef::{NTSTATUS, PVOID};
use winapi::um::winnt::REG_OPTION_VOLATILE;
use zerocopy::{FromBytes, IntoBytes};

const NEAR: usize = 0x400;

/// A call that answers with KEY_VALUE_FULL_INFORMATION into so many bytes, and says how many it needs.
type Ask<'a> = dyn FnMut(PVOID, u32, &mut u32) -> NTSTATUS + 'a;

/// What `ask` answers, in the caller's buffers if it fits them. Without room for a name there is none.
#[inline(never)]
fn value(name: &mut [u16], data: &mut [u8], ask: &mut Ask<'_>) -> Result<ValueInformation> {
    // The kernel takes aligned buffers only.
    let in_place = data.len() >= NEAR && data.as_ptr().cast::<u32>().is_aligned();
    let mut pages = match in_place {
        true => None,
        false => Some(Pages::allocate(NEAR)?),
    };
    let (into, room) = (data.as_mut_ptr(), data.len());
    loop {
        let buffer = match &mut pages {
            Some(pages) => pages.as_mut(),
            // SAFETY: these are `data`, which is reached in this way alone.
            None => unsafe { core::slice::from_raw_parts_mut(into, room) },
        };
        if let Some(header) = buffer.first_chunk_mut() {
            *header = [0; size_of::<ValueFull>()];
        }
        // A kernel gives no value of 4 GB.
        let (bytes, mut needed) = (buffer.len().min(u32::MAX as usize) as u32, 0);
        let answer = status(ask(buffer.as_mut_ptr().cast(), bytes, &mut needed));
        let cut = answer == Status::BUFFER_OVERFLOW || answer == Status::BUFFER_TOO_SMALL;
        if !cut {
            answer.ok()?;
        }
        let (header, _) =
            ValueFull::read_from_prefix(buffer).map_err(|_| Status::INVALID_PARAMETER)?;
        let name_bytes = if name.is_empty() {
            0
        } else {
            header.name_length
        };
        let information = ValueInformation {
            kind: ValueType(header.kind),
            name_units: name_bytes as usize / 2,
            data_bytes: header.data_length as usize,
        };
        let name = name.get_mut(..information.name_units);
        let Some(name) = name.filter(|_| information.data_bytes <= room) else {
            return Ok(information);
        };
        if !cut {
            let units = part(buffer, size_of::<ValueFull>(), name.len() * 2)?;
            name.as_mut_bytes().copy_from_slice(units);
            // A value without data may leave its offset unset.
            let from = match header.data_length {
                0 => 0,
                _ => header.data_offset as usize,
            };
            let value = part(buffer, from, information.data_bytes)?.as_ptr();
            // SAFETY: so many bytes are there, and there is room for them; the two may overlap.
            unsafe { core::ptr::copy(value, into, information.data_bytes) };
            return Ok(information);
        }
        // A kernel that still says "too short" when given the length it asked for is not asked a third
        // time.
        if needed <= bytes {
            return Err(answer);
        }
        pages = Some(Pages::allocate(needed as usize)?);
    }
}

/// `bytes` bytes from `at` on.
fn part(buffer: &[u8], at: usize, bytes: usize) -> Result<&[u8]> {
    let rest = buffer.get(at..).and_then(|rest| rest.get(..bytes));
    rest.ok_or(Status::INVALID_PARAMETER)
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
        let mut named = Named::new(attributes);
        let mut key = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local, the attributes borrow from the caller for the
        // call; neither class nor disposition.
        let status = unsafe {
            NtCreateKey(
                &raw mut key,
                access.bits(),
                named.pointer()?,
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
        value(&mut [], data, &mut |buffer, bytes, needed| {
            // SAFETY: the buffer is as long as said and outlives the call; the name borrows from
            // the caller, the length is the caller's own.
            unsafe {
                NtQueryValueKey(
                    raw(key),
                    name.pointer(),
                    KeyValueFullInformation,
                    buffer,
                    bytes,
                    needed,
                )
            }
        })
    }

    fn enumerate_value(
        self,
        key: Handle,
        index: u32,
        name: &mut [u16],
        data: &mut [u8],
    ) -> Result<ValueInformation> {
        value(name, data, &mut |buffer, bytes, needed| {
            // SAFETY: the buffer is as long as said and outlives the call; the length is the caller's
            // own.
            unsafe {
                NtEnumerateValueKey(
                    raw(key),
                    index,
                    KeyValueFullInformation,
                    buffer,
                    bytes,
                    needed,
                )
            }
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
                name.pointer(),
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
        done(unsafe { NtDeleteValueKey(raw(key), name.pointer()) })
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
