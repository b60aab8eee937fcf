// SPDX-License-Identifier: GPL-2.0-or-later
//! Subsystem servers, sessions, the SM and SB protocols, the initial command.
#![no_std]
#![forbid(unsafe_code)]
