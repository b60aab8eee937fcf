// SPDX-License-Identifier: GPL-2.0-or-later
//! From the seam's types to the ABI's and back: statuses, handles, strings, object attributes.

use crate::layout::Plain;
use core::num::NonZeroU32;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr, Word};
use winapi::shared::ntdef::{HANDLE, NTSTATUS, OBJECT_ATTRIBUTES, UNICODE_STRING};

/// The NTSTATUS of a call, whatever it is.
pub(crate) const fn status(raw: NTSTATUS) -> Status {
    Status::new(raw.cast_unsigned())
}

/// `Ok` if the NTSTATUS of a call says that it has succeeded and come to its end.
pub(crate) const fn done(raw: NTSTATUS) -> Result<()> {
    status(raw).ended()
}

/// A handle as the calls take it.
pub(crate) const fn raw(handle: Handle) -> HANDLE {
    core::ptr::without_provenance_mut(handle.0 as usize)
}

/// A handle as a call gave it.
pub(crate) fn handle(raw: HANDLE) -> Handle {
    Handle(raw.addr() as Word)
}

/// A byte count as the calls take it. `INVALID_PARAMETER` if it has more than 32 bits.
pub(crate) fn length(bytes: usize) -> Result<u32> {
    u32::try_from(bytes).map_err(|_| Status::INVALID_PARAMETER)
}

/// A UNICODE_STRING for a callee that only reads. Its two lengths are one number that is never 0: so
/// that one, or none, is given back in registers.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Counted {
    lengths: NonZeroU32,
    pub(crate) buffer: *const u16,
}

impl Counted {
    /// `MaximumLength` has room for a NUL, as `RtlCreateProcessParameters` wants it: it reserves that
    /// much and copies `Length`.
    #[inline(never)]
    fn new(text: UnicodeStr<'_>) -> Option<Self> {
        let length = u16::try_from(text.byte_len()).ok()?;
        let maximum = length.checked_add(2)?;
        let lengths = u32::from(maximum) << 16 | u32::from(length);
        let buffer = if text.is_empty() {
            core::ptr::null()
        } else {
            text.units().as_ptr()
        };
        Some(Self {
            lengths: NonZeroU32::new(lengths)?,
            buffer,
        })
    }

    /// What a call takes; valid until `self` moves.
    pub(crate) const fn pointer(&mut self) -> *mut UNICODE_STRING {
        core::ptr::from_mut(self).cast()
    }

    /// `Length`.
    pub(crate) const fn length(self) -> u32 {
        self.lengths.get() & 0xFFFF
    }
}

/// A UNICODE_STRING over `text`. `NAME_TOO_LONG` if the length does not fit its 16 bits.
#[inline(always)]
pub(crate) fn counted(text: UnicodeStr<'_>) -> Result<Counted> {
    Counted::new(text).ok_or(Status::NAME_TOO_LONG)
}

/// OBJECT_ATTRIBUTES together with the name they point to.
pub(crate) struct Named {
    name: Option<Counted>,
    attributes: OBJECT_ATTRIBUTES,
}

impl Named {
    /// Borrows from `from`, so it is used for one call and not kept.
    pub(crate) fn new(from: &ObjectAttributes<'_>) -> Self {
        let mut attributes = OBJECT_ATTRIBUTES::zero();
        attributes.Length = OBJECT_ATTRIBUTES::SIZE;
        attributes.RootDirectory = raw(from.root);
        attributes.Attributes = from.attributes.bits();
        if let Some(descriptor) = from.security {
            attributes.SecurityDescriptor = descriptor.as_ptr().cast_mut().cast();
        }
        Self {
            name: Counted::new(from.name),
            attributes,
        }
    }

    /// What a call takes; valid until `self` moves. `NAME_TOO_LONG` for a name that no counted string
    /// can be of.
    pub(crate) fn pointer(&mut self) -> Result<*mut OBJECT_ATTRIBUTES> {
        self.attributes.ObjectName = match &mut self.name {
            Some(name) if name.buffer.is_null() => core::ptr::null_mut(),
            Some(name) => name.pointer(),
            None => return Err(Status::NAME_TOO_LONG),
        };
        Ok(&raw mut self.attributes)
    }
}
