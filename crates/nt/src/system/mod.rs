// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam: every request to the kernel, as traits, one file an area.
//!
//! `ntdll` implements it over `ntdll.dll`; the shim's executive implements it in-process on the
//! host; tests put a layer in front of that to refuse a call, or a double in its place. A method is
//! one system call, or one `Rtl` routine where its name says so; it takes and gives typed values,
//! and an error NTSTATUS comes back as `Err`.
//!
//! Invariants every implementation keeps:
//! * nothing is cached and nothing is retried: what the kernel said is what the caller gets;
//! * a handle that is returned belongs to the caller, who closes it ([`crate::Owned`]);
//! * a method that can block says so; no lock of the caller may be held across it (spec 9.4).

mod files;
mod memory;
mod objects;
mod port_views;
mod ports;
mod processes;
mod registry;
mod system_wide;
mod tokens;

pub use files::{FileAttributes, FileStandard, Files, FsDevice, FsSize};
pub use memory::{Memory, View};
pub use objects::{Created, DirectoryEntry, Objects, Timeout, Wait};
pub use port_views::PortViews;
pub use ports::{
    Accept, MAX_MESSAGE, MessageBuffer, MessageKind, PortHeader, PortLimits, Ports, Received,
};
pub use processes::{
    DeviceMap, DriveType, ExitInformation, ImageSubsystem, ParameterFlags, ProcessParameters,
    Processes, SectionImageInformation, ThreadBody, UserProcessInformation,
};
pub use registry::{Registry, RegistryBoot, ValueInformation, ValueType};
pub use system_wide::{
    BasicInformation, BootStatusItem, HardError, HardErrorOption, HardErrorParameter, Privilege,
    PrivilegeHolder, ProcessorInformation, ShutdownAction, SystemWide, VersionInformation,
};
pub use tokens::{Tokens, User};

/// The whole seam. It is a value, small enough to be handed to every function and kept by whatever
/// makes requests of its own: nothing in ring 3, where all state is the kernel's, a reference on the
/// host. `Send` and `Sync`, because the API threads of smss share it.
pub trait System:
    Objects + Registry + Files + Memory + Ports + Processes + SystemWide + Send + Sync + 'static
{
}

impl<S> System for S where
    S: Objects + Registry + Files + Memory + Ports + Processes + SystemWide + Send + Sync + 'static
{
}
