// SPDX-License-Identifier: GPL-2.0-or-later
//! What belongs to the executive as a whole: hard errors and the ends of the system.

pub mod hard_errors;
