// SPDX-License-Identifier: GPL-2.0-or-later
//! User pointers are allegations: an address that ring 3 has named is a [`UserPtr`], and only a
//! checked read or write turns it into memory.
//!
//! A bad address is `ACCESS_VIOLATION`, found before anything is changed where a call probes its
//! results first, as NT does. Alignment is checked where NT probes with one
//! (`DATATYPE_MISALIGNMENT`); single numbers and handles may lie anywhere. Everything is copied
//! once: what has been checked is what is used.
//!
//! A structure is read and written as the caller's architecture has it ([`Layout`]); whoever asks
//! for it here gets it in this kernel's own form.

use super::layout::{Layout, ObjectAttributes, UnicodeString, Word};
use crate::machine::Architecture;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use nt::{Result, Status};

/// The longest structure or buffer taken from user memory in one piece, bytes. NT has no such
/// limit; a larger one is `NO_MEMORY` here.
pub const LARGEST_BUFFER: u64 = 64 << 20;

const PAGE: u64 = 0x1000;

/// The user part of the caller's address space.
pub trait UserMemory {
    /// How structures lie in it, and where it ends.
    fn architecture(&self) -> Architecture;

    /// Copies from it; `ACCESS_VIOLATION` for anything that is not readable user memory.
    fn read_user(&mut self, address: u64, buffer: &mut [u8]) -> Result<()>;

    /// Copies into it; `ACCESS_VIOLATION` for anything that is not writable user memory.
    fn write_user(&mut self, address: u64, bytes: &[u8]) -> Result<()>;
}

/// An address that user mode has named, of a `T`, or of bytes.
pub struct UserPtr<T = u8> {
    address: u64,
    target: PhantomData<fn() -> T>,
}

impl<T> Clone for UserPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for UserPtr<T> {}

impl<T> core::fmt::Debug for UserPtr<T> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "UserPtr({:#x})", self.address)
    }
}

impl<T> UserPtr<T> {
    /// A null pointer.
    pub const NULL: Self = Self::new(0);

    /// The address as it came: a number that nobody has checked.
    pub const fn new(address: u64) -> Self {
        Self {
            address,
            target: PhantomData,
        }
    }

    /// The address as it came.
    pub const fn address(self) -> u64 {
        self.address
    }

    /// Whether nothing is named.
    pub const fn is_null(self) -> bool {
        self.address == 0
    }

    /// `None` for a null pointer: an optional argument that is not given.
    pub const fn optional(self) -> Option<Self> {
        if self.is_null() { None } else { Some(self) }
    }

    /// The same address, of something else.
    pub const fn cast<U>(self) -> UserPtr<U> {
        UserPtr::new(self.address)
    }

    /// Something `bytes` further on; an address that wraps is no user address.
    pub fn at<U>(self, bytes: u64) -> Result<UserPtr<U>> {
        self.address
            .checked_add(bytes)
            .map(UserPtr::new)
            .ok_or(Status::ACCESS_VIOLATION)
    }
}

/// An array that user mode has named: where it begins, and how many there are.
#[derive(Clone, Copy, Debug)]
pub struct UserSlice<T> {
    /// The first one.
    pub pointer: UserPtr<T>,
    /// How many.
    pub count: u32,
}

/// Checked access to the caller's memory.
pub struct User<'a, M: ?Sized>(pub &'a mut M);

