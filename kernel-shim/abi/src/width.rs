// SPDX-License-Identifier: GPL-2.0-or-later
//! The width of a pointer: the only thing in which the layouts of a 64-bit and a 32-bit NT differ.

use core::fmt::Debug;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A pointer, a handle or a SIZE_T as a number: nobody has checked what it points to.
pub trait Pointer:
    Copy + Default + Debug + Eq + Into<u64> + FromBytes + IntoBytes + Immutable + KnownLayout
{
    /// What lies between a single 32-bit field and the pointer after it.
    type Padding: Copy + Default + Debug + Eq + FromBytes + IntoBytes + Immutable + KnownLayout;
    /// What lies before a 64-bit number that an odd number of 32-bit pointers would misalign.
    type Filler: Copy + Default + Debug + Eq + FromBytes + IntoBytes + Immutable + KnownLayout;
}

impl Pointer for u64 {
    type Padding = [u8; 4];
    type Filler = [u8; 0];
}

impl Pointer for u32 {
    type Padding = [u8; 0];
    type Filler = [u8; 4];
}

/// The pointer of the machine this is compiled for, for code that runs above NT.
#[cfg(target_pointer_width = "64")]
pub type Native = u64;
/// The pointer of the machine this is compiled for, for code that runs above NT.
#[cfg(target_pointer_width = "32")]
pub type Native = u32;
