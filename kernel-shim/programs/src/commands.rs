// SPDX-License-Identifier: GPL-2.0-or-later
//! Small native programs for command lists: they sleep, end with a status, show their environment.

use crate::arguments::{number, words};
use crate::{Statics, processes, screen};
use nt::system::System;
use nt::{Status, UnicodeStr};

/// sleep.exe: waits for as many milliseconds as its argument says, without one for ever.
pub fn sleep<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    match words(system.own_command_line())
        .next()
        .map(|word| number(word, 10))
    {
        None => processes::wait_for_ever(system),
        Some(None) => Status::INVALID_PARAMETER,
        Some(Some(milliseconds)) => Status::from(system.delay(milliseconds)),
    }
}

/// exit.exe: ends with the status that its argument gives in hexadecimal, without one with success.
pub fn exit<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    match words(system.own_command_line()).next() {
        None => Status::SUCCESS,
        Some(word) => number(word, 16).map_or(Status::INVALID_PARAMETER, Status::new),
    }
}

/// env.exe: shows its environment, one variable a line.
pub fn environment<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    for variable in system
        .own_environment()
        .split(|&unit| unit == 0)
        .filter(|variable| !variable.is_empty())
    {
        screen::show(system, format_args!("{}", UnicodeStr(variable)));
    }
    Status::SUCCESS
}
