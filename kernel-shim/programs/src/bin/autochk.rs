// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of autochk.exe: shows its arguments on the boot screen; status 1 without any.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("AUTOCHK: ", programs::autochk::main);
