// SPDX-License-Identifier: GPL-2.0-or-later
//! What objects there are: the bodies that the areas give the object manager to keep, and the table
//! of types that it is given for them.

use super::Executive;
use crate::ids::{ProcessId, ThreadId};
use crate::ob::{self, Directory, Kind, SymbolicLink, TypeInfo};
use crate::se::Token;
use crate::{cm, io, ke, lpc, mm};
use alloc::boxed::Box;

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
    Token(Box<Token>),
    /// A process: it lives in the table of processes.
    Process(ProcessId),
    /// A thread: it lives in the table of threads.
    Thread(ThreadId),
    /// Event.
    Event(ke::Event),
    /// Mutant.
    Mutant(ke::Mutant),
    /// Semaphore.
    Semaphore(ke::Semaphore),
    /// Keyed event.
    KeyedEvent(ke::KeyedEvent),
    /// LPC port.
    Port(lpc::PortId),
    /// Section.
    Section(mm::Section),
    /// Registry key.
    Key(cm::KeyBody),
    /// Device.
    Device(io::Device),
    /// Driver.
    Driver,
    /// Open file.
    File(io::File),
    /// A callback object: nothing of it is visible from outside.
    Callback,
}

impl ob::Body for Body {
    fn kind(&self) -> Kind {
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

    fn directory(&self) -> Option<&Directory> {
        match self {
            Self::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    fn directory_mut(&mut self) -> Option<&mut Directory> {
        match self {
            Self::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    fn link(&self) -> Option<&SymbolicLink> {
        match self {
            Self::SymbolicLink(link) => Some(link),
            _ => None,
        }
    }

    fn link_mut(&mut self) -> Option<&mut SymbolicLink> {
        match self {
            Self::SymbolicLink(link) => Some(link),
            _ => None,
        }
    }
}

impl From<Directory> for Body {
    fn from(directory: Directory) -> Self {
        Self::Directory(directory)
    }
}

impl From<SymbolicLink> for Body {
    fn from(link: SymbolicLink) -> Self {
        Self::SymbolicLink(link)
    }
}

/// Every type, by its place in [`Kind`].
pub static TYPES: [TypeInfo<Executive>; 24] = [
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
    .hooked(super::processes::PROCESS_HOOKS),
    TypeInfo::new(
        Kind::Thread,
        "Thread",
        [0x2_0048, 0x2_0037, 0x12_0000, 0x1F_03FF],
    )
    .secured()
    .hooked(super::processes::THREAD_HOOKS),
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
    )
    .hooked(super::locks::MUTANT_HOOKS),
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
    .hooked(super::memory::SECTION_HOOKS),
    TypeInfo::new(Kind::Key, "Key", [0x2_0019, 0x2_0006, 0x2_0019, 0xF_003F])
        .secured()
        .hooked(super::registry::KEY_HOOKS),
    TypeInfo::new(Kind::Port, "Port", [0x2_0001, 0x1_0001, 0x0, 0x1F_0001])
        .hooked(super::ports::PORT_HOOKS),
    TypeInfo::new(
        Kind::WaitablePort,
        "WaitablePort",
        [0x2_0001, 0x1_0001, 0x0, 0x1F_0001],
    )
    .hooked(super::ports::PORT_HOOKS),
    TypeInfo::new(
        Kind::Device,
        "Device",
        [0x12_0089, 0x12_0116, 0x12_00A0, 0x1F_01FF],
    )
    .hooked(super::files::DEVICE_HOOKS),
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
    .hooked(super::files::FILE_HOOKS),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_stands_at_its_place() {
        for (place, info) in TYPES.iter().enumerate() {
            assert_eq!(info.kind as usize, place, "{}", info.name);
        }
    }

    #[test]
    fn generic_all_means_the_masks_of_the_specification() {
        // Spec 0.4, all-access masks.
        let all = |kind: Kind| {
            TYPES[kind as usize]
                .mapping
                .map(nt::access::Access::GENERIC_ALL)
                .bits()
        };
        assert_eq!(all(Kind::Directory), 0x000F_000F);
        assert_eq!(all(Kind::SymbolicLink), 0x000F_0001);
        assert_eq!(all(Kind::Event), 0x001F_0003);
        assert_eq!(all(Kind::Section), 0x000F_001F);
        assert_eq!(all(Kind::Process), 0x001F_0FFF);
        assert_eq!(all(Kind::Thread), 0x001F_03FF);
        assert_eq!(all(Kind::Port), 0x001F_0001);
    }
}
