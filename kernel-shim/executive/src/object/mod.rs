// SPDX-License-Identifier: GPL-2.0-or-later
//! The object manager: objects, their names, their handles, their security (spec 1.1 row 14, 2.2,
//! 3.1).
//!
//! An object lives while somebody points to it: each handle is a reference, and so are the name of
//! a permanent object, a waiter, a module's own pointer ([`crate::Executive::reference`]). When the
//! last handle goes, the name of an object that is not permanent goes; when the last reference
//! goes, the object goes and its type's delete hook takes the body.
//!
//! Invariants: `handles <= references`; an object in a directory has that directory's id and its
//! own name in its header, and the other way round; a directory is referenced by everything named
//! in it.

pub mod directory;
pub mod handles;
pub mod lifetime;
pub mod link;
pub mod lookup;
pub mod namespace;
pub mod query;
pub mod security;
pub mod services;
pub mod table;
#[cfg(test)]
mod tests;
pub mod types;

use crate::ids::{ObjectId, ProcessId, ThreadId};
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use directory::{DeviceMap, DeviceMapId, Directory};
pub use handles::{Entry, HandleTable};
pub use link::SymbolicLink;
pub use security::{AccessState, SecurityDescriptor, Sid};
pub use table::Table;
pub use types::{Hooks, Kind, ParseRequest, Parsed, TypeInfo};

/// What an object is, besides its header. Each variant's content belongs to the module it comes
/// from.
#[derive(Debug)]
pub enum Body {
    /// A type object of `\ObjectTypes`.
    Type(Kind),
    /// Object directory.
    Directory(Directory),
    /// Symbolic link object.
    SymbolicLink(SymbolicLink),
    /// Access token.
    Token(alloc::boxed::Box<crate::process::Token>),
    /// A process: it lives in [`crate::Executive::processes`].
    Process(ProcessId),
    /// A thread: it lives in [`crate::Executive::threads`].
    Thread(ThreadId),
    /// Event.
    Event(crate::process::Event),
    /// Mutant.
    Mutant(crate::process::Mutant),
    /// Semaphore.
    Semaphore(crate::process::Semaphore),
    /// Timer.
    Timer(crate::process::Timer),
    /// Keyed event.
    KeyedEvent(crate::process::KeyedEvent),
    /// LPC port.
    Port(crate::lpc::PortId),
    /// Section.
    Section(crate::mm::Section),
    /// Registry key.
    Key(crate::cm::KeyBody),
    /// Device.
    Device(crate::io::Device),
    /// Driver.
    Driver,
    /// Open file.
    File(crate::io::File),
    /// A callback object: nothing of it is visible from outside.
    Callback,
}

impl Body {
    /// The type that objects with this body have.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Type(_) => Kind::Type,
            Self::Directory(_) => Kind::Directory,
            Self::SymbolicLink(_) => Kind::SymbolicLink,
            Self::Token(_) => Kind::Token,
            Self::Process(_) => Kind::Process,
            Self::Thread(_) => Kind::Thread,
            Self::Event(_) => Kind::Event,
            Self::Mutant(_) => Kind::Mutant,
            Self::Semaphore(_) => Kind::Semaphore,
            Self::Timer(_) => Kind::Timer,
            Self::KeyedEvent(_) => Kind::KeyedEvent,
            Self::Port(_) => Kind::Port,
            Self::Section(_) => Kind::Section,
            Self::Key(_) => Kind::Key,
            Self::Device(_) => Kind::Device,
            Self::Driver => Kind::Driver,
            Self::File(_) => Kind::File,
            Self::Callback => Kind::Callback,
        }
    }
}

/// Where an object's name stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The directory.
    pub directory: ObjectId,
    /// The name in it, as it was written.
    pub name: Vec<u16>,
}

/// An object.
#[derive(Debug)]
pub struct Object {
    /// Its type.
    pub kind: Kind,
    /// Its name, while it has one.
    pub name: Option<Name>,
    /// Handles to it in the whole system.
    pub handles: u32,
    /// References: handles and all else that points to it.
    pub references: u32,
    /// `OBJ_PERMANENT`.
    pub permanent: bool,
    /// `OBJ_EXCLUSIVE`: only this process may have handles to it.
    pub exclusive: Option<ProcessId>,
    /// Its security descriptor; none for an unnamed object of a type that does not require one.
    pub security: Option<Arc<SecurityDescriptor>>,
    /// Threads that wait for it, in the order in which they came.
    pub waiters: Vec<ThreadId>,
    /// What it is.
    pub body: Body,
}
