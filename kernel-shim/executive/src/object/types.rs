// SPDX-License-Identifier: GPL-2.0-or-later
//! Object types: their names, their generic mappings, and the hooks by which other modules keep
//! their objects.
//!
//! A type is a row of [`INFO`]. A module that owns a type writes its row's hooks in its own file;
//! the object manager never looks into a body that is not its own.

use super::security::AccessState;
use crate::Executive;
use crate::ids::{ObjectId, ProcessId, ThreadId};
use alloc::vec::Vec;
use core::any::Any;
use nt::Result;

/// GENERIC_MAPPING.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenericMapping {
    /// What `GENERIC_READ` means.
    pub read: u32,
    /// What `GENERIC_WRITE` means.
    pub write: u32,
    /// What `GENERIC_EXECUTE` means.
    pub execute: u32,
    /// What `GENERIC_ALL` means.
    pub all: u32,
}

impl GenericMapping {
    /// RtlMapGenericMask.
    pub const fn map(self, mask: u32) -> u32 {
        let mut mapped = mask & 0x0FFF_FFFF;
        if mask & 0x8000_0000 != 0 {
            mapped |= self.read;
        }
        if mask & 0x4000_0000 != 0 {
            mapped |= self.write;
        }
        if mask & 0x2000_0000 != 0 {
            mapped |= self.execute;
        }
        if mask & 0x1000_0000 != 0 {
            mapped |= self.all;
        }
        mapped
    }
}

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
pub type ParseHook = fn(&mut Executive, ParseRequest<'_>) -> Result<Parsed>;
/// A handle was closed (NT's CloseProcedure): by whom, and whether it was the last one to the
/// object in the whole system.
pub type CloseHook = fn(&mut Executive, ProcessId, ObjectId, bool);
/// The object is about to go: its body is handed over (NT's DeleteProcedure).
pub type DeleteHook = fn(&mut Executive, ObjectId, super::Body);
/// Whether a wait on the object is satisfied (types with a dispatcher header of another module
/// only).
pub type SignalHook = fn(&Executive, ObjectId) -> bool;

/// The hooks of a type.
#[derive(Clone, Copy, Default)]
pub struct Hooks {
    /// See [`ParseHook`].
    pub parse: Option<ParseHook>,
    /// See [`CloseHook`].
    pub close: Option<CloseHook>,
    /// See [`DeleteHook`].
    pub delete: Option<DeleteHook>,
    /// See [`SignalHook`].
    pub signalled: Option<SignalHook>,
}

impl Hooks {
    /// No hooks.
    pub const NONE: Self = Self {
        parse: None,
        close: None,
        delete: None,
        signalled: None,
    };
}

/// A type of objects.
#[derive(Clone, Copy)]
pub struct TypeInfo {
    /// The type.
    pub kind: Kind,
    /// Its name, as NtQueryObject and `\ObjectTypes` have it.
    pub name: &'static str,
    /// Its generic mapping.
    pub mapping: GenericMapping,
    /// Every access right there is.
    pub valid: u32,
    /// Even an unnamed object of the type has a security descriptor.
    pub security_required: bool,
    /// The module's hooks.
    pub hooks: Hooks,
}

impl TypeInfo {
    const fn new(kind: Kind, name: &'static str, mapping: [u32; 4]) -> Self {
        let [read, write, execute, all] = mapping;
        let hooks = Hooks::NONE;
        Self {
            kind,
            name,
            mapping: GenericMapping {
                read,
                write,
                execute,
                all,
            },
            valid: all,
            security_required: false,
            hooks,
        }
    }

    const fn secured(self) -> Self {
        Self {
            security_required: true,
            ..self
        }
    }

    const fn hooked(self, hooks: Hooks) -> Self {
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
    /// What the type is like.
    pub fn info(self) -> &'static TypeInfo {
        &INFO[self as usize]
    }
}

/// Every type, by its place in [`Kind`].
pub static INFO: [TypeInfo; 24] = [
    TypeInfo::new(Kind::Type, "Type", [0x2_0000, 0x2_0000, 0x2_0000, 0xF_0001]),
    TypeInfo::new(
        Kind::Directory,
        "Directory",
        [0x2_0003, 0x2_000C, 0x2_0003, 0xF_000F],
    )
    .secured(),
    TypeInfo::new(
        Kind::SymbolicLink,
        "SymbolicLink",
        [0x2_0001, 0x2_0000, 0x2_0001, 0xF_0001],
    )
    .secured(),
    TypeInfo::new(
        Kind::Token,
        "Token",
        [0x2_001A, 0x2_00E0, 0x2_0004, 0xF_01FF],
    )
    .secured(),
    TypeInfo::new(
        Kind::Process,
        "Process",
        [0x2_0410, 0x2_0BEB, 0x12_0000, 0x1F_0FFF],
    )
    .secured()
    .hooked(crate::process::PROCESS_HOOKS),
    TypeInfo::new(
        Kind::Thread,
        "Thread",
        [0x2_0048, 0x2_0037, 0x12_0000, 0x1F_03FF],
    )
    .secured()
    .hooked(crate::process::THREAD_HOOKS),
    TypeInfo::new(Kind::Job, "Job", [0x2_0004, 0x2_000B, 0x12_0000, 0x1F_001F]).secured(),
    TypeInfo::new(
        Kind::DebugObject,
        "DebugObject",
        [0x2_0001, 0x2_0002, 0x12_0000, 0x1F_000F],
    )
    .secured(),
    TypeInfo::new(
        Kind::Event,
        "Event",
        [0x2_0001, 0x2_0002, 0x12_0000, 0x1F_0003],
    ),
    TypeInfo::new(
        Kind::EventPair,
        "EventPair",
        [0x12_0000, 0x12_0000, 0x12_0000, 0x1F_0000],
    ),
    TypeInfo::new(
        Kind::Mutant,
        "Mutant",
        [0x2_0001, 0x2_0000, 0x12_0000, 0x1F_0001],
    ),
    TypeInfo::new(
        Kind::Callback,
        "Callback",
        [0x2_0000, 0x2_0001, 0x12_0000, 0x1F_0001],
    ),
    TypeInfo::new(
        Kind::Semaphore,
        "Semaphore",
        [0x2_0001, 0x2_0002, 0x12_0000, 0x1F_0003],
    ),
    TypeInfo::new(
        Kind::Timer,
        "Timer",
        [0x2_0001, 0x2_0002, 0x12_0000, 0x1F_0003],
    ),
    TypeInfo::new(
        Kind::Profile,
        "Profile",
        [0x2_0001, 0x2_0001, 0x2_0001, 0xF_0001],
    ),
    TypeInfo::new(
        Kind::KeyedEvent,
        "KeyedEvent",
        [0x2_0001, 0x2_0002, 0x2_0000, 0xF_0003],
    ),
    TypeInfo::new(
        Kind::Section,
        "Section",
        [0x2_0005, 0x2_0002, 0x2_0008, 0xF_001F],
    )
    .hooked(crate::mm::SECTION_HOOKS),
    TypeInfo::new(Kind::Key, "Key", [0x2_0019, 0x2_0006, 0x2_0019, 0xF_003F])
        .secured()
        .hooked(crate::cm::KEY_HOOKS),
    TypeInfo::new(Kind::Port, "Port", [0x2_0001, 0x1_0001, 0x0, 0x1F_0001])
        .hooked(crate::services::PORT_HOOKS),
    TypeInfo::new(
        Kind::WaitablePort,
        "WaitablePort",
        [0x2_0001, 0x1_0001, 0x0, 0x1F_0001],
    )
    .hooked(crate::services::PORT_HOOKS),
    TypeInfo::new(
        Kind::Device,
        "Device",
        [0x12_0089, 0x12_0116, 0x12_00A0, 0x1F_01FF],
    )
    .hooked(crate::io::DEVICE_HOOKS),
    TypeInfo::new(
        Kind::Driver,
        "Driver",
        [0x12_0089, 0x12_0116, 0x12_00A0, 0x1F_01FF],
    ),
    TypeInfo::new(
        Kind::IoCompletion,
        "IoCompletion",
        [0x2_0001, 0x2_0002, 0x12_0000, 0x1F_0003],
    ),
    TypeInfo::new(
        Kind::File,
        "File",
        [0x12_0089, 0x12_0116, 0x12_00A0, 0x1F_01FF],
    )
    .hooked(crate::io::FILE_HOOKS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_stands_at_its_place() {
        for (place, info) in INFO.iter().enumerate() {
            assert_eq!(info.kind as usize, place, "{}", info.name);
        }
    }

    #[test]
    fn generic_all_means_the_masks_of_the_specification() {
        // Spec 0.4, all-access masks.
        let all = |kind: Kind| kind.info().mapping.map(0x1000_0000);
        assert_eq!(all(Kind::Directory), 0x000F_000F);
        assert_eq!(all(Kind::SymbolicLink), 0x000F_0001);
        assert_eq!(all(Kind::Event), 0x001F_0003);
        assert_eq!(all(Kind::Section), 0x000F_001F);
        assert_eq!(all(Kind::Process), 0x001F_0FFF);
        assert_eq!(all(Kind::Thread), 0x001F_03FF);
        assert_eq!(all(Kind::Port), 0x001F_0001);
    }
}
