// SPDX-License-Identifier: GPL-2.0-or-later
//! Hard errors and the stop screen (spec 12.4, 12.5): who may end the system, and what it says when
//! it ends.
//!
//! Invariant: once a hard error with `OptionShutdownSystem` has been raised by one who may, no port
//! is asked any more; every further error of that severity ends the system as well.

use crate::ids::ProcessId;
use crate::lpc::PortId;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use nt::Status;

/// `FATAL_UNHANDLED_HARD_ERROR`.
pub const FATAL_UNHANDLED_HARD_ERROR: u32 = 0x4C;
/// The most parameters a hard error takes.
pub const MAXIMUM_PARAMETERS: usize = 5;
/// `OptionShutdownSystem`.
pub const OPTION_SHUTDOWN_SYSTEM: u32 = 6;
/// The last option there is, `OptionCancelTryContinue`.
pub const LAST_OPTION: u32 = 8;
/// `ResponseReturnToCaller`.
pub const RESPONSE_RETURN_TO_CALLER: u32 = 0;
/// `ResponseNotHandled`.
pub const RESPONSE_NOT_HANDLED: u32 = 1;
/// The last response a port may give, `ResponseContinue`.
pub const LAST_RESPONSE: u32 = 10;
/// `HARDERROR_OVERRIDE_ERRORMODE`: ask even though the process does not want to be asked.
pub const OVERRIDE_ERROR_MODE: u32 = 0x1000_0000;

/// A parameter, with its string read out of the caller's memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parameter {
    /// A number.
    Number(u64),
    /// A string, and the number (its address) that stood for it.
    Text(String, u64),
}

impl Parameter {
    /// The parameter as the system call was given it: a number, or where the text stands.
    pub fn raw(&self) -> u64 {
        match self {
            Self::Number(number) | Self::Text(_, number) => *number,
        }
    }

    fn show(parameter: Option<&Self>) -> String {
        match parameter {
            None => "0x00000000".to_string(),
            // A status in a 64-bit parameter is often a sign-extended one.
            Some(Self::Number(number)) if number >> 32 == 0xFFFF_FFFF => {
                format!("{:#010x}", *number as u32)
            }
            Some(Self::Number(number)) => format!("{number:#010x}"),
            Some(Self::Text(text, _)) => text.clone(),
        }
    }
}

/// Why the system stops.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BugCheck {
    /// The bugcheck code.
    pub code: u32,
    /// Its four parameters.
    pub parameters: [u64; 4],
    /// The hard error behind it, if one is: its status and parameters.
    pub hard_error: Option<(Status, Vec<Parameter>)>,
}

impl BugCheck {
    /// A bugcheck with its parameters.
    pub const fn new(code: u32, parameters: [u64; 4]) -> Self {
        Self {
            code,
            parameters,
            hard_error: None,
        }
    }

    /// The bugcheck of a hard error nobody handles. The parameters of the hard error take the
    /// places that a kernel of NT gives to addresses of its own.
    pub fn of_hard_error(status: Status, parameters: Vec<Parameter>) -> Self {
        let raw = |index: usize| parameters.get(index).map_or(0, Parameter::raw);
        Self {
            code: FATAL_UNHANDLED_HARD_ERROR,
            parameters: [u64::from(status.code()), raw(0), raw(1), raw(2)],
            hard_error: Some((status, parameters)),
        }
    }

