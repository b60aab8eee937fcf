// SPDX-License-Identifier: GPL-2.0-or-later
//! A growable vector in pages asked of the kernel, for what has no bound known at compile time.
//!
//! There is no heap in a session manager: the environment block, the lists of the registry pass and
//! the closure of known DLLs live here. Elements are plain data, so that the pages' bytes are the
//! elements.
//!
//! Invariants: nothing is allocated before the first element; growth doubles, so that the commit is
//! at most twice what is held (three times while growing); a growth that the kernel refuses changes
//! nothing and is reported.

use crate::system::Memory;
use crate::{Result, Status, UnicodeStr, steps};
use core::marker::PhantomData;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of the first allocation.
const FIRST: usize = 4096;

/// What may live in a [`PageVec`]: plain data of no padding, valid for any bytes.
pub trait Plain: FromBytes + IntoBytes + Immutable + KnownLayout + Copy {}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy> Plain for T {}

/// A growable vector of plain data in pages of the seam.
pub struct PageVec<S: Memory, T> {
    bytes: PageBytes<S>,
    element: PhantomData<T>,
}

impl<S: Memory, T: Plain> PageVec<S, T> {
    /// An empty vector; no memory is asked for yet.
    pub const fn new(system: S) -> Self {
        Self {
            bytes: PageBytes {
                system,
                pages: None,
                length: 0,
            },
            element: PhantomData,
        }
    }

    /// The seam its pages come from.
    pub const fn system(&self) -> S {
        self.bytes.system
    }

    /// The elements.
    pub fn as_slice(&self) -> &[T] {
        <[T]>::ref_from_bytes(self.bytes.held()).unwrap_or_default()
    }

    /// The elements, to change in place.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        <[T]>::mut_from_bytes(self.bytes.held_mut()).unwrap_or_default()
    }

    /// One element. Unlike a look at all of them it takes no division.
    pub fn get(&self, index: usize) -> Option<&T> {
        let bytes = self.as_bytes().get(index.checked_mul(size_of::<T>())?..)?;
        T::ref_from_bytes(bytes.get(..size_of::<T>())?).ok()
    }

    /// One element, to change in place.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        let bytes = self.as_mut_bytes();
        let bytes = bytes.get_mut(index.checked_mul(size_of::<T>())?..)?;
        T::mut_from_bytes(bytes.get_mut(..size_of::<T>())?).ok()
    }

    /// The bytes of the elements.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.held()
    }

    /// The bytes of the elements, to change in place.
    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8] {
        self.bytes.held_mut()
    }

    /// Number of elements.
    pub const fn len(&self) -> usize {
        self.bytes.length / size_of::<T>()
    }

    /// Whether there is no element.
    pub const fn is_empty(&self) -> bool {
        self.bytes.length == 0
    }

    /// Bytes asked of the kernel.
    pub fn committed(&self) -> usize {
        self.bytes.committed()
    }

    /// Makes room for `additional` more elements.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn reserve(&mut self, additional: usize) -> Result<()> {
        self.bytes.reserve(
            additional
                .checked_mul(size_of::<T>())
                .ok_or(Status::NO_MEMORY)?,
        )
    }

    /// Appends one element.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn push(&mut self, element: T) -> Result<()> {
        self.extend(&[element])
    }

    /// Appends all of `elements`.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn extend(&mut self, elements: &[T]) -> Result<()> {
        self.bytes.append(elements.as_bytes())
    }

    /// Removes everything after the first `length` elements; keeps the memory.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.length = self.bytes.length.min(length.saturating_mul(size_of::<T>()));
    }

    /// Removes everything; keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.length = 0;
    }
}

/// The bytes of the elements: one piece of code for elements of every type.
struct PageBytes<S: Memory> {
    system: S,
    pages: Option<S::Pages>,
    length: usize,
}

impl<S: Memory> PageBytes<S> {
    #[inline]
    fn held(&self) -> &[u8] {
        let Some(pages) = &self.pages else { return &[] };
        pages.as_ref().get(..self.length).unwrap_or_default()
    }

    fn held_mut(&mut self) -> &mut [u8] {
        let Some(pages) = &mut self.pages else {
            return &mut [];
        };
        pages.as_mut().get_mut(..self.length).unwrap_or_default()
    }

    fn committed(&self) -> usize {
        self.pages.as_ref().map_or(0, |pages| pages.as_ref().len())
    }

    #[inline(never)]
    fn reserve(&mut self, additional: usize) -> Result<()> {
        let wanted = self
            .length
            .checked_add(additional)
            .ok_or(Status::NO_MEMORY)?;
        if wanted <= self.committed() {
            return Ok(());
        }
        let mut pages = self.system.allocate_pages(
            wanted
                .checked_next_power_of_two()
                .unwrap_or(wanted)
                .max(FIRST),
        )?;
        let held = self.held();
        pages
            .as_mut()
            .get_mut(..held.len())
            .ok_or(Status::NO_MEMORY)?
            .copy_from_slice(held);
        steps::took(held.len() / 2);
        self.pages = Some(pages);
        Ok(())
    }

    #[inline(never)]
    fn append(&mut self, data: &[u8]) -> Result<()> {
        steps::took(data.len() / 2);
        if !self.put(data) {
            self.reserve(data.len())?;
            self.put(data);
        }
        Ok(())
    }

    /// Appends `data` if there is room.
    fn put(&mut self, data: &[u8]) -> bool {
        let Some(pages) = &mut self.pages else {
            return false;
        };
        let end = self.length.saturating_add(data.len());
        let Some(room) = pages.as_mut().get_mut(self.length..end) else {
            return false;
        };
        room.copy_from_slice(data);
        self.length = end;
        true
    }
}

impl<S: Memory> PageVec<S, u16> {
    /// The units as a string.
    pub fn as_str(&self) -> UnicodeStr<'_> {
        UnicodeStr(self.as_slice())
    }
}

impl<S: Memory, T: Plain + core::fmt::Debug> core::fmt::Debug for PageVec<S, T> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_list().entries(self.as_slice()).finish()
    }
}
