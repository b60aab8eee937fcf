// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of exit.exe: ends with the status it is given in hexadecimal.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("EXIT: ", programs::commands::exit);
