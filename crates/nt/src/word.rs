// SPDX-License-Identifier: GPL-2.0-or-later
//! The width of a pointer, as far as the layouts depend on it.
//!
//! NT writes handles, addresses and process ids as pointers; [`Word`] is such a field. Where a
//! 32-bit field stands before one, a 64-bit NT leaves a gap and a 32-bit NT leaves none: [`Gap`]
//! is that gap. A layout made of these two is right for either width.

/// A field as wide as a pointer of the NT system that this runs on.
#[cfg(target_pointer_width = "64")]
pub type Word = u64;
/// A field as wide as a pointer of the NT system that this runs on.
#[cfg(target_pointer_width = "32")]
pub type Word = u32;

/// What alignment leaves free between a 32-bit field and a [`Word`].
pub type Gap = [u8; size_of::<Word>() - size_of::<u32>()];

/// The one of two sizes or offsets, both in bytes, that holds for the pointer width compiled for.
pub const fn by_width(wide: usize, narrow: usize) -> usize {
    if size_of::<Word>() == 8 { wide } else { narrow }
}

/// A [`Word`] as a number, whatever its width.
#[allow(
    clippy::unnecessary_cast,
    clippy::cast_lossless,
    reason = "a word is as wide as what this is compiled for"
)]
pub const fn widened(word: Word) -> u64 {
    word as u64
}

/// A number as a [`Word`]. What has no room in one is cut off: a 32-bit NT gives no such number.
#[allow(
    clippy::unnecessary_cast,
    reason = "a word is as wide as what this is compiled for"
)]
pub const fn narrowed(number: u64) -> Word {
    number as Word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_as_wide_as_a_pointer_and_stands_aligned_behind_its_gap() {
        assert_eq!(by_width(8, 4), size_of::<*const ()>());
        assert_eq!(by_width(8, 4), size_of::<Word>());
        assert_eq!((size_of::<u32>() + size_of::<Gap>()) % size_of::<Word>(), 0);
    }
}
