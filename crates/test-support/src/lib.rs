// SPDX-License-Identifier: GPL-2.0-or-later
//! What the tests of more than one crate need and no image may contain: a heap behind the memory
//! side of the seam, a layer that notes and refuses calls, what is said in the log, and the
//! executive's host with a Session Manager that does one thing. A dev-dependency only.
#![forbid(unsafe_code)]

#[cfg(feature = "host")]
pub mod host;
mod interceptor;
mod log;
mod memory;

pub use interceptor::{Call, Child, Interceptor, Volume};
pub use log::warnings;
pub use memory::{Heap, Pages};

/// A text in UTF-16.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A text in UTF-16, little-endian, as registry data has it.
pub fn bytes(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
