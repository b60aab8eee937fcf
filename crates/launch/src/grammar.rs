// SPDX-License-Identifier: GPL-2.0-or-later
//! The grammar of command lines in the registry: modifier words, program, arguments (spec 8.1).
//!
//! A token is a run of units above U+0020; there is no quoting and no escape. Parsing copies
//! nothing and fails only on a line without a program.

use bitflags::bitflags;
use nt::{Result, Status, UnicodeStr};

bitflags! {
    /// Words that may stand before the program, in any number and order. As wide as a status, so that a
    /// result of them comes back in registers.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Modifiers: usize {
        /// `debug`: the child's `DebugFlags` is 1.
        const DEBUG = 1;
        /// `async`: its end is not waited for.
        const ASYNC = 2;
        /// `autocheck`: it checks disks (spec 8.4).
        const AUTOCHECK = 4;
    }
}

/// A command line, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// The modifier words before the program.
    pub modifiers: Modifiers,
    /// The program as typed.
    pub program: UnicodeStr<'a>,
    /// Everything from the first token after the program to the end.
    pub arguments: UnicodeStr<'a>,
}

/// Takes `line` apart.
///
/// # Errors
/// `UNSUCCESSFUL` if there is no program in it.
///
/// ```
/// use launch::Modifiers;
/// use nt::wide;
///
/// let command = launch::parse(wide!("autocheck autochk *"))?;
/// assert_eq!(command.modifiers, Modifiers::AUTOCHECK);
/// assert_eq!(command.program, wide!("autochk"));
/// assert_eq!(command.arguments, wide!("*"));
/// # Ok::<(), nt::Status>(())
/// ```
pub fn parse(line: UnicodeStr<'_>) -> Result<Command<'_>> {
    let mut modifiers = Modifiers::empty();
    let mut rest = line;
    loop {
        let (program, arguments) = rest.token().ok_or(Status::UNSUCCESSFUL)?;
        modifiers |= match () {
            () if program.eq_ascii("debug") => Modifiers::DEBUG,
            () if program.eq_ascii("async") => Modifiers::ASYNC,
            () if program.eq_ascii("autocheck") => Modifiers::AUTOCHECK,
            () => {
                return Ok(Command {
                    modifiers,
                    program,
                    arguments,
                });
            }
        };
        rest = arguments;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;
    use proptest::prelude::*;

    #[test]
    fn modifiers_stand_in_any_number_and_order() {
        let command = parse(wide!(" Async DEBUG async autochk /P  *")).unwrap();
        assert_eq!(command.modifiers, Modifiers::ASYNC | Modifiers::DEBUG);
        assert_eq!(command.program, wide!("autochk"));
        assert_eq!(command.arguments, wide!("/P  *"));
    }

    #[test]
    fn autocheck_is_a_modifier() {
        let command = parse(wide!("autocheck AutoChk.exe *")).unwrap();
        assert_eq!(command.modifiers, Modifiers::AUTOCHECK);
        assert_eq!(command.program, wide!("AutoChk.exe"));
        assert_eq!(command.arguments, wide!("*"));
    }

    #[test]
    fn a_modifier_after_the_program_is_an_argument() {
        assert_eq!(parse(wide!("foo async")).unwrap().arguments, wide!("async"));
    }

    #[test]
    fn quotes_are_ordinary_characters() {
        assert_eq!(parse(wide!("\"a b\" c")).unwrap().program, wide!("\"a"));
    }

    #[test]
    fn no_program_is_unsuccessful() {
        for line in [
            wide!(""),
            wide!("  \t"),
            wide!("autocheck"),
            wide!("async debug "),
        ] {
            assert_eq!(parse(line), Err(Status::UNSUCCESSFUL));
        }
    }

    proptest! {
        #[test]
        fn any_line_has_a_program_of_no_blanks_or_is_refused(units in prop::collection::vec(prop_oneof![0u16..0x30, any::<u16>()], 0..64)) {
            match parse(UnicodeStr(&units)) {
                Ok(command) => {
                    prop_assert!(!command.program.is_empty() && command.program.units().iter().all(|&unit| unit > 0x20));
                    prop_assert!(units.ends_with(command.arguments.units()));
                    prop_assert!(command.arguments.first().is_none_or(|unit| unit > 0x20));
                }
                Err(status) => prop_assert_eq!(status, Status::UNSUCCESSFUL),
            }
        }
    }
}
