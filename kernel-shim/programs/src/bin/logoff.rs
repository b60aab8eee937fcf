// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of logoff.exe: an initial command that ends at once.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("LOGOFF: ", programs::commands::exit);
