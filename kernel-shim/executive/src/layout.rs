// SPDX-License-Identifier: GPL-2.0-or-later
//! The layouts of the ABI as this kernel has them, which is as an x86-64 program has them; and as an
//! i386 program has them, for a system of such programs.
//!
//! Everything in the kernel is written for the wide form. [`Layout`] is where a structure meets the
//! other one: whatever reads or writes user memory goes through [`Architecture::take`] and
//! [`Architecture::bytes_of`], and nothing else has to know that there are two.
//!
//! An address in one of them is a number that nobody has checked.

pub mod context;

use crate::machine::Architecture;
use abi::{file, memory, object, port, process, system};
use alloc::vec::Vec;
use nt::system::SectionImageInformation;
use nt::widened;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

pub use abi::amd64::Context;
pub use abi::file::{FileBasic, FileNetworkOpen, FileStandard, FsDevice, FsSize};
pub use abi::object::ObjectBasic;
pub use abi::system::{ProcessorInformation, TimeOfDay};
pub use abi::{LuidAndAttributes, QualityOfService};
pub use context::has_part;

/// Plain bytes in both directions.
pub trait Plain: FromBytes + IntoBytes + Immutable + KnownLayout + Copy {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy> Plain for T {}

/// A structure that may lie in user memory.
pub trait Layout: Plain {
    /// The same of an i386 program.
    type Narrow: Plain;

    /// What an i386 program has written.
    fn widened(narrow: Self::Narrow) -> Self;

    /// For an i386 program to read.
    fn narrowed(self) -> Self::Narrow;
}

impl Architecture {
    /// Bytes of a `T` in the memory of a program.
    pub const fn size_of<T: Layout>(self) -> usize {
        match self {
            Self::Amd64 => size_of::<T>(),
            Self::I386 => size_of::<T::Narrow>(),
        }
    }

    /// A `T` as it lies in the memory of a program.
    pub fn bytes_of<T: Layout>(self, value: T) -> Vec<u8> {
        match self {
            Self::Amd64 => Vec::from(value.as_bytes()),
            Self::I386 => Vec::from(value.narrowed().as_bytes()),
        }
    }

    /// A `T` out of the memory of a program, whose bytes `read` gives.
    ///
    /// # Errors
    /// What `read` says.
    pub fn take<T: Layout, E>(self, read: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<T, E> {
        match self {
            Self::Amd64 => {
                let mut value = T::new_zeroed();
                read(value.as_mut_bytes())?;
                Ok(value)
            }
            Self::I386 => {
                let mut value = T::Narrow::new_zeroed();
                read(value.as_mut_bytes())?;
                Ok(T::widened(value))
            }
        }
    }
}

/// A pointer, a handle, a SIZE_T: what is as wide as the program's pointers.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(transparent)]
pub struct Word(pub u64);

impl Layout for Word {
    type Narrow = u32;

    fn widened(narrow: u32) -> Self {
        Self(narrow.into())
    }

    fn narrowed(self) -> u32 {
        self.0 as u32
    }
}

macro_rules! the_same_for_all {
    ($($layout:ty)*) => {
        $(
            impl Layout for $layout {
                type Narrow = Self;

                fn widened(narrow: Self) -> Self {
                    narrow
                }

                fn narrowed(self) -> Self {
                    self
                }
            }
        )*
    };
}

the_same_for_all! {
    u8 u16 u32 u64 i32 i64
    FileBasic FileNetworkOpen FileStandard FsDevice FsSize LuidAndAttributes ObjectBasic
    ProcessorInformation QualityOfService TimeOfDay
}

impl<T: Plain, const N: usize> Layout for [T; N] {
    type Narrow = Self;

    fn widened(narrow: Self) -> Self {
        narrow
    }

