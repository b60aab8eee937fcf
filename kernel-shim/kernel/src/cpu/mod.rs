// SPDX-License-Identifier: GPL-2.0-or-later
//! The processor: ports, descriptor tables, traps, the clock.

pub mod port;
