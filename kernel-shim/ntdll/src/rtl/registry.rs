// SPDX-License-Identifier: GPL-2.0-or-later
//! RtlQueryRegistryValues: a table says which values are wanted, and a routine is called with each
//! (spec 2.1).
//!
//! Rules kept: a missing value takes the entry's default, fails if it is required, and is skipped
//! otherwise; a multi-string comes string by string, an expandable string expanded, unless the
//! entry says otherwise; `BUFFER_TOO_SMALL` of a routine is no failure; the first failure ends the
//! walk.

use super::environment::expand;
use crate::heap::{RtlAllocateHeap, handle};
use crate::support::{Owned, attributes, counted, done, status};
use alloc::vec;
use alloc::vec::Vec;
use nt::{Status, UnicodeStr, wide};
use ntapi::ntregapi::{
    KeyValueFullInformation, NtDeleteValueKey, NtEnumerateValueKey, NtOpenKey, NtQueryValueKey,
};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{HANDLE, NTSTATUS, PCWSTR, ULONG, UNICODE_STRING};
use winapi::um::winnt::{MAXIMUM_ALLOWED, REG_EXPAND_SZ, REG_MULTI_SZ, REG_NONE, REG_SZ};

type Routine = unsafe extern "system" fn(
    PCWSTR,
    ULONG,
    *const c_void,
    ULONG,
    *mut c_void,
    *mut c_void,
) -> NTSTATUS;

/// RTL_QUERY_REGISTRY_TABLE (spec 13.4).
#[repr(C)]
struct Entry {
    routine: Option<Routine>,
    flags: ULONG,
    name: PCWSTR,
    context: *mut c_void,
    default_type: ULONG,
    default_data: *const c_void,
    default_length: ULONG,
}

const _: () = assert!(size_of::<Entry>() == nt::by_width(0x38, 0x1C));

/// Flags of an entry.
mod flag {
    pub(super) const SUBKEY: u32 = 0x01;
    pub(super) const TOPKEY: u32 = 0x02;
    pub(super) const REQUIRED: u32 = 0x04;
    pub(super) const NOVALUE: u32 = 0x08;
    pub(super) const NOEXPAND: u32 = 0x10;
    pub(super) const DIRECT: u32 = 0x20;
    pub(super) const DELETE: u32 = 0x40;
}

/// `RTL_REGISTRY_HANDLE`: the path is a key handle; `RTL_REGISTRY_OPTIONAL`: a missing key is
/// not an error.
const RELATIVE_HANDLE: ULONG = 0x4000_0000;
const RELATIVE_FLAGS: ULONG = 0xC000_0000;

/// One value: its name with a NUL, its type, its data with a NUL behind.
struct Value {
    name: Vec<u16>,
    kind: ULONG,
    data: Vec<u8>,
}

/// Units before the NUL.
///
/// # Safety
/// `text` must be null or NUL-terminated, and stay while the result is used.
unsafe fn text<'a>(text: PCWSTR) -> UnicodeStr<'a> {
    let mut length = 0;
    // SAFETY: the caller's promise; the walk ends at the NUL.
    while !text.is_null() && unsafe { text.wrapping_add(length).read() } != 0 {
        length += 1;
    }
    if length == 0 {
        return UnicodeStr::EMPTY;
    }
    // SAFETY: these units were just walked.
    UnicodeStr(unsafe { core::slice::from_raw_parts(text, length) })
}

fn open(path: UnicodeStr<'_>, root: HANDLE) -> Result<Owned, Status> {
    let mut name = counted(path)?;
    let mut attributes = attributes(&mut name, root);
    let mut key = core::ptr::null_mut();
    // SAFETY: both are live locals.
    done(unsafe { NtOpenKey(&raw mut key, MAXIMUM_ALLOWED, &raw mut attributes) })?;
    Ok(Owned(key))
}

