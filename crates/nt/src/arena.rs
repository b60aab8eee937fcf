// SPDX-License-Identifier: GPL-2.0-or-later
//! Texts of any number and length, one behind the other in pages.
//!
//! Text is only ever added, so a [`Span`] stays good for as long as the arena lives. A span of
//! another arena names whatever stands in its place, or nothing.

use crate::pages::PageVec;
use crate::system::Memory;
use crate::{Result, Status, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Where a text stands, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Span {
    at: u32,
    length: u32,
}

impl Span {
    /// No text.
    pub const EMPTY: Self = Self { at: 0, length: 0 };

    /// The first `units` units of it.
    pub fn prefix(self, units: usize) -> Self {
        let length = u32::try_from(units).map_or(self.length, |units| units.min(self.length));
        Self { length, ..self }
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
        let place = |units: usize| u32::try_from(units).map_err(|_| Status::NO_MEMORY);
        let at = self.0.len();
        write(&mut self.0)?;
        Ok(Span {
            at: place(at)?,
            length: place(self.0.len().saturating_sub(at))?,
        })
    }

    /// Removes all texts; keeps the memory. Spans of before name nothing any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The text of `span`.
    pub fn get(&self, span: Span) -> UnicodeStr<'_> {
        let (at, length) = (span.at as usize, span.length as usize);
        let texts = self.0.as_slice();
        UnicodeStr(texts.get(at..at.saturating_add(length)).unwrap_or_default())
    }
}
