// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of csrss.exe: Windows subsystem server.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("CSRSS: ", programs::csrss::main);
