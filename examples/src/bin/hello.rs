// SPDX-License-Identifier: GPL-2.0-or-later
//! hello.exe: a whole native program. It reads a registry value, creates an event, and prints, to
//! the log and on the boot screen.
//!
//! `cargo xtask run --program hello`
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use nt::access::Access;
use nt::key::{Key, MAX_TEXT};
use nt::system::System;
use nt::{ObjectAttributes, Owned, Result, Status, wide};

const ENVIRONMENT: &str =
    "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager\\Environment";

ntdll::program!(ntdll::Program {
    prefix: || "hello: ",
    fatal: ntdll::Fatal::EndProcess,
    main: |system| Status::from(hello(system)),
});

fn hello(system: impl System) -> Result<()> {
    let key = Key::open(system, ENVIRONMENT, Access::KEY_READ)?;
    let mut text = [0; MAX_TEXT];
    nt::info!("ComSpec is {}", key.text("ComSpec", &mut text)?);
    let event = ObjectAttributes::named(wide!("\\HelloEvent"));
    let event = Owned::new(system, system.create_event(&event, Access::EVENT_ALL)?);
    system.set_event(event.get())?;
    system.display_string(wide!("Hello from ring 3.\r\n"))
}
