// SPDX-License-Identifier: GPL-2.0-or-later
//! The image, smss.exe: the boot sequence of the library over the real `ntdll.dll`.
//!
//! The state has its place in the image, because there is no heap. An exception or a panic anywhere
//! stops the system (spec 12.4, 13.1).
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use nt::Status;
use ntdll::{Fatal, Native, Program};
use smss::State;

static STATE: State<Native> = State::new(Native);

ntdll::program!(Program {
    prefix: || "SMSS: ",
    fatal: Fatal::StopSystem,
    main
});

fn main(system: Native) -> Status {
    smss::run(system, &STATE)
}
