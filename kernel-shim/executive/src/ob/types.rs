// SPDX-License-Identifier: GPL-2.0-or-later
//! Object types: their names, their generic mappings, and the hooks by which the owner of a type
//! keeps its objects.
//!
//! A type is a row of the table that [`super::Manager::new`] is given. The object manager never
//! looks into a body that is not its own, and knows of the others no more than their [`Kind`].

use super::System;
use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::se::{AccessState, GenericMapping};
use alloc::vec::Vec;
use core::any::Any;
use nt::Result;
use nt::access::Access;

/// What a parse hook is asked.
pub struct ParseRequest<'a> {
    /// The calling thread.
    pub caller: ThreadId,
    /// The object that was reached.
    pub object: ObjectId,
    /// What is left of the name after it: empty, or as it was written (with its leading backslash
    /// if it has one).
    pub remaining: &'a [u16],
    /// `OBJ_` attributes of the request.
    pub attributes: u32,
    /// What is wanted, and what has been granted so far.
    pub access: &'a mut AccessState,
    /// The type that is wanted, if one is.
    pub kind: Option<Kind>,
    /// The packet of the module whose service this is (NT's ParseContext): downcast it.
    pub context: Option<&'a mut dyn Any>,
}

/// What a parse hook gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// The object, with a reference that now belongs to the caller of the hook.
    Object(ObjectId),
    /// Start again with this absolute name.
    Reparse(Vec<u16>),
}

/// Continues a name inside an object of the type (NT's ParseProcedure). Also called when nothing of
/// the name is left.
pub type ParseHook<S> = fn(&mut S, ParseRequest<'_>) -> Result<Parsed>;
/// A handle was closed (NT's CloseProcedure): by whom, and whether it was the last one to the
/// object in the whole system.
pub type CloseHook<S> = fn(&mut S, ProcessId, ObjectId, bool);
/// The object is about to go: its body is handed over (NT's DeleteProcedure).
pub type DeleteHook<S> = fn(&mut S, ObjectId, <S as System>::Body);
/// Whether a wait on the object is satisfied (types with a dispatcher header of another module
/// only).
pub type SignalHook<S> = fn(&S, ObjectId) -> bool;
/// The full name of an object whose name is not, or not only, in a directory (NT's
/// QueryNameProcedure).
pub type NameHook<S> = fn(&S, ObjectId) -> Vec<u16>;

/// The hooks of a type.
pub struct Hooks<S: System> {
    /// See [`ParseHook`].
    pub parse: Option<ParseHook<S>>,
    /// See [`CloseHook`].
    pub close: Option<CloseHook<S>>,
    /// See [`DeleteHook`].
    pub delete: Option<DeleteHook<S>>,
    /// See [`SignalHook`].
    pub signalled: Option<SignalHook<S>>,
    /// See [`NameHook`].
    pub name: Option<NameHook<S>>,
}

impl<S: System> Clone for Hooks<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: System> Copy for Hooks<S> {}

impl<S: System> Hooks<S> {
    /// No hooks.
    pub const NONE: Self = Self {
        parse: None,
        close: None,
        delete: None,
        signalled: None,
        name: None,
    };
}

/// A type of objects.
pub struct TypeInfo<S: System> {
    /// The type.
    pub kind: Kind,
    /// Its name, as NtQueryObject and `\ObjectTypes` have it.
    pub name: &'static str,
    /// Its generic mapping.
    pub mapping: GenericMapping,
    /// Every access right there is.
    pub valid: Access,
    /// Even an unnamed object of the type has a security descriptor.
    pub security_required: bool,
    /// The module's hooks.
    pub hooks: Hooks<S>,
}

impl<S: System> TypeInfo<S> {
    /// A type without hooks, whose unnamed objects have no descriptor. `mapping` is what the
    /// generic rights to read, to write, to execute, and all of them mean.
    pub const fn new(kind: Kind, name: &'static str, mapping: [u32; 4]) -> Self {
        let [read, write, execute, all] = mapping;
        let hooks = Hooks::NONE;
        Self {
            kind,
            name,
            mapping: GenericMapping {
                read: Access::from_bits_retain(read),
                write: Access::from_bits_retain(write),
                execute: Access::from_bits_retain(execute),
                all: Access::from_bits_retain(all),
            },
            valid: Access::from_bits_retain(all),
            security_required: false,
            hooks,
        }
    }

    /// The same, with a descriptor for every object.
    pub const fn secured(self) -> Self {
        Self {
            security_required: true,
            ..self
        }
    }

    /// The same, with hooks.
    pub const fn hooked(self, hooks: Hooks<S>) -> Self {
        Self { hooks, ..self }
    }
}

/// The types there are, in the order of their creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A type, in `\ObjectTypes`.
    Type,
    /// Object directory.
    Directory,
    /// Symbolic link object.
    SymbolicLink,
    /// Access token.
    Token,
    /// Process.
    Process,
    /// Thread.
    Thread,
    /// Job.
    Job,
    /// Debug object.
    DebugObject,
    /// Event.
    Event,
    /// Event pair.
    EventPair,
    /// Mutant.
    Mutant,
    /// Callback.
    Callback,
    /// Semaphore.
    Semaphore,
    /// Timer.
    Timer,
    /// Profile.
    Profile,
    /// Keyed event.
    KeyedEvent,
    /// Section.
    Section,
    /// Registry key.
    Key,
    /// LPC port.
    Port,
    /// Waitable LPC port.
    WaitablePort,
    /// Device.
    Device,
    /// Driver.
    Driver,
    /// I/O completion port.
    IoCompletion,
    /// Open file.
    File,
}

impl Kind {
    /// How many types there are.
    pub const COUNT: usize = Self::File as usize + 1;
}
