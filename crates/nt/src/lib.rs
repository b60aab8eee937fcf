// SPDX-License-Identifier: GPL-2.0-or-later
//! The vocabulary of an NT system, and the seam through which every request to its kernel goes.
//!
//! Everything here is safe code without a heap and builds on the host as well as for the NT target.
//! The policy crates know this crate and nothing below it; [`system`] is the seam, implemented
//! twice: by `ntdll` (ring 3, on any NT kernel) and by the shim's executive (in-process, on the
//! host). A test written against the seam is true in both worlds.
//!
//! Invariants: strings are counted UTF-16 and never NUL-terminated unless a type says so; sizes are
//! in bytes unless a name says otherwise; a [`Status`] that is an error travels as `Err`, success
//! codes that matter travel as typed values.
#![no_std]
#![forbid(unsafe_code)]

// What `text_for` writes begins with `::nt`.
extern crate self as nt;
#[cfg(any(test, feature = "steps", feature = "lock-points"))]
extern crate std;

pub mod access;
pub mod arena;
pub mod case;
pub mod environment;
pub mod failure;
pub mod file;
pub mod handle;
pub mod index;
pub mod key;
pub mod lock;
pub mod logging;
pub mod object;
mod once;
pub mod pages;
pub mod path;
pub mod privilege;
pub mod security;
pub mod status;
pub mod steps;
pub mod string;
pub mod system;
pub mod text;
pub mod word;

pub use handle::{Handle, Owned};
pub use nt_macros::text_for;
pub use object::{ClientId, ObjectAttributes};
pub use status::{Result, Status};
pub use string::{UnicodeBuf, UnicodeStr};
pub use system::System;
pub use word::{Gap, Word, by_width, narrowed, widened};
