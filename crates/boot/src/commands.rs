// SPDX-License-Identifier: GPL-2.0-or-later
//! The lists of commands that run before subsystems: BootExecute and SetupExecute (spec 8.2, 8.4,
//! 8.5).
//!
//! One after the other, each to its end unless it is `async`; whatever fails is reported and the
//! next runs. A disk check has its own command line, a line on the boot screen if its program is
//! missing, and boot status data that say "all is well" while it runs, so that a reset in the
//! middle of it is not taken for a failed boot.

use launch::{Command, Launcher, Modifiers, Program, Start};
use nt::access::Access;
use nt::failure::{Attempt, Skippable};
use nt::key::{Key, MAX_TEXT};
use nt::system::{BootStatusItem, Objects, Registry, System};
use nt::text::Text;
use nt::{Result, UnicodeBuf, UnicodeStr, wide};

/// Units of the longest command line of a disk check.
const COMMAND_LINE: usize = 1024;

/// Executes `lines` in order, in session 0. `step` is [`Skippable::BootExecute`] or
/// [`Skippable::SetupExecute`]. Blocks.
pub fn execute_commands<'v, S: System>(
    launcher: &Launcher<'_, S>,
    step: Skippable,
    lines: impl Iterator<Item = UnicodeStr<'v>>,
) {
    for line in lines {
        nt::debug!("{step}: {line}");
        let shown = if line.is_empty() {
            wide!("empty string")
        } else {
            line
        };
        execute(launcher, line).or_skip(step, shown);
    }
}

fn execute<S: System>(launcher: &Launcher<'_, S>, line: UnicodeStr<'_>) -> Result<()> {
    match &launch::parse(line) {
        Ok(command) if command.modifiers.contains(Modifiers::AUTOCHECK) => {
            check_disks(launcher, command)
        }
        Ok(_) => launcher.execute(line, 0),
        Err(status) => Err(*status),
    }
}

/// Executes an autocheck command, in session 0. A missing program is not an error.
#[inline(never)]
fn check_disks<S: System>(launcher: &Launcher<'_, S>, command: &Command<'_>) -> Result<()> {
    let system = launcher.system;
    let announce = wants_text(system);
    let mut image = Program::default();
    if !launcher.find(command.program, &mut image)? {
        display(
            system,
            nt::text!(
                "{} program not found - skipping AUTOCHECK\r\n",
                command.program
            ),
        );
        return Ok(());
    }
    let mut line = UnicodeBuf::<COMMAND_LINE>::new();
    line.push(image.path.as_str())?;
    line.push(wide!(" "))?;
    // Without arguments it checks nothing, which is better than checking with half of one.
    line.push(command.arguments).or_skip(
        Skippable::BootExecute,
        nt::text!("arguments of {}", command.program),
    );
    if announce {
        display(system, nt::text!("{line}\r\n"));
    }
    let items = [BootStatusItem::BootGood, BootStatusItem::BootShutdown];
    let before = system.exchange_boot_status(&items, [true, true]);
    let debug = command.modifiers.contains(Modifiers::DEBUG);
    let start = Start {
        image: &image,
        command_line: line.as_str(),
        session: 0,
        debug,
        subsystem: false,
    };
    let done = launcher.run(&start, command.modifiers.contains(Modifiers::ASYNC));
    match before {
        Ok(before) => {
            if let Err(status) = system.exchange_boot_status(&items, before) {
                nt::warn!("boot status data: {status}: not restored");
            }
        }
        Err(status) => nt::debug!("boot status data: {status}: left alone"),
    }
    done
}

fn display<S: System>(system: S, text: Text<'_>) {
    let mut message = UnicodeBuf::<MAX_TEXT>::new();
    if let Err(status) = message
        .push_text(text)
        .and_then(|()| system.display_string(message.as_str()))
    {
        nt::warn!("boot screen: {text}: {status}");
    }
}

/// Whether the boot options ask for text on the boot screen: the word SOS, in any case (deviation
/// D23). It makes each disk check announce itself; ReactOS looks for the word and does nothing with
/// it.
fn wants_text<S: Objects + Registry>(system: S) -> bool {
    let mut buffer = [0; MAX_TEXT];
    let control = "\\Registry\\Machine\\System\\CurrentControlSet\\Control";
    let key = Key::open(system, control, Access::KEY_READ);
    match key.and_then(|key| key.text("SystemStartOptions", &mut buffer)) {
        Ok(options) => has_word(options, "SOS"),
        Err(status) => {
            nt::debug!("boot options: {status}");
            false
        }
    }
}

/// Whether one of the words of the boot options, each perhaps with a `/` before it, is `word`.
fn has_word(options: UnicodeStr<'_>, word: &str) -> bool {
    let mut words = options
        .units()
        .split(|&unit| unit <= 0x20 || unit == u16::from(b'/'));
    words.any(|found| UnicodeStr(found).eq_ascii(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sos_is_a_word_of_its_own_in_any_case() {
        for options in [
            wide!(" NOEXECUTE=OPTIN SOS"),
            wide!("/sos /DEBUG"),
            wide!("Sos"),
        ] {
            assert!(has_word(options, "SOS"), "{options}");
        }
        for options in [wide!(""), wide!("SOSO"), wide!("X=SOS")] {
            assert!(!has_word(options, "SOS"), "{options}");
        }
    }
}