impl<M: UserMemory + ?Sized> User<'_, M> {
    /// Bytes of a `T` there.
    fn size<T: Layout>(&self) -> u64 {
        self.0.architecture().size_of::<T>() as u64
    }

    fn check<T>(&self, pointer: UserPtr<T>, length: u64, alignment: u64) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        // What NT aligns on 8 or 16 holds pointers and registers, which an i386 NT aligns on 4.
        let alignment = match self.0.architecture() {
            Architecture::Amd64 => alignment,
            Architecture::I386 => alignment.min(4),
        };
        if !pointer.address.is_multiple_of(alignment) {
            return Err(Status::DATATYPE_MISALIGNMENT);
        }
        match pointer.address.checked_add(length) {
            Some(end) if end <= self.0.architecture().user_end() => Ok(()),
            _ => Err(Status::ACCESS_VIOLATION),
        }
    }

    /// ProbeForRead: range and alignment.
    pub fn probe_read(&self, pointer: UserPtr, length: u64, alignment: u64) -> Result<()> {
        self.check(pointer, length, alignment)
    }

    /// ProbeForWrite: range, alignment, and that every page can be written.
    pub fn probe_write(&mut self, pointer: UserPtr, length: u64, alignment: u64) -> Result<()> {
        self.check(pointer, length, alignment)?;
        let mut address = pointer.address;
        let end = pointer.address + length;
        while address < end {
            let mut byte = [0];
            self.0.read_user(address, &mut byte)?;
            self.0.write_user(address, &byte)?;
            address = (address | (PAGE - 1)) + 1;
        }
        Ok(())
    }

    /// ProbeForWrite of one `T`, for which NT asks an alignment.
    pub fn probe_aligned<T: Layout>(&mut self, pointer: UserPtr<T>, alignment: u64) -> Result<()> {
        self.probe_write(pointer.cast(), self.size::<T>(), alignment)
    }

    /// An array that NT probes with an alignment, copied.
    pub fn slice<T: Layout>(&mut self, slice: UserSlice<T>, alignment: u64) -> Result<Vec<T>> {
        let size = self.size::<T>();
        let length = u64::from(slice.count) * size;
        self.check(slice.pointer, length, alignment)?;
        let bytes = self.bytes(slice.pointer.cast(), length)?;
        let architecture = self.0.architecture();
        let one = |item: &[u8]| {
            architecture.take(|into| {
                into.copy_from_slice(item);
                Ok(())
            })
        };
        bytes.chunks_exact(size as usize).map(one).collect()
    }

    /// Bytes. A length of 0 reads nothing from nowhere.
    pub fn bytes(&mut self, pointer: UserPtr, length: u64) -> Result<Vec<u8>> {
        self.check(pointer, length, 1)?;
        if length > LARGEST_BUFFER {
            return Err(Status::NO_MEMORY);
        }
        let mut buffer = vec![0; length as usize];
        if length != 0 {
            self.0.read_user(pointer.address, &mut buffer)?;
        }
        Ok(buffer)
    }

    /// A structure that NT probes with an alignment.
    pub fn read_aligned<T: Layout>(&mut self, pointer: UserPtr<T>, alignment: u64) -> Result<T> {
        self.check(pointer, self.size::<T>(), alignment)?;
        self.read(pointer)
    }

    /// A structure or number that may lie anywhere.
    pub fn read<T: Layout>(&mut self, pointer: UserPtr<T>) -> Result<T> {
        self.check(pointer, self.size::<T>(), 1)?;
        self.0
            .architecture()
            .take(|bytes| self.0.read_user(pointer.address, bytes))
    }

    /// Puts bytes there.
    pub fn write_bytes(&mut self, pointer: UserPtr, bytes: &[u8]) -> Result<()> {
        self.check(pointer, bytes.len() as u64, 1)?;
        if bytes.is_empty() {
            Ok(())
        } else {
            self.0.write_user(pointer.address, bytes)
        }
    }

    /// Puts a structure or number there.
    pub fn write<T: Layout>(&mut self, pointer: UserPtr<T>, value: T) -> Result<()> {
        let bytes = self.0.architecture().bytes_of(value);
        self.write_bytes(pointer.cast(), &bytes)
    }

    /// Puts a number there if the caller wants it.
    pub fn write_optional<T: Layout>(&mut self, pointer: UserPtr<T>, value: T) -> Result<()> {
        if pointer.is_null() {
            Ok(())
        } else {
            self.write(pointer, value)
        }
    }

    /// Checks that a number or handle can be written there: ProbeForWriteHandle and its like,
    /// without alignment.
    pub fn probe_result<T: Layout>(&mut self, pointer: UserPtr<T>) -> Result<()> {
        self.probe_aligned(pointer, 1)
    }

    /// The same for an optional result.
    pub fn probe_optional<T: Layout>(&mut self, pointer: UserPtr<T>) -> Result<()> {
        if pointer.is_null() {
            Ok(())
        } else {
            self.probe_result::<T>(pointer)
        }
    }

    /// The text of a UNICODE_STRING: whole units; `OBJECT_NAME_INVALID` for half a unit.
    pub fn string(&mut self, pointer: UserPtr<UnicodeString>) -> Result<Vec<u16>> {
        let string = self.read(pointer)?;
        self.text(string)
    }

    /// The text that a UNICODE_STRING already read describes.
    pub fn text(&mut self, string: UnicodeString) -> Result<Vec<u16>> {
        if !string.length.is_multiple_of(2) {
            return Err(Status::OBJECT_NAME_INVALID);
        }
        let bytes = self.bytes(UserPtr::new(string.buffer), u64::from(string.length))?;
        Ok(bytes
            .chunks_exact(2)
            .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
            .collect())
    }

    /// An OBJECT_ATTRIBUTES, its name and its security descriptor.
    pub fn attributes(&mut self, pointer: UserPtr<ObjectAttributes>) -> Result<CapturedAttributes> {
        let raw = self.read_aligned(pointer, 4)?;
        if u64::from(raw.length) != self.size::<ObjectAttributes>() {
            return Err(Status::INVALID_PARAMETER);
        }
        let name = match UserPtr::new(raw.name).optional() {
            Some(name) => Some(self.string(name)?),
            None => None,
        };
        let security = match UserPtr::new(raw.security).optional() {
            Some(security) => Some(self.descriptor(security)?),
            None => None,
        };
        Ok(CapturedAttributes {
            root: raw.root,
            name,
            attributes: raw.attributes,
            security,
        })
    }

    /// The same for a call whose object needs no attributes.
    pub fn attributes_or_none(
        &mut self,
        pointer: UserPtr<ObjectAttributes>,
    ) -> Result<CapturedAttributes> {
        if pointer.is_null() {
            Ok(CapturedAttributes::default())
        } else {
            self.attributes(pointer)
        }
    }

    /// A security descriptor, absolute or self-relative, as self-relative bytes. A null DACL stays
    /// one.
    pub fn descriptor(&mut self, pointer: UserPtr) -> Result<Vec<u8>> {
        const SELF_RELATIVE: u16 = 0x8000;
        let head = self.bytes(pointer, 4)?;
        let (revision, control) = (head[0], u16::from_le_bytes([head[2], head[3]]));
        if revision != 1 {
            return Err(Status::UNKNOWN_REVISION);
        }
        let mut parts: [UserPtr; 4] = [UserPtr::NULL; 4];
        for (index, part) in (0_u64..).zip(&mut parts) {
            *part = if control & SELF_RELATIVE == 0 {
                // Behind revision and control, as pointers are aligned.
                let word = self.size::<Word>();
                UserPtr::new(self.read::<Word>(pointer.at(word + word * index)?)?.0)
            } else {
                match self.read::<u32>(pointer.at(4 + 4 * index)?)? {
                    0 => UserPtr::NULL,
                    offset => pointer.at(u64::from(offset))?,
                }
            };
        }
        let mut whole = vec![0; 20];
        whole[0] = 1;
        whole[2..4].copy_from_slice(&(control | SELF_RELATIVE).to_le_bytes());
        let [owner, group, sacl, dacl] = parts;
        // SE_SACL_PRESENT and SE_DACL_PRESENT say whether those pointers mean anything.
        let wanted = [
            (owner, true, false),
            (group, true, false),
            (sacl, control & 0x10 != 0, true),
            (dacl, control & 4 != 0, true),
        ];
        for (index, (part, present, is_acl)) in wanted.into_iter().enumerate() {
            let Some(part) = part.optional().filter(|_| present) else {
                continue;
            };
            let bytes = if is_acl {
                self.acl(part)?
            } else {
                self.sid(part)?
            };
            let offset = whole.len() as u32;
            whole[4 + 4 * index..8 + 4 * index].copy_from_slice(&offset.to_le_bytes());
            whole.extend(bytes);
            whole.resize(whole.len().next_multiple_of(4), 0);
        }
        Ok(whole)
    }

    /// A SID: `INVALID_SID` for anything else.
    pub fn sid(&mut self, pointer: UserPtr) -> Result<Vec<u8>> {
        let head = self.bytes(pointer, 2)?;
        if head[0] != 1 || head[1] > 15 {
            return Err(Status::INVALID_SID);
        }
        self.bytes(pointer, 8 + 4 * u64::from(head[1]))
    }

    /// An ACL: `INVALID_ACL` for what does not begin as one.
    pub fn acl(&mut self, pointer: UserPtr) -> Result<Vec<u8>> {
        let head = self.bytes(pointer, 8)?;
        let size = u16::from_le_bytes([head[2], head[3]]);
        if !(2..=4).contains(&head[0]) || size < 8 {
            return Err(Status::INVALID_ACL);
        }
        self.bytes(pointer, u64::from(size))
    }
}