    /// The text of the stop screen.
    pub fn text(&self) -> String {
        match &self.hard_error {
            Some((Status::SYSTEM_PROCESS_TERMINATED, parameters)) => {
                let shown = |index: usize| Parameter::show(parameters.get(index));
                format!(
                    "STOP: c000021a {{Fatal System Error}}\nThe {} system process terminated unexpectedly with a status of {} ({} {}).\nThe system has been shut down.",
                    shown(0),
                    shown(1),
                    shown(2),
                    shown(3),
                )
            }
            Some((status, parameters)) => {
                let shown: Vec<String> = parameters
                    .iter()
                    .map(|parameter| Parameter::show(Some(parameter)))
                    .collect();
                let name = status
                    .name()
                    .map_or_else(String::new, |name| format!(" STATUS_{name}"));
                format!(
                    "STOP: {:08x} {{Fatal System Error}}{name}\n({})\nThe system has been shut down.",
                    status.code(),
                    shown.join(" ")
                )
            }
            None => {
                let [a, b, c, d] = self.parameters;
                format!(
                    "STOP: {:#010X} ({a:#018X}, {b:#018X}, {c:#018X}, {d:#018X})\n{}",
                    self.code,
                    name(self.code)
                )
            }
        }
    }
}

/// The name of a bugcheck that this system knows (spec 0.4).
pub const fn name(code: u32) -> &'static str {
    match code {
        0x1E => "KMODE_EXCEPTION_NOT_HANDLED",
        FATAL_UNHANDLED_HARD_ERROR => "FATAL_UNHANDLED_HARD_ERROR",
        0x50 => "PAGE_FAULT_IN_NONPAGED_AREA",
        0x6D => "SESSION1_INITIALIZATION_FAILED",
        0x6E => "SESSION2_INITIALIZATION_FAILED",
        0x6F => "SESSION3_INITIALIZATION_FAILED",
        0x70 => "SESSION4_INITIALIZATION_FAILED",
        0x71 => "SESSION5_INITIALIZATION_FAILED",
        0xE2 => "MANUALLY_INITIATED_CRASH",
        0xEF => "CRITICAL_PROCESS_DIED",
        0xF4 => "CRITICAL_OBJECT_TERMINATION",
        _ => "",
    }
}

/// What is to be done about a hard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Course {
    /// The caller may not ask for this: `PRIVILEGE_NOT_HELD`, response NotHandled.
    Refuse,
    /// The system stops.
    Stop,
    /// The caller goes on, response ReturnToCaller.
    Return,
    /// The port is asked.
    Ask,
}

/// What the course depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Circumstances {
    /// `OptionShutdownSystem`.
    pub shutdown: bool,
    /// SeTcbPrivilege and SeShutdownPrivilege are both enabled.
    pub privileged: bool,
    /// The thread has hard errors disabled (HardErrorsAreDisabled).
    pub thread_disabled: bool,
    /// `DefaultHardErrorProcessing` bit 0 of the process: it wants to be asked.
    pub wanted: bool,
    /// The process has an exception port or there is a default port.
    pub port: bool,
    /// The caller is the process that serves the default port.
    pub server: bool,
}

/// The state of the hard-error machinery.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HardErrors {
    /// A default port has been set and the system is not going down: `ExReadyForErrors`.
    pub ready: bool,
    /// The default port and the process that serves it.
    pub default_port: Option<(PortId, ProcessId)>,
}

