// SPDX-License-Identifier: GPL-2.0-or-later
//! Texts of any number and length, one behind the other in pages.
//!
//! Text is only ever added, so a [`Span`] stays good for as long as the arena lives. A span of
//! another arena names whatever stands in its place, or nothing.

use crate::pages::PageVec;
use crate::system::Memory;
use crate::{Result, Status, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Where a text stands, in units: where it begins, and above that, from bit 32, its length. One number,
/// so that it is handed on and given back in a register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub struct Span(u64);

impl Span {
    /// No text.
    pub const EMPTY: Self = Self(0);

    /// Both fit: an arena has no more units.
    const fn new(at: usize, length: usize) -> Self {
        Self(at as u64 | (length as u64) << 32)
    }

    const fn at(self) -> usize {
        self.0 as u32 as usize
    }

    const fn len(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// The first `units` units of it.
    pub fn prefix(self, units: usize) -> Self {
        Self::new(self.at(), units.min(self.len()))
    }
}

/// The texts.
#[derive(Debug)]
pub struct TextArena<S: Memory>(PageVec<S, u16>);

impl<S: Memory> TextArena<S> {
    /// No texts; no memory is asked for yet.
    pub const fn new(system: S) -> Self {
        Self(PageVec::new(system))
    }

    /// Makes room for `units` more units.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn reserve(&mut self, units: usize) -> Result<()> {
        self.0.reserve(units)
    }

    /// Adds a copy of `text`.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn add(&mut self, text: UnicodeStr<'_>) -> Result<Span> {
        self.add_with(|units| units.extend(text.units()))
    }

    /// Adds what `write` appends.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn add_with(
        &mut self,
        write: impl FnOnce(&mut PageVec<S, u16>) -> Result<()>,
    ) -> Result<Span> {
        let at = self.0.len();
        write(&mut self.0)?;
        let end = self.0.len();
        u32::try_from(end).map_err(|_| Status::NO_MEMORY)?;
        Ok(Span::new(at, end - at))
    }

    /// Removes all texts; keeps the memory. Spans of before name nothing any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The text of `span`.
    pub fn get(&self, span: Span) -> UnicodeStr<'_> {
        let texts = self.0.as_slice();
        let end = span.at().saturating_add(span.len());
        UnicodeStr(texts.get(span.at()..end).unwrap_or_default())
    }
}
