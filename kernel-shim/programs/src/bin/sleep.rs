// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of sleep.exe: waits for so many milliseconds, or for ever.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("SLEEP: ", programs::commands::sleep);
