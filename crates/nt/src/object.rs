// SPDX-License-Identifier: GPL-2.0-or-later
//! How an object is named when it is created or opened: OBJECT_ATTRIBUTES and CLIENT_ID (spec 0.4,
//! 13.4).

use crate::{Handle, UnicodeStr, Word};
use bitflags::bitflags;

bitflags! {
    /// `OBJ_` attributes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Attributes: u32 {
        /// `OBJ_INHERIT`.
        const INHERIT = 0x02;
        /// `OBJ_PERMANENT`: the name outlives the last handle.
        const PERMANENT = 0x10;
        /// `OBJ_EXCLUSIVE`.
        const EXCLUSIVE = 0x20;
        /// `OBJ_CASE_INSENSITIVE`.
        const CASE_INSENSITIVE = 0x40;
        /// `OBJ_OPENIF`: create, or open the object if it exists already.
        const OPENIF = 0x80;
        /// Attributes this project has no name for.
        const _ = !0;
    }
}

/// OBJECT_ATTRIBUTES as the seam takes them.
#[derive(Clone, Copy, Debug)]
pub struct ObjectAttributes<'a> {
    /// The directory or key that `name` is relative to; [`Handle::NULL`] for an absolute name.
    pub root: Handle,
    /// The name; empty for an unnamed object.
    pub name: UnicodeStr<'a>,
    /// `OBJ_` attributes.
    pub attributes: Attributes,
    /// A self-relative security descriptor for a new object, if not the default one. Built by
    /// [`crate::security`].
    pub security: Option<&'a [u8]>,
}

impl<'a> ObjectAttributes<'a> {
    /// A name looked up without regard to case, nothing else.
    pub const fn named(name: UnicodeStr<'a>) -> Self {
        Self {
            root: Handle::NULL,
            name,
            attributes: Attributes::CASE_INSENSITIVE,
            security: None,
        }
    }

    /// No name: the object is reached through its handle only.
    pub const fn unnamed() -> Self {
        Self {
            root: Handle::NULL,
            name: UnicodeStr::EMPTY,
            attributes: Attributes::empty(),
            security: None,
        }
    }

    /// The same, relative to `root`.
    pub const fn under(self, root: Handle) -> Self {
        Self { root, ..self }
    }

    /// The same, with exactly these attributes.
    pub const fn with(self, attributes: Attributes) -> Self {
        Self { attributes, ..self }
    }

    /// The same, with a security descriptor for the new object.
    pub const fn secured(self, descriptor: &'a [u8]) -> Self {
        Self {
            security: Some(descriptor),
            ..self
        }
    }
}

/// CLIENT_ID: a process and a thread in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
#[derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable, zerocopy::KnownLayout)]
pub struct ClientId {
    /// `UniqueProcess`.
    pub process: Word,
    /// `UniqueThread`.
    pub thread: Word,
}