/// What `relative` means as the beginning of a path. The users' part of the registry is not there
/// when native programs run.
fn prefix(relative: ULONG) -> Result<UnicodeStr<'static>, Status> {
    match relative & !RELATIVE_FLAGS {
        0 => Ok(UnicodeStr::EMPTY),
        1 => Ok(wide!(
            "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"
        )),
        2 => Ok(wide!(
            "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\"
        )),
        3 => Ok(wide!(
            "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion\\"
        )),
        4 => Ok(wide!("\\Registry\\Machine\\Hardware\\DeviceMap\\")),
        5 => Ok(wide!("\\Registry\\User\\.Default\\")),
        _ => Err(Status::INVALID_PARAMETER),
    }
}

/// Calls `ask` with a growing buffer of 8-byte words until the value fits.
fn read(mut ask: impl FnMut(*mut c_void, ULONG, &mut ULONG) -> NTSTATUS) -> Result<Value, Status> {
    const TYPE: usize = 4;
    const DATA_OFFSET: usize = 8;
    const DATA_LENGTH: usize = 12;
    const NAME_LENGTH: usize = 16;
    const NAME: usize = 20;
    let mut words = vec![0_u64; 64];
    loop {
        let size = size_of_val(words.as_slice());
        let mut needed = 0;
        let answer =
            Status::new(ask(words.as_mut_ptr().cast(), size as ULONG, &mut needed).cast_unsigned());
        if matches!(answer, Status::BUFFER_OVERFLOW | Status::BUFFER_TOO_SMALL)
            && needed as usize > size
        {
            words = vec![0; (needed as usize).div_ceil(8)];
            continue;
        }
        answer.ok()?;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let number = |at: usize| {
            bytes
                .get(at..)
                .and_then(<[u8]>::first_chunk)
                .map_or(0, |chunk| u32::from_le_bytes(*chunk)) as usize
        };
        let part =
            |at: usize, length: usize| bytes.get(at..at.saturating_add(length)).unwrap_or_default();
        let name = part(NAME, number(NAME_LENGTH))
            .chunks_exact(2)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        let mut data = part(number(DATA_OFFSET), number(DATA_LENGTH)).to_vec();
        // A string need not end with a NUL in the registry; a routine may rely on one.
        data.extend_from_slice(&[0; 4]);
        data.truncate(number(DATA_LENGTH) + 4);
        return Ok(Value {
            name: name.chain([0]).collect(),
            kind: number(TYPE) as ULONG,
            data,
        });
    }
}

impl Value {
    /// The data without what [`read`] appended.
    fn length(&self) -> usize {
        self.data.len().saturating_sub(4)
    }
}

struct Walk {
    context: *mut c_void,
    environment: *const u16,
}

impl Walk {
    /// Gives one piece of data to an entry: to its routine, or straight into its place.
    ///
    /// # Safety
    /// `entry` must be the caller's, and `data` readable for `length` bytes.
    unsafe fn give(
        &self,
        entry: &Entry,
        name: PCWSTR,
        kind: ULONG,
        data: *const c_void,
        length: usize,
    ) -> Result<(), Status> {
        let answer = match entry.routine {
            // SAFETY: the caller's routine, called as its type says.
            Some(routine) => Status::new(
                unsafe {
                    routine(
                        name,
                        kind,
                        data,
                        length as ULONG,
                        self.context,
                        entry.context,
                    )
                }
                .cast_unsigned(),
            ),
            // SAFETY: the caller's promise.
            None => Status::from(unsafe { direct(kind, data.cast(), length, entry.context) }),
        };
        if answer == Status::BUFFER_TOO_SMALL {
            Ok(())
        } else {
            answer.ok()
        }
    }

