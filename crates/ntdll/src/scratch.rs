// SPDX-License-Identifier: GPL-2.0-or-later
//! Buffers for answers whose length is not known before: on the stack first, in pages of their own
//! when that is too short.

use crate::memory::Pages;
use nt::Result;

/// Bytes on the stack, aligned as structures of the ABI are.
#[repr(C, align(8))]
pub(crate) struct Scratch<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> Scratch<N> {
    /// Zeroed.
    pub(crate) const fn new() -> Self {
        Self([0; N])
    }
}

/// At least `bytes` zeroed bytes: the given ones, or pages if those are too few.
pub(crate) enum Buffer<'a> {
    /// On the stack.
    Stack(&'a mut [u8]),
    /// In pages of their own.
    Pages(Pages),
}

impl<'a> Buffer<'a> {
    /// `NO_MEMORY` if pages are needed and there are none.
    pub(crate) fn new<const N: usize>(near: &'a mut Scratch<N>, bytes: usize) -> Result<Self> {
        if bytes <= N {
            Ok(Self::Stack(&mut near.0))
        } else {
            Ok(Self::Pages(Pages::allocate(bytes)?))
        }
    }

    /// The bytes.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        match self {
            Self::Stack(bytes) => bytes,
            Self::Pages(pages) => pages.as_mut(),
        }
    }
}
