// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of lsass.exe: waits.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("LSASS: ", programs::idle::main);