    /// Gives a value to an entry, string by string and expanded, as the entry wants it.
    ///
    /// # Safety
    /// `entry` must be the caller's.
    unsafe fn value(&self, entry: &mut Entry, value: &Value) -> Result<(), Status> {
        let name = if entry.flags & flag::DIRECT != 0 {
            entry.name
        } else {
            value.name.as_ptr()
        };
        let data: *const c_void = value.data.as_ptr().cast();
        let length = value.length();
        if entry.flags & flag::NOEXPAND == 0 && value.kind == REG_MULTI_SZ {
            let units: Vec<u16> = value
                .data
                .chunks_exact(2)
                .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
                .collect();
            let mut rest = units.get(..length / 2).unwrap_or_default();
            // The last NUL is the end of the list; a list may lack it.
            if rest.last() == Some(&0) {
                rest = rest.split_last().map_or(rest, |(_, before)| before);
            }
            while !rest.is_empty() {
                let end = rest
                    .iter()
                    .position(|&unit| unit == 0)
                    .unwrap_or(rest.len());
                let mut string = rest.get(..end).unwrap_or_default().to_vec();
                string.push(0);
                // SAFETY: a string with its NUL.
                unsafe {
                    self.give(
                        entry,
                        name,
                        REG_SZ,
                        string.as_ptr().cast(),
                        string.len() * 2,
                    )
                }?;
                if entry.flags & flag::DIRECT != 0 {
                    entry.context = entry.context.wrapping_byte_add(size_of::<UNICODE_STRING>());
                }
                rest = rest.get(end + 1..).unwrap_or_default();
            }
            return Ok(());
        }
        if entry.flags & flag::NOEXPAND == 0 && value.kind == REG_EXPAND_SZ {
            let units: Vec<u16> = value
                .data
                .chunks_exact(2)
                .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
                .collect();
            let source = UnicodeStr(&units).until_nul();
            if source.find(b'%').is_some() {
                // SAFETY: the caller's environment, or this process's.
                let mut string = unsafe { expand(self.environment, source) };
                string.push(0);
                // SAFETY: a string with its NUL.
                return unsafe {
                    self.give(
                        entry,
                        name,
                        REG_SZ,
                        string.as_ptr().cast(),
                        string.len() * 2,
                    )
                };
            }
        }
        // SAFETY: the value's data.
        unsafe { self.give(entry, name, value.kind, data, length) }
    }

    /// A value that is not there.
    ///
    /// # Safety
    /// `entry` must be the caller's.
    unsafe fn missing(&self, entry: &mut Entry) -> Result<(), Status> {
        if entry.default_type == REG_NONE {
            return if entry.flags & flag::REQUIRED != 0 {
                Err(Status::OBJECT_NAME_NOT_FOUND)
            } else {
                Ok(())
            };
        }
        let length = match entry.default_length {
            // SAFETY: the default is the caller's, a string of the type it says.
            0 => unsafe { default_bytes(entry.default_type, entry.default_data.cast()) },
            length => length as usize,
        };
        let mut data = Vec::new();
        if !entry.default_data.is_null() {
            // SAFETY: the default has this many bytes.
            data.extend_from_slice(unsafe {
                core::slice::from_raw_parts(entry.default_data.cast::<u8>(), length)
            });
        }
        data.extend_from_slice(&[0; 4]);
        // SAFETY: the entry's name is the caller's.
        let name = unsafe { text(entry.name) }
            .units()
            .iter()
            .copied()
            .chain([0])
            .collect();
        let value = Value {
            name,
            kind: entry.default_type,
            data,
        };
        // SAFETY: the caller's promise.
        unsafe { self.value(entry, &value) }
    }

