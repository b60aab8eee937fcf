// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of faulty.exe: a subsystem server that does not keep the contract.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

programs::image!("FAULTY: ", programs::faulty::main);