impl HardErrors {
    /// Decides what happens (spec 12.5).
    pub fn raise(&mut self, status: Status, now: Circumstances) -> Course {
        if now.shutdown {
            if !now.privileged {
                return Course::Refuse;
            }
            self.ready = false;
        }
        if !now.thread_disabled && !self.ready && status.is_error() {
            return Course::Stop;
        }
        let forced = status.code() & OVERRIDE_ERROR_MODE != 0;
        if now.thread_disabled || !now.port || !(now.wanted || forced) {
            return Course::Return;
        }
        if now.server {
            return if status.is_error() {
                Course::Stop
            } else {
                Course::Return
            };
        }
        Course::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const USUAL: Circumstances = Circumstances {
        shutdown: false,
        privileged: false,
        thread_disabled: false,
        wanted: true,
        port: true,
        server: false,
    };

    #[test]
    fn spec_12_5_the_stop_screen_names_the_process_and_its_status() {
        let parameters = vec![
            Parameter::Text("Windows SubSystem".into(), 0x1000),
            Parameter::Number(0xC000_0001),
            Parameter::Number(0),
        ];
        let check = BugCheck::of_hard_error(Status::SYSTEM_PROCESS_TERMINATED, parameters);
        assert_eq!(
            (check.code, check.parameters),
            (0x4C, [0xC000_021A, 0x1000, 0xC000_0001, 0])
        );
        assert_eq!(
            check.text(),
            "STOP: c000021a {Fatal System Error}\n\
             The Windows SubSystem system process terminated unexpectedly with a status of 0xc0000001 (0x00000000 0x00000000).\n\
             The system has been shut down."
        );
    }

    #[test]
    fn spec_12_4_the_third_parameter_of_a_known_dll_is_its_name() {
        let parameters = vec![
            Parameter::Text("Verification of a KnownDLL failed.".into(), 1),
            Parameter::Number(0xC000_007B),
            Parameter::Text("bad.dll".into(), 2),
        ];
        assert!(
            BugCheck::of_hard_error(Status::SYSTEM_PROCESS_TERMINATED, parameters)
                .text()
                .contains("0xc000007b (bad.dll 0x00000000)")
        );
    }

    #[test]
    fn a_bugcheck_without_a_hard_error_shows_its_code() {
        let text = BugCheck::new(0xF4, [3, 2, 1, 0]).text();
        assert!(
            text.starts_with("STOP: 0x000000F4 (0x0000000000000003, "),
            "{text}"
        );
        assert!(text.ends_with("CRITICAL_OBJECT_TERMINATION"));
    }

    #[test]
    fn spec_12_5_shutdown_needs_both_privileges_and_then_stops() {
        let mut errors = HardErrors {
            ready: true,
            ..HardErrors::default()
        };
        let asked = Circumstances {
            shutdown: true,
            ..USUAL
        };
        assert_eq!(
            errors.raise(Status::SYSTEM_PROCESS_TERMINATED, asked),
            Course::Refuse
        );
        assert!(errors.ready, "a refused one changes nothing");
        assert_eq!(
            errors.raise(
                Status::SYSTEM_PROCESS_TERMINATED,
                Circumstances {
                    privileged: true,
                    ..asked
                }
            ),
            Course::Stop
        );
        assert!(!errors.ready);
    }

    #[test]
    fn before_a_port_is_set_only_errors_stop_the_system() {
        let mut errors = HardErrors::default();
        let early = Circumstances {
            port: false,
            ..USUAL
        };
        assert_eq!(errors.raise(Status::UNSUCCESSFUL, early), Course::Stop);
        assert_eq!(errors.raise(Status::BUFFER_OVERFLOW, early), Course::Return);
        assert_eq!(
            errors.raise(
                Status::UNSUCCESSFUL,
                Circumstances {
                    thread_disabled: true,
                    ..early
                }
            ),
            Course::Return
        );
    }

    #[test]
    fn with_a_port_the_process_mode_decides_unless_overridden() {
        let mut errors = HardErrors {
            ready: true,
            ..HardErrors::default()
        };
        assert_eq!(errors.raise(Status::UNSUCCESSFUL, USUAL), Course::Ask);
        let unwanted = Circumstances {
            wanted: false,
            ..USUAL
        };
        assert_eq!(errors.raise(Status::UNSUCCESSFUL, unwanted), Course::Return);
        assert_eq!(
            errors.raise(
                Status::new(Status::UNSUCCESSFUL.code() | OVERRIDE_ERROR_MODE),
                unwanted
            ),
            Course::Ask
        );
        assert_eq!(
            errors.raise(
                Status::UNSUCCESSFUL,
                Circumstances {
                    server: true,
                    ..USUAL
                }
            ),
            Course::Stop
        );
        assert_eq!(
            errors.raise(
                Status::BUFFER_OVERFLOW,
                Circumstances {
                    server: true,
                    ..USUAL
                }
            ),
            Course::Return
        );
    }
}
