// SPDX-License-Identifier: GPL-2.0-or-later
//! Real ReactOS media and build trees: our image in the place of the original.

pub mod boot;
pub mod cabinet;
pub mod compare;
pub mod extract;
pub mod image;
pub mod install;
pub mod iso9660;
mod judge;
pub mod live_cd;
pub mod pack;
pub mod programs;
pub mod small_disc;
pub mod volume;
