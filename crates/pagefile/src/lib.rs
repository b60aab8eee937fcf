// SPDX-License-Identifier: GPL-2.0-or-later
//! Paging files: what the registry asks for, where there is room for it, and how it is made (spec
//! 4).
//!
//! [`token::parse`] and [`sizing::sizes`] are pure; [`create_paging_files`] surveys the volumes
//! when the first token needs them, and tries. Nothing here stops the boot.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod create;
mod dump;
pub mod sizing;
pub mod token;
mod volumes;

pub use create::create_paging_files;
pub use dump::is_dump;
