// SPDX-License-Identifier: GPL-2.0-or-later
//! What `cargo xtask run` says at its end: how the machine ended, how the user's program did, and
//! whether that is what was asked for.

use crate::medium::program::Role;
use crate::qemu::End;
use crate::serial::Reader;
use anyhow::{Result, bail};

/// What the stop screen calls the initial command (spec 12.3).
const INITIAL_COMMAND: &str = "Windows Logon Process";

/// The verdict on a machine that has ended.
///
/// # Errors
/// It has not ended as asked, or the program has not: the sentence of the `FAIL`.
pub fn verdict(
    end: End,
    killed: bool,
    program: Option<&Program>,
    reader: &Reader,
) -> Result<String> {
    let told = program.map(Program::judge).transpose()?;
    let with = |sentence: &str| match &told {
        Some(told) => format!("{told}; {sentence}"),
        None => sentence.to_owned(),
    };
    match end {
        End::Bugcheck if killed => Ok(with(
            "the system stopped, as it must when this process ends",
        )),
        end if killed => bail!(
            "the system did not stop when the process was ended: the machine ended with {end:?}"
        ),
        End::Pass => Ok(with(
            "the Session Manager settled, and the machine ended as asked",
        )),
        End::PowerOff => Ok(with("the machine has switched itself off")),
        End::Bugcheck => match reader.stop() {
            Ok((name, _))
                if name == INITIAL_COMMAND && program.is_some_and(Program::has_stopped) =>
            {
                Ok(with(
                    "the system stopped with C000021A then, as NT does when its initial command ends",
                ))
            }
            Ok((name, status)) => bail!(
                "{}",
                with(&format!(
                    "the system stopped with C000021A: {name}, {status}"
                ))
            ),
            Err(_) => bail!("{}", with("the system stopped: see the log's last lines")),
        },
        end => bail!("the machine ended with {end:?}: see the log's last lines"),
    }
}

/// What became of the user's program, by what the kernel says.
pub struct Program {
    name: String,
    role: Role,
    started: bool,
    /// Its exit status, with its code in brackets.
    ended: Option<String>,
}

impl Program {
    /// One that is not started yet.
    pub const fn new(name: String, role: Role) -> Self {
        Self {
            name,
            role,
            started: false,
            ended: None,
        }
    }

    /// Takes a line of the kernel's.
    pub fn follow(&mut self, line: &str) {
        let name = &self.name;
        self.started |= line.contains(&format!("image {name} base "));
        if let Some((_, rest)) = line.split_once(&format!("ended {name} process ")) {
            let status = rest.split_once(' ').map_or(rest, |(_, status)| status);
            self.ended = Some(status.trim().to_owned());
        }
    }

    /// How it ended: for a boot command or a server any status that is no error is good, for an initial
    /// command success alone.
    ///
    /// # Errors
    /// It was not started, or ended otherwise.
    fn judge(&self) -> Result<String> {
        let name = &self.name;
        if !self.started {
            bail!("the program was not started: there is no `image {name}` in the log");
        }
        let Some(status) = &self.ended else {
            return Ok(format!("{name} was running to the end"));
        };
        let told = format!("{name} ended with {status}");
        // Its last eight digits are the code.
        let digits = status.trim_end_matches(')');
        let code = digits
            .get(digits.len().saturating_sub(8)..)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match (code, self.role) {
            (Some(0), _) => Ok(told),
            (Some(code), Role::BootExecute | Role::Subsystem) if code < 0xC000_0000 => Ok(told),
            _ => bail!(told),
        }
    }

    /// Whether its end is one that the system stops with.
    fn has_stopped(&self) -> bool {
        self.role == Role::Initial && self.ended.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = "[    0.127] image a.exe base 0x164000000 process 36";
    const SETTLED: &str = "the Session Manager settled, and the machine ended as asked";

    fn ended(status: &str) -> String {
        format!("[    0.130] ended a.exe process 36 {status}\n")
    }

    fn stop_screen(process: &str, status: &str) -> String {
        format!(
            "[    0.2] screen: STOP: c000021a {{Fatal System Error}}\n\
             [    0.2] screen: The {process} system process terminated unexpectedly with a status of 0x{status} (0x00000000 0x00000000)."
        )
    }

    fn judged(role: Role, end: End, lines: &[&str]) -> Result<String, String> {
        let mut program = Program::new("a.exe".to_owned(), role);
        let mut reader = Reader::default();
        for line in lines.iter().flat_map(|lines| lines.lines()) {
            program.follow(line);
            reader.take(line);
        }
        verdict(end, false, Some(&program), &reader).map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_is_judged_by_what_the_kernel_says_of_it() {
        let boot = |lines: &[&str]| judged(Role::BootExecute, End::Pass, lines);
        assert!(boot(&["image b.exe base 0x1 process 9"]).is_err());
        let running = format!("a.exe was running to the end; {SETTLED}");
        assert_eq!(boot(&[STARTED]), Ok(running));
        for good in [
            "STATUS_SUCCESS (00000000)",
            "NTSTATUS 00000001",
            "STATUS_BUFFER_OVERFLOW (80000005)",
        ] {
            let told = format!("a.exe ended with {good}; {SETTLED}");
            assert_eq!(boot(&[STARTED, &ended(good)]), Ok(told));
        }
        // Of the second the kernel knows no name.
        for bad in ["STATUS_ACCESS_DENIED (C0000022)", "NTSTATUS E0001234"] {
            let told = format!("a.exe ended with {bad}");
            assert_eq!(boot(&[STARTED, &ended(bad)]), Err(told));
        }
    }

    #[test]
    fn an_initial_command_that_ends_with_success_stops_the_system_as_asked() {
        let initial = |status: &str, lines: &[&str]| {
            let end = ended(status);
            let lines: Vec<&str> = [STARTED, &end]
                .into_iter()
                .chain(lines.iter().copied())
                .collect();
            judged(Role::Initial, End::Bugcheck, &lines)
        };
        let its_own = stop_screen(INITIAL_COMMAND, "00000000");
        let good = "STATUS_SUCCESS (00000000)";
        let told = "a.exe ended with STATUS_SUCCESS (00000000); \
                    the system stopped with C000021A then, as NT does when its initial command ends";
        assert_eq!(initial(good, &[&its_own]), Ok(told.to_owned()));
        // Any other end is none that was asked for.
        for bad in ["NTSTATUS 00000001", "STATUS_ACCESS_DENIED (C0000022)"] {
            let told = format!("a.exe ended with {bad}");
            assert_eq!(initial(bad, &[&its_own]), Err(told));
        }
        // Another stop is not put down to the program.
        let other = stop_screen("Windows SubSystem", "c0000001");
        let error = initial(good, &[&other]).unwrap_err();
        assert!(
            error.contains("Windows SubSystem, STATUS_UNSUCCESSFUL"),
            "{error}"
        );
        assert!(initial(good, &[]).is_err(), "no stop screen");
        let boot = judged(
            Role::BootExecute,
            End::Bugcheck,
            &[STARTED, &ended(good), &its_own],
        );
        assert!(boot.is_err(), "winlogon has ended, not the program");
        assert_eq!(
            judged(Role::Initial, End::Pass, &[STARTED]),
            Ok(format!("a.exe was running to the end; {SETTLED}"))
        );
    }

    #[test]
    fn a_process_that_is_killed_has_to_stop_the_system() {
        let verdict = |end| verdict(end, true, None, &Reader::default()).is_ok();
        assert!(verdict(End::Bugcheck));
        assert!(!verdict(End::Pass));
        assert!(!verdict(End::PowerOff));
    }
}
