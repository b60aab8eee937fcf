// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of smdie.exe: an SM client that ends in the middle of something.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("SMDIE: ", programs::protocol::die);
