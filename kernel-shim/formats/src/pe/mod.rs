// SPDX-License-Identifier: GPL-2.0-or-later
//! Portable executables, PE32+ for x86-64 and PE32 for i386: one reader for all that map, bind or
//! build them.
//!
//! Two ways of looking at an image. The memory manager has a *file*: [`Image::parse`] refuses every
//! one that cannot be mapped. A loader has a *view*, the image as it lies in memory, where a
//! relative virtual address (RVA) is an index: [`Headers::read`] and then [`Exports`], [`imports()`]
//! and [`relocation_blocks`] walk it through the [`View`] trait, so that the shim's ntdll.dll can
//! use them on memory that other threads write.
//!
//! Invariants: nothing here panics or trusts a number of the image; a walk ends at the latest where
//! the view ends; whether a data directory is there is decided in [`Headers::directory`] alone.

pub mod build;
mod exports;
mod headers;
mod image;
mod imports;
mod relocations;
#[cfg(test)]
mod tests;

pub use exports::{Exports, Target};
pub use headers::{Directory, Headers, MACHINE_AMD64, MACHINE_I386, directory};
pub use image::{Image, Piece, SCN_EXECUTE, SCN_READ, SCN_SHARED, SCN_WRITE, Section};
pub use imports::{Import, imports, symbols};
pub use relocations::{Block, relocation_blocks};

use core::fmt;
use nt::Status;

/// Why a file is no image, or a view's tables are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeError {
    /// What NtCreateSection answers.
    pub status: Status,
    /// Offset in the file, or relative virtual address in a view.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for PeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "image, offset {:#x}: {}: {}",
            self.offset, self.reason, self.status
        )
    }
}

impl core::error::Error for PeError {}

/// What the functions here answer.
pub type Parsed<T> = Result<T, PeError>;

fn bad<T>(offset: usize, reason: &'static str) -> Parsed<T> {
    Err(PeError {
        status: Status::INVALID_IMAGE_FORMAT,
        offset,
        reason,
    })
}

/// What a linker's name or number stands for in an import or export table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol<'a> {
    /// By its name, with the place in the export table where it probably stands.
    Name(&'a [u8], usize),
    /// By its ordinal.
    Ordinal(u16),
}

/// An image as it lies in memory, by relative virtual address.
///
/// Not a plain slice, because a loader's view is memory that others write as well.
pub trait View<'a>: Copy {
    /// The `N` bytes at an address; none outside the image.
    fn bytes<const N: usize>(self, rva: usize) -> Option<[u8; N]>;

    /// The NUL-terminated text at an address, without the NUL; none if it leaves the image.
    fn text(self, rva: usize) -> Option<&'a [u8]>;
}

impl<'a> View<'a> for &'a [u8] {
    fn bytes<const N: usize>(self, rva: usize) -> Option<[u8; N]> {
        self.get(rva..)?.first_chunk().copied()
    }

    fn text(self, rva: usize) -> Option<&'a [u8]> {
        let rest = self.get(rva..)?;
        rest.get(..rest.iter().position(|&byte| byte == 0)?)
    }
}

fn u16_in<'a>(view: impl View<'a>, rva: usize) -> Parsed<u16> {
    number(view, rva).map(u16::from_le_bytes)
}

fn u32_in<'a>(view: impl View<'a>, rva: usize) -> Parsed<u32> {
    number(view, rva).map(u32::from_le_bytes)
}

fn u64_in<'a>(view: impl View<'a>, rva: usize) -> Parsed<u64> {
    number(view, rva).map(u64::from_le_bytes)
}

/// An address: `word` bytes of it, 8 or 4.
fn word_in<'a>(view: impl View<'a>, rva: usize, word: usize) -> Parsed<u64> {
    if word == size_of::<u64>() {
        u64_in(view, rva)
    } else {
        u32_in(view, rva).map(u64::from)
    }
}

fn number<'a, const N: usize>(view: impl View<'a>, rva: usize) -> Parsed<[u8; N]> {
    view.bytes(rva)
        .map_or_else(|| bad(rva, "a table runs out of the image"), Ok)
}

fn text_in<'a>(view: impl View<'a>, rva: usize) -> Parsed<&'a [u8]> {
    view.text(rva)
        .map_or_else(|| bad(rva, "a name runs out of the image"), Ok)
}
