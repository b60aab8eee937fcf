// SPDX-License-Identifier: GPL-2.0-or-later
//! The system services: what a system-call instruction in ring 3 turns into.

pub mod context;
pub mod encode;
pub mod layout;
pub mod table;
pub mod user;

pub use crate::awaited::NO_HOOKS as PORT_HOOKS;
