// SPDX-License-Identifier: GPL-2.0-or-later
//! services.exe, lsass.exe and whatever else only has to be there.

use crate::{Statics, processes};
use nt::Status;
use nt::system::System;

/// Waits for ever.
pub fn main<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    processes::wait_for_ever(system)
}
