// SPDX-License-Identifier: GPL-2.0-or-later
//! The processor: ports, descriptor tables, traps, ring 3, interrupts, time.

pub mod clock;
pub mod context;
pub mod fast_call;
pub mod interrupt;
pub mod port;
pub mod processor;
pub mod tables;
pub mod user;
