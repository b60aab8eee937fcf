// SPDX-License-Identifier: GPL-2.0-or-later
//! The NT executive of the shim.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod blocks;
pub mod cm;
pub mod dump;
pub mod harderror;
pub mod hive;
pub mod ids;
pub mod io;
pub mod lpc;
pub mod machine;
pub mod mm;
pub mod nls;
pub mod services;
pub mod sysinfo;
pub mod trace;
