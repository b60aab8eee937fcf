// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of smctl.exe: lists, starts and ends sessions, runs programs.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("SMCTL: ", programs::smctl::main);
