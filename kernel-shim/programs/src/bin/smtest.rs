// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of smtest.exe: puts the SM protocol to the test.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("SMTEST: ", programs::protocol::main);
