// SPDX-License-Identifier: GPL-2.0-or-later
//! The object manager: objects, their names, their handles, their security (spec 1.1 row 14, 2.2,
//! 3.1).
//!
//! An object lives while somebody points to it: each handle is a reference, and so are the name of
//! a permanent object, a waiter, an area's own pointer ([`lifetime::Lifetimes::reference`]). When the
//! last handle goes, the name of an object that is not permanent goes; when the last reference
//! goes, the object goes and its type's delete hook takes the body.
//!
//! Invariants: `handles <= references`; an object in a directory has that directory's id and its
//! own name in its header, and the other way round; a directory is referenced by everything named
//! in it.
//!
//! The object manager knows no type but its own (types, directories, symbolic links) and no process:
//! what else an object may be is the [`System`]'s [`Body`], what else there is to do about it is in
//! the hooks of the type table that the [`Manager`] is made with, and whose handles and whose rights
//! count is asked of the [`System`].

pub mod directory;
pub mod handles;
pub mod lifetime;
pub mod link;
pub mod lookup;
pub mod manager;
pub mod naming;
pub mod query;
pub mod services;
pub mod table;
pub mod types;

use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::se::{SecurityDescriptor, Token};
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use nt::access::Access;
use nt::{Handle, Result};

pub use directory::{DeviceMap, DeviceMapId, Directory};
pub use handles::{HandleEntry, HandleTable};
pub use link::SymbolicLink;
pub use manager::Manager;
pub use table::ObjectTable;
pub use types::{Hooks, Kind, ParseRequest, Parsed, TypeInfo};

/// The object manager's operations, as methods of the [`System`] it is part of.
pub mod prelude {
    pub use super::System as _;
    pub use super::lifetime::Lifetimes;
    pub use super::lookup::Lookups;
    pub use super::naming::Naming;
    pub use super::query::Queries;
    pub use super::services::Services;
}

/// What an object is, besides its header: a directory, a symbolic link, or something of which the
/// object manager knows the type and no more.
pub trait Body: From<Directory> + From<SymbolicLink> {
    /// The type that objects with this body have.
    fn kind(&self) -> Kind;
    /// The directory, if it is one.
    fn directory(&self) -> Option<&Directory>;
    /// The same, to change.
    fn directory_mut(&mut self) -> Option<&mut Directory>;
    /// The symbolic link, if it is one.
    fn link(&self) -> Option<&SymbolicLink>;
    /// The same, to change.
    fn link_mut(&mut self) -> Option<&mut SymbolicLink>;
}

/// The system that an object manager is part of: what it has to ask of it.
pub trait System: Sized + 'static {
    /// What objects may be.
    type Body: Body;

    /// The object manager's own state.
    fn ob(&self) -> &Manager<Self>;
    /// The same, to change.
    fn ob_mut(&mut self) -> &mut Manager<Self>;

    /// The process of a thread.
    ///
    /// # Errors
    /// `INVALID_CID`.
    fn caller_process(&self, caller: ThreadId) -> Result<ProcessId>;
    /// The token that a thread acts with.
    ///
    /// # Errors
    /// `INVALID_CID`.
    fn caller_token(&self, caller: ThreadId) -> Result<&Token>;
    /// Whether what a thread does is done in kernel mode, without access checks.
    fn in_kernel_mode(&self, caller: ThreadId) -> bool;
    /// The object that a pseudo handle (of the current process, of the current thread) means.
    ///
    /// # Errors
    /// `INVALID_HANDLE` for every other handle, `INVALID_CID`.
    fn pseudo_handle(&self, caller: ThreadId, handle: Handle) -> Result<(Kind, ObjectId)>;
    /// The process behind a handle that was granted `access`.
    ///
    /// # Errors
    /// As [`lifetime::Lifetimes::resolve`].
    fn process_of_handle(
        &self,
        caller: ThreadId,
        handle: Handle,
        access: Access,
    ) -> Result<ProcessId>;
    /// A process's handles; none once it has ended.
    fn handles(&self, process: ProcessId) -> Option<&HandleTable>;
    /// The same, to change.
    fn handles_mut(&mut self, process: ProcessId) -> Option<&mut HandleTable>;
    /// What `\\??` is for a process.
    ///
    /// # Errors
    /// `INVALID_CID`.
    fn device_map_of(&self, process: ProcessId) -> Result<DeviceMapId>;
    /// Whether the caller belongs to another session than this one and may not make global objects.
    ///
    /// # Errors
    /// `INVALID_CID`.
    fn is_foreign(&self, caller: ThreadId, session: u32) -> Result<bool>;
    /// `DOSDEVICE_DRIVE_` type of a device; none for every other object.
    fn device_drive_type(&self, object: ObjectId) -> Option<u8>;
    /// NT time: 100 ns since 1601.
    fn time(&self) -> u64;
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
pub struct Object<B> {
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
    /// Threads that wait for it, by their tickets: in the order in which they came.
    pub waiters: BTreeMap<u64, ThreadId>,
    /// What it is.
    pub body: B,
}