    fn narrowed(self) -> Self {
        self
    }
}

macro_rules! as_wide_as_a_pointer {
    ($($name:ident = $($path:ident)::+ $(, $special:ident)?;)*) => {
        $(
            #[doc = concat!("[`", stringify!($($path)::+), "`] of this kernel.")]
            pub type $name = $($path)::+<u64>;

            impl Layout for $name {
                type Narrow = $($path)::+<u32>;

                fn widened(narrow: Self::Narrow) -> Self {
                    let wide = Self::from(narrow);
                    $(let wide = $special::widened(wide);)?
                    wide
                }

                fn narrowed(self) -> Self::Narrow {
                    let wide = self;
                    $(let wide = $special::narrowed(wide);)?
                    wide.into()
                }
            }
        )*
    };
}

as_wide_as_a_pointer! {
    UnicodeString = abi::UnicodeString;
    ClientId = abi::ClientId;
    ObjectAttributes = abi::ObjectAttributes;
    IoStatusBlock = abi::IoStatusBlock;
    SidAndAttributes = abi::SidAndAttributes;
    PortMessage = port::PortMessage, message;
    PortView = port::PortView;
    RemotePortView = port::RemotePortView;
    InitialTeb = process::InitialTeb;
    BasicInformation = system::BasicInformation;
    PageFileInformation = system::PageFileInformation;
    ProcessEntry = system::ProcessEntry;
    ThreadEntry = system::ThreadEntry;
    ProcessBasic = process::ProcessBasic;
    ThreadBasic = process::ThreadBasic;
    SectionImage = process::SectionImage;
    MemoryBasic = memory::MemoryBasic;
    SectionBasic = memory::SectionBasic;
    DirectoryEntry = object::DirectoryEntry;
    FileRename = file::FileRename;
    ExceptionRecord = process::ExceptionRecord;
    ProcessParameters = process::ProcessParameters;
    Peb = process::Peb;
    Teb = process::Teb;
}

/// Where a field of one of these layouts lies in the memory of a program of this architecture:
/// `offset!(architecture, Teb, stack_limit)`.
macro_rules! offset {
    ($architecture:expr, $layout:ident, $field:ident) => {
        match $architecture {
            $crate::machine::Architecture::Amd64 => {
                core::mem::offset_of!($crate::layout::$layout, $field) as u64
            }
            $crate::machine::Architecture::I386 => {
                type Narrow = <$crate::layout::$layout as $crate::layout::Layout>::Narrow;
                core::mem::offset_of!(Narrow, $field) as u64
            }
        }
    };
}

pub(crate) use offset;

/// What the seam tells of an image, which is as wide there as this is compiled for.
pub fn section_image(from: &SectionImageInformation) -> SectionImage {
    SectionImage {
        transfer_address: widened(from.transfer_address),
        zero_bits: from.zero_bits,
        padding: Default::default(),
        maximum_stack_size: widened(from.maximum_stack_size),
        committed_stack_size: widened(from.committed_stack_size),
        subsystem: from.subsystem.0,
        minor_version: from.minor_version,
        major_version: from.major_version,
        gp_value: from.gp_value,
        image_characteristics: from.image_characteristics,
        dll_characteristics: from.dll_characteristics,
        machine: from.machine,
        image_contains_code: from.image_contains_code,
        spare: from.spare,
        loader_flags: from.loader_flags,
        image_file_size: from.image_file_size,
        reserved: from.reserved,
    }
}

/// A message counts its own header, which is shorter for an i386 program.
pub mod message {
    use super::{Architecture, PortMessage};

    /// By how many bytes this kernel's header of a message is longer than that of a program.
    pub const fn longer(architecture: Architecture) -> u16 {
        (size_of::<PortMessage>() - architecture.size_of::<PortMessage>()) as u16
    }

    /// A header whose length counts that of an i386 program, for this kernel.
    pub(super) const fn widened(header: PortMessage) -> PortMessage {
        PortMessage {
            total_length: header
                .total_length
                .saturating_add(longer(Architecture::I386)),
            ..header
        }
    }

    /// The same for an i386 program.
    pub(super) const fn narrowed(header: PortMessage) -> PortMessage {
        PortMessage {
            total_length: header
                .total_length
                .saturating_sub(longer(Architecture::I386)),
            ..header
        }
    }
}

#[cfg(test)]
mod tests;
