// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory management: images, sections, address spaces.

pub mod pe;
#[cfg(test)]
pub(crate) mod pe_tests;
