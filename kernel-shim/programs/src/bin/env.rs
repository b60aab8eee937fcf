// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of env.exe: shows its environment on the boot screen.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("ENV: ", programs::commands::environment);