    /// Gives every value of `key` to an entry.
    ///
    /// # Safety
    /// `entry` must be the caller's.
    unsafe fn all(&self, entry: &mut Entry, key: HANDLE) -> Result<(), Status> {
        let mut index = 0;
        loop {
            // SAFETY: the buffer is as long as said.
            let value = match read(|buffer, size, needed| unsafe {
                NtEnumerateValueKey(key, index, KeyValueFullInformation, buffer, size, needed)
            }) {
                Ok(value) => value,
                Err(Status::NO_MORE_ENTRIES) if index == 0 && entry.flags & flag::REQUIRED != 0 => {
                    return Err(Status::OBJECT_NAME_NOT_FOUND);
                }
                Err(Status::NO_MORE_ENTRIES) => return Ok(()),
                Err(error) => return Err(error),
            };
            let absent =
                value.kind == REG_NONE || (value.length() == 0 && value.kind == entry.default_type);
            if absent {
                // SAFETY: the caller's promise.
                unsafe { self.missing(entry) }
            } else {
                // SAFETY: the caller's promise.
                unsafe { self.value(entry, &value) }
            }?;
            if entry.flags & flag::DELETE != 0 {
                let mut name = counted(UnicodeStr(&value.name).until_nul())?;
                // SAFETY: the name is a live local.
                done(unsafe { NtDeleteValueKey(key, &raw mut name) })?;
            } else {
                index += 1;
            }
        }
    }

    /// Gives the value that an entry names.
    ///
    /// # Safety
    /// `entry` must be the caller's.
    unsafe fn named(&self, entry: &mut Entry, key: HANDLE) -> Result<(), Status> {
        // SAFETY: the entry's name is the caller's.
        let mut name = counted(unsafe { text(entry.name) })?;
        // SAFETY: the buffer is as long as said; the name is a live local.
        let value = match read(|buffer, size, needed| unsafe {
            NtQueryValueKey(
                key,
                &raw mut name,
                KeyValueFullInformation,
                buffer,
                size,
                needed,
            )
        }) {
            Ok(value) => value,
            // SAFETY: the caller's promise.
            Err(Status::OBJECT_NAME_NOT_FOUND) => return unsafe { self.missing(entry) },
            Err(error) => return Err(error),
        };
        let absent =
            value.kind == REG_NONE || (value.length() == 0 && value.kind == entry.default_type);
        if absent {
            // SAFETY: the caller's promise.
            unsafe { self.missing(entry) }
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.value(entry, &value) }
        }?;
        if entry.flags & flag::DELETE != 0 {
            // The query succeeds even if the value cannot be deleted.
            // SAFETY: the name is a live local.
            let _ = unsafe { NtDeleteValueKey(key, &raw mut name) };
        }
        Ok(())
    }
}

/// Bytes of a default string, its NULs among them.
///
/// # Safety
/// `data` must be null or what `kind` says.
unsafe fn default_bytes(kind: ULONG, data: *const u16) -> usize {
    // SAFETY: the caller's promise.
    let string = |at: usize| unsafe { text(data.wrapping_add(at)) }.len() + 1;
    match kind {
        _ if data.is_null() => 0,
        REG_SZ | REG_EXPAND_SZ => string(0) * 2,
        REG_MULTI_SZ => {
            let mut units = 0;
            loop {
                let length = string(units);
                units += length;
                if length == 1 {
                    return units * 2;
                }
            }
        }
        _ => 0,
    }
}

