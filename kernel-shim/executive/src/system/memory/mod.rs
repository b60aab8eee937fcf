// SPDX-License-Identifier: GPL-2.0-or-later
//! Memory's surroundings: the address spaces of [`process`]es, [`sections`] and their handles, and
//! the services of [`virtual_memory`].

pub mod process;
pub mod sections;
pub mod virtual_memory;

pub use sections::SECTION_HOOKS;
