// SPDX-License-Identifier: GPL-2.0-or-later
//! The Session Manager key: what its values mean (spec 2, 5.1).
//!
//! [`read`] makes one pass over the key in the order of the specification's table and fills a [`Configuration`]: bytes in, typed values
//! out, every error with its value name. [`data`] is the meaning of the bytes and knows no
//! registry. Nothing is acted upon here but what the table says happens during the pass: one-shot
//! values are deleted, object directories are made through a callback.
//!
//! Invariants: a value is read once, whatever its size; lists have no bound but memory; nothing is
//! cut off.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod boot_options;
mod configuration;
pub mod data;
mod pass;
mod reader;
mod store;

pub use boot_options::{debug_print_filter, is_mini_nt};
pub use configuration::Configuration;
pub use pass::{MakeDirectory, read, read_for_session};
pub use reader::RawValue;
