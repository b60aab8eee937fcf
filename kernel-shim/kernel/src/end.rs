// SPDX-License-Identifier: GPL-2.0-or-later
//! The end of the system as the executive wants it: the stop screen, power-off, reboot, halt.
//!
//! A run that was told to end by itself (`exit=`) ends QEMU with an exit code; otherwise the
//! machine does what it was asked to.

use crate::boot::options::{ExitAt, Hold, Options};
use crate::cpu::clock;
use crate::exit::{Verdict, exit, halt};
use crate::serial::line;
use crate::{acpi, cpu, screen};
use nt::system::ShutdownAction;

/// Shows the stop screen with its text and ends the run as a bugcheck, after as long as `hold` on the
/// command line says.
pub fn bugcheck(code: u32, parameters: [u64; 4], text: &str, options: &Options) -> ! {
    let [a, b, c, d] = parameters;
    line(format_args!(
        "*** STOP {code:#010x} ({a:#018x}, {b:#018x}, {c:#018x}, {d:#018x})"
    ));
    screen::stop(text);
    let until = match options.hold {
        Hold::No => clock::uptime(),
        Hold::Seconds(seconds) => clock::uptime() + u64::from(seconds) * clock::SECOND,
        Hold::Forever => u64::MAX,
    };
    if options.hold != Hold::No {
        line(format_args!("held: the stop screen stays"));
    }
    while clock::uptime() < until {
        cpu::interrupt::idle();
    }
    exit(Verdict::Bugcheck)
}

/// NtShutdownSystem went through.
pub fn shutdown(action: ShutdownAction, options: &Options) -> ! {
    line(format_args!("shutdown: {action:?}"));
    if options.exit != ExitAt::Never {
        exit(Verdict::Pass);
    }
    match action {
        ShutdownAction::PowerOff => acpi::power_off(),
        ShutdownAction::Reboot => acpi::reset(),
        ShutdownAction::NoReboot => {}
    }
    screen::write("It is now safe to turn off your computer.\n");
    halt()
}