/// Puts data straight where an entry wants it: a string into a UNICODE_STRING, up to four bytes as
/// they are, more with length and type.
///
/// # Safety
/// `place` must be what the type calls for, and `data` readable for `length` bytes.
unsafe fn direct(
    kind: ULONG,
    data: *const u8,
    length: usize,
    place: *mut c_void,
) -> Result<(), Status> {
    if matches!(kind, REG_SZ | REG_EXPAND_SZ | REG_MULTI_SZ) {
        let bytes = length.min(0xFFFE);
        // SAFETY: the caller's promise.
        let string = unsafe { &mut *place.cast::<UNICODE_STRING>() };
        if string.Buffer.is_null() {
            // SAFETY: an allocation like any other.
            string.Buffer = unsafe { RtlAllocateHeap(handle(), 0, bytes) }.cast();
            if string.Buffer.is_null() {
                return Err(Status::NO_MEMORY);
            }
            string.MaximumLength = bytes as u16;
        } else if bytes > usize::from(string.MaximumLength) {
            return Err(Status::BUFFER_TOO_SMALL);
        }
        // SAFETY: the buffer has room, checked above.
        unsafe { core::ptr::copy_nonoverlapping(data, string.Buffer.cast(), bytes) };
        string.Length = (bytes as u16).saturating_sub(2);
        return Ok(());
    }
    if length <= 4 {
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(data, place.cast(), length) };
        return Ok(());
    }
    // SAFETY: the caller says how much room there is: negative for the data alone.
    let room = unsafe { place.cast::<i32>().read() };
    let (start, capacity) = if room < 0 {
        (0, room.unsigned_abs() as usize)
    } else {
        (8, (room as usize).saturating_sub(8))
    };
    if length > capacity {
        return Err(Status::BUFFER_TOO_SMALL);
    }
    if start != 0 {
        // SAFETY: the caller's room, checked above.
        unsafe { place.cast::<[u32; 2]>().write([length as u32, kind]) };
    }
    // SAFETY: `length` bytes fit behind `start`, checked above; the data has as many.
    unsafe { core::ptr::copy_nonoverlapping(data, place.cast::<u8>().wrapping_add(start), length) };
    Ok(())
}

/// # Safety
/// `table` must end with an entry that wants nothing, `path` be what `relative` says.
unsafe fn query(
    relative: ULONG,
    path: PCWSTR,
    table: *const Entry,
    walk: &Walk,
) -> Result<(), Status> {
    let opened;
    let top = if relative & RELATIVE_HANDLE != 0 {
        path.cast_mut().cast()
    } else {
        let mut full = prefix(relative)?.units().to_vec();
        // SAFETY: the caller's promise.
        full.extend_from_slice(unsafe { text(path) }.units());
        opened = open(UnicodeStr(&full), core::ptr::null_mut())?;
        opened.0
    };
    let mut subkey: Option<Owned> = None;
    let mut at = table;
    loop {
        // A copy: the table is the caller's, whose routines may look at it while they run.
        // SAFETY: an entry of the caller's table, whose end has not come yet.
        let entry = &mut unsafe { at.read() };
        if entry.routine.is_none() && entry.flags & (flag::SUBKEY | flag::DIRECT) == 0 {
            return Ok(());
        }
        if entry.flags & flag::DIRECT != 0
            && (entry.name.is_null() || entry.flags & flag::SUBKEY != 0 || entry.routine.is_some())
        {
            return Err(Status::INVALID_PARAMETER);
        }
        if entry.flags & (flag::TOPKEY | flag::SUBKEY) != 0 {
            subkey = None;
        }
        let key = subkey.as_ref().map_or(top, |key| key.0);
        if entry.flags & flag::SUBKEY != 0 {
            if entry.name.is_null() {
                return Err(Status::INVALID_PARAMETER);
            }
            // SAFETY: the entry's name is the caller's.
            let key = open(unsafe { text(entry.name) }, top)?;
            if entry.routine.is_some() {
                // SAFETY: the caller's entry.
                unsafe { walk.all(entry, key.0) }?;
            }
            subkey = Some(key);
        } else if !entry.name.is_null() {
            // SAFETY: the caller's entry.
            unsafe { walk.named(entry, key) }?;
        } else if entry.flags & flag::NOVALUE != 0 {
            // SAFETY: the caller's entry; there is no data.
            unsafe { walk.give(entry, core::ptr::null(), REG_NONE, core::ptr::null(), 0) }?;
        } else {
            // SAFETY: the caller's entry.
            unsafe { walk.all(entry, key) }?;
        }
        at = at.wrapping_add(1);
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlQueryRegistryValues(
    relative: ULONG,
    path: PCWSTR,
    table: *const Entry,
    context: *mut c_void,
    environment: *const u16,
) -> NTSTATUS {
    // SAFETY: the caller's table and path.
    status(unsafe {
        query(
            relative,
            path,
            table,
            &Walk {
                context,
                environment,
            },
        )
    })
}
