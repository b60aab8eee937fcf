// SPDX-License-Identifier: GPL-2.0-or-later
//! The image of all programs: which one a process is, the name of its image says.
//!
//! On the medium it lies once under each name of [`programs::PROGRAMS`]; `cargo xtask` makes the
//! copies, each with the subsystem that the table says and with a base of its own.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use nt::Status;
use ntdll::{Fatal, Native};
use programs::Statics;

static STATICS: Statics<Native> = Statics::new(Native);

ntdll::program!(ntdll::Program {
    prefix: || programs::find::<Native>(ntdll::image_name()).map_or("", |(it, _)| it.log_prefix),
    fatal: Fatal::EndProcess,
    main
});

fn main(system: Native) -> Status {
    ntdll::install_log();
    let name = ntdll::image_name();
    match programs::find(name) {
        Some((_, main)) => main(system, &STATICS),
        None => {
            log::error!("{name}: no program has this name");
            Status::OBJECT_NAME_NOT_FOUND
        }
    }
}
