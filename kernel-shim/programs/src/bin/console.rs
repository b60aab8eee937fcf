// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of console.exe: a character-mode program that waits.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("CONSOLE: ", programs::idle::main);
