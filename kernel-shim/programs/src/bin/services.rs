// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of services.exe: waits.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("SERVICES: ", programs::idle::main);
