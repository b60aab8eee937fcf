// SPDX-License-Identifier: GPL-2.0-or-later
//! The NT executive of the shim.
#![no_std]
#![forbid(unsafe_code)]

pub mod services;