/// An OBJECT_ATTRIBUTES with everything it points to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapturedAttributes {
    /// `RootDirectory`.
    pub root: u64,
    /// The name; `None` if there is no UNICODE_STRING at all.
    pub name: Option<Vec<u16>>,
    /// `OBJ_` bits.
    pub attributes: u32,
    /// A self-relative security descriptor.
    pub security: Option<Vec<u8>>,
}

impl CapturedAttributes {
    /// The same as the typed services take it.
    pub fn view(&self) -> nt::ObjectAttributes<'_> {
        nt::ObjectAttributes {
            root: nt::Handle::from_slot(self.root),
            name: nt::UnicodeStr(self.name.as_deref().unwrap_or_default()),
            attributes: nt::object::Attributes::from_bits_retain(self.attributes),
            security: self.security.as_deref(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use nt::security::{Ace, Descriptor, Sid};
    use zerocopy::IntoBytes;

    /// Simulated user memory: pages that are there, some of them read-only.
    #[derive(Default, Debug)]
    pub(crate) struct Memory {
        architecture: Architecture,
        pages: BTreeMap<u64, (bool, Vec<u8>)>,
    }

    impl Memory {
        pub(crate) fn map(&mut self, address: u64, pages: u64, writable: bool) {
            for page in 0..pages {
                self.pages
                    .insert(address / PAGE + page, (writable, vec![0; PAGE as usize]));
            }
        }
    }

    impl UserMemory for Memory {
        fn architecture(&self) -> Architecture {
            self.architecture
        }

        fn read_user(&mut self, address: u64, buffer: &mut [u8]) -> Result<()> {
            for (place, byte) in (address..).zip(buffer) {
                let (_, page) = self
                    .pages
                    .get(&(place / PAGE))
                    .ok_or(Status::ACCESS_VIOLATION)?;
                *byte = page[(place % PAGE) as usize];
            }
            Ok(())
        }

        fn write_user(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
            for (place, byte) in (address..).zip(bytes) {
                match self.pages.get_mut(&(place / PAGE)) {
                    Some((true, page)) => page[(place % PAGE) as usize] = *byte,
                    _ => return Err(Status::ACCESS_VIOLATION),
                }
            }
            Ok(())
        }
    }

    const USER_END: u64 = Architecture::Amd64.user_end();

    fn memory() -> Memory {
        let mut memory = Memory::default();
        memory.map(0x10000, 2, true);
        memory.map(0x20000, 1, false);
        memory
    }

    #[test]
    fn a_bad_pointer_is_an_access_violation() {
        let mut memory = memory();
        let mut user = User(&mut memory);
        for bad in [
            0,
            0x12000,
            0x11FFF,
            USER_END,
            USER_END - 4,
            u64::MAX - 3,
            0xFFFF_8000_0000_0000,
        ] {
            assert_eq!(
                user.read::<u64>(UserPtr::new(bad)),
                Err(Status::ACCESS_VIOLATION),
                "{bad:#x}"
            );
            assert_eq!(
                user.write(UserPtr::new(bad), 1_u64),
                Err(Status::ACCESS_VIOLATION),
                "{bad:#x}"
            );
        }
        assert_eq!(
            user.probe_write(UserPtr::new(0x20000), 4, 4),
            Err(Status::ACCESS_VIOLATION),
            "read-only"
        );
        assert_eq!(
            user.probe_write(UserPtr::new(0x11000), 0x1001, 4),
            Err(Status::ACCESS_VIOLATION),
            "one byte too many"
        );
        assert_eq!(user.probe_write(UserPtr::new(0x10000), 0x2000, 4), Ok(()));
    }

    #[test]
    fn alignment_counts_where_nt_probes_with_one_and_only_for_a_length() {
        let mut memory = memory();
        let mut user = User(&mut memory);
        assert_eq!(
            user.probe_read(UserPtr::new(0x10002), 4, 4),
            Err(Status::DATATYPE_MISALIGNMENT)
        );
        assert_eq!(
            user.read_aligned::<u64>(UserPtr::new(0x10002), 4),
            Err(Status::DATATYPE_MISALIGNMENT)
        );
        assert_eq!(user.probe_read(UserPtr::new(3), 0, 4), Ok(()));
        assert_eq!(user.read::<u64>(UserPtr::new(0x10002)), Ok(0));
    }

    #[test]
    fn object_attributes_are_taken_with_their_name_and_descriptor() {
        const SECURITY: Descriptor = Descriptor::with_dacl(&[Ace::allow(1, Sid::ADMINISTRATORS)]);
        let mut memory = memory();
        let mut user = User(&mut memory);
        let name = [0x5C_u16, 0x41];
        user.write_bytes(UserPtr::new(0x10100), name.as_bytes())
            .expect("written");
        user.write_bytes(UserPtr::new(0x10200), SECURITY.as_bytes())
            .expect("written");
        let string = UnicodeString {
            length: 4,
            maximum_length: 4,
            buffer: 0x10100,
            ..UnicodeString::default()
        };
        user.write(UserPtr::new(0x10080), string).expect("written");
        let raw = ObjectAttributes {
            length: 0x30,
            name: 0x10080,
            attributes: 0x40,
            security: 0x10200,
            ..ObjectAttributes::default()
        };
        user.write(UserPtr::new(0x10000), raw).expect("written");
        let captured = user.attributes(UserPtr::new(0x10000)).expect("captured");
        assert_eq!(captured.name.as_deref(), Some(name.as_slice()));
        assert_eq!(captured.security.as_deref(), Some(SECURITY.as_bytes()));
        user.write(
            UserPtr::new(0x10080),
            UnicodeString {
                length: 3,
                ..string
            },
        )
        .expect("written");
        assert_eq!(
            user.attributes(UserPtr::new(0x10000)),
            Err(Status::OBJECT_NAME_INVALID)
        );
        user.write(
            UserPtr::new(0x10000),
            ObjectAttributes {
                length: 0x18,
                ..raw
            },
        )
        .expect("written");
        assert_eq!(
            user.attributes(UserPtr::new(0x10000)),
            Err(Status::INVALID_PARAMETER)
        );
        user.write(
            UserPtr::new(0x10000),
            ObjectAttributes {
                length: 0x30,
                name: 8,
                ..raw
            },
        )
        .expect("written");
        assert_eq!(
            user.attributes(UserPtr::new(0x10000)),
            Err(Status::ACCESS_VIOLATION)
        );
    }

    #[test]
    fn an_absolute_descriptor_becomes_the_self_relative_one() {
        const SECURITY: Descriptor = Descriptor::with_dacl(&[Ace::allow(1, Sid::LOCAL_SYSTEM)]);
        let mut memory = memory();
        let mut user = User(&mut memory);
        user.write_bytes(UserPtr::new(0x10100), &SECURITY.as_bytes()[20..])
            .expect("written");
        let mut absolute = [0_u8; 0x28];
        absolute[0] = 1;
        absolute[2] = 4;
        absolute[0x20..].copy_from_slice(&0x10100_u64.to_le_bytes());
        user.write_bytes(UserPtr::new(0x10000), &absolute)
            .expect("written");
        assert_eq!(
            user.descriptor(UserPtr::new(0x10000)).as_deref(),
            Ok(SECURITY.as_bytes())
        );
        user.write_bytes(UserPtr::new(0x10000), &[2])
            .expect("written");
        assert_eq!(
            user.descriptor(UserPtr::new(0x10000)),
            Err(Status::UNKNOWN_REVISION)
        );
    }
}
