// SPDX-License-Identifier: GPL-2.0-or-later
//! Rust text as NT stores it: UTF-16 units, and the little-endian bytes of those.

use alloc::vec::Vec;

/// The UTF-16 units of a text, without a terminating NUL.
pub fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// The UTF-16 units of a text as little-endian bytes, without a terminating NUL.
pub fn utf16_bytes(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
