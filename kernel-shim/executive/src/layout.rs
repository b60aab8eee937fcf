// SPDX-License-Identifier: GPL-2.0-or-later
//! The layouts of the ABI with the width of this kernel's programs: x86-64, so far the only one.
//!
//! An address in one of them is a number that nobody has checked.

use abi::{file, memory, object, port, process, system};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use abi::amd64::Context;
pub use abi::file::{FileBasic, FileNetworkOpen, FileStandard, FsDevice, FsSize};
pub use abi::object::ObjectBasic;
pub use abi::system::{ProcessorInformation, TimeOfDay};
pub use abi::{LuidAndAttributes, QualityOfService};

/// A structure that may lie in user memory.
pub trait Layout: FromBytes + IntoBytes + Immutable + KnownLayout + Copy {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy> Layout for T {}

/// A pointer, a handle, a SIZE_T.
pub type Word = u64;

macro_rules! width_of_the_programs {
    ($($name:ident = $path:path;)*) => {
        $(
            #[doc = concat!("[`", stringify!($path), "`] of an x86-64 program.")]
            pub type $name = $path;
        )*
    };
}

width_of_the_programs! {
    UnicodeString = abi::UnicodeString<Word>;
    ClientId = abi::ClientId<Word>;
    ObjectAttributes = abi::ObjectAttributes<Word>;
    IoStatusBlock = abi::IoStatusBlock<Word>;
    PortMessage = port::PortMessage<Word>;
    PortView = port::PortView<Word>;
    RemotePortView = port::RemotePortView<Word>;
    InitialTeb = process::InitialTeb<Word>;
    BasicInformation = system::BasicInformation<Word>;
    PageFileInformation = system::PageFileInformation<Word>;
    ProcessEntry = system::ProcessEntry<Word>;
    ThreadEntry = system::ThreadEntry<Word>;
    ProcessBasic = process::ProcessBasic<Word>;
    ThreadBasic = process::ThreadBasic<Word>;
    MemoryBasic = memory::MemoryBasic<Word>;
    SectionBasic = memory::SectionBasic<Word>;
    DirectoryEntry = object::DirectoryEntry<Word>;
    FileRename = file::FileRename<Word>;
    ExceptionRecord = process::ExceptionRecord<Word>;
    ProcessParameters = process::ProcessParameters<Word>;
    Peb = process::Peb<Word>;
    Teb = process::Teb<Word>;
}

/// Whether a CONTEXT's flags say that `part` (`CONTEXT_`) counts.
pub const fn has_part(context: &Context, part: u32) -> bool {
    context.flags & part == part
}
