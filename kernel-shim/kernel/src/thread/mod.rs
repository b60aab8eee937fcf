// SPDX-License-Identifier: GPL-2.0-or-later
//! What ring 3 sees of the machine: its blocks, the shared data page, how exceptions and APCs reach
//! it.

pub mod deliver;
pub mod shared_data;
