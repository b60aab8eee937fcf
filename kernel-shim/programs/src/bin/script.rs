// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of script.exe: runs command lines one after the other.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("SCRIPT: ", programs::script::main);
