// SPDX-License-Identifier: GPL-2.0-or-later
//! What runs before any subsystem: boot commands, pending file renames, environment.
#![no_std]
#![forbid(unsafe_code)]
