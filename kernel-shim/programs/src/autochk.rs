// SPDX-License-Identifier: GPL-2.0-or-later
//! autochk.exe: shows what it was asked to check. Without arguments it ends at once with status 1,
//! as the original does (spec 8.4).

use crate::arguments::{after, words};
use crate::{Statics, screen};
use nt::Status;
use nt::system::System;

/// The program.
pub fn main<S: System>(system: &'static S, _statics: &'static Statics<S>) -> Status {
    let line = system.own_command_line();
    if words(line).next().is_none() {
        return Status(1);
    }
    screen::show(system, format_args!("autochk: {}", after(line, 1)));
    Status::SUCCESS
}
