// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of psxss.exe: POSIX subsystem server.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("PSXSS: ", programs::csrss::main_posix);
