// SPDX-License-Identifier: GPL-2.0-or-later
//! script.exe: runs command lines one after the other, each to its end, and shows what each ended
//! with.
//!
//! The command lines are separated by `;`. `COUNT*LINE` runs a line so many times, `$` in it being
//! the number of the turn, from 1. Three words are not programs: `note` counts what the system
//! holds (processes, handles of all of them, pages in use on their behalf), `same` fails unless it
//! holds as much as it was noted, `stay` waits for ever. What it shows on the boot screen begins
//! with `script: `; its exit status is that of the first line that failed.

use crate::arguments::{after, number};
use crate::{Statics, processes, screen};
use core::fmt;
use nt::system::{System, Timeout};
use nt::{Result, Status, UnicodeBuf, UnicodeStr, by_width};

/// SystemPerformanceInformation: its length, and where `CommittedPages` is.
const PERFORMANCE: (u32, usize, usize) = (2, 0x138, 0x30);
/// SystemProcessInformation, and where an entry has the offset of the next and its handle count.
const PROCESS: u32 = 5;
const NEXT: usize = 0;
const HANDLES: usize = by_width(0x60, 0x4C);
/// Room for some hundreds of processes with their threads.
const ROOM: usize = 256 << 10;

/// What the system holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    processes: u32,
    handles: u32,
    pages: u32,
}

impl fmt::Display for Usage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} processes, {} handles, {} pages",
            self.processes, self.handles, self.pages
        )
    }
}

impl Usage {
    fn now<S: System>(system: S) -> Result<Self> {
        let mut usage = Self::default();
        let mut pages = system.allocate_pages(ROOM)?;
        let list = pages.as_mut();
        let length = system.query_raw(PROCESS, list)?;
        let list = list.get(..length).unwrap_or_default();
        let mut at = 0;
        loop {
            usage.processes += 1;
            usage.handles += word(list, at + HANDLES)?;
            match word(list, at + NEXT)? {
                0 => break,
                next => at += next as usize,
            }
        }
        drop(pages);
        let (class, length, committed) = PERFORMANCE;
        let mut performance = [0; 0x138];
        system.query_raw(class, &mut performance[..length])?;
        usage.pages = word(&performance, committed)?;
        Ok(usage)
    }
}

fn word(bytes: &[u8], at: usize) -> Result<u32> {
    let field = bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .ok_or(Status::INFO_LENGTH_MISMATCH)?;
    Ok(u32::from_le_bytes(*field))
}

/// The program.
pub fn main<S: System>(system: S, _statics: &'static Statics<S>) -> Status {
    let mut noted = Usage::default();
    let mut outcome = Status::SUCCESS;
    for line in after(system.own_command_line(), 1)
        .units()
        .split(|&unit| unit == u16::from(b';'))
        .map(UnicodeStr)
    {
        let (count, line) = counted(line);
        for turn in 1..=count {
            if let Err(status) = perform(system, line, turn, &mut noted)
                && outcome.is_success()
            {
                outcome = status;
            }
        }
    }
    screen::show(system, format_args!("script: {outcome}"));
    outcome
}

/// How often a line is to be run, and the line.
fn counted(line: UnicodeStr<'_>) -> (u32, UnicodeStr<'_>) {
    let line = trimmed(line);
    let count = line
        .find(b'*')
        .and_then(|star| Some((number(line.take(star), 10)?, line.skip(star + 1))));
    count.unwrap_or((1, line))
}

fn trimmed(line: UnicodeStr<'_>) -> UnicodeStr<'_> {
    let blank = |unit: &u16| *unit <= 0x20;
    let start = line.units().iter().take_while(|unit| blank(unit)).count();
    let line = line.skip(start);
    let end = line
        .units()
        .iter()
        .rev()
        .take_while(|unit| blank(unit))
        .count();
    line.take(line.len() - end)
}

fn perform<S: System>(system: S, line: UnicodeStr<'_>, turn: u32, noted: &mut Usage) -> Result<()> {
    if line.eq_ascii("stay") {
        return processes::wait_for_ever(system).ok();
    }
    if line.eq_ascii("note") {
        *noted = Usage::now(system)?;
        screen::show(system, format_args!("script: noted: {noted}"));
        return Ok(());
    }
    if line.eq_ascii("same") {
        let now = Usage::now(system)?;
        if now == *noted {
            screen::show(system, format_args!("script: the same: {now}"));
            return Ok(());
        }
        screen::show(
            system,
            format_args!("script: NOT THE SAME: {now}; it was {noted}"),
        );
        return Err(Status::UNSUCCESSFUL);
    }
    let mut command = UnicodeBuf::<256>::new();
    for &unit in line.units() {
        if unit == u16::from(b'$') {
            command.push_text(nt::text!("{turn}"))?;
        } else {
            command.push_unit(unit)?;
        }
    }
    let result = processes::start(system, command.as_str()).and_then(|process| {
        system.wait_one(process.get(), Timeout::Never)?;
        system.query_exit(process.get())?.status.ok()
    });
    screen::show(
        system,
        format_args!("script: {command}: {}", Status::from(result)),
    );
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;

    #[test]
    fn a_line_may_have_a_count() {
        assert_eq!(counted(wide!("  a.exe b ")), (1, wide!("a.exe b")));
        assert_eq!(counted(wide!(" 63*a.exe $")), (63, wide!("a.exe $")));
        assert_eq!(counted(wide!("autochk *")), (1, wide!("autochk *")));
        assert_eq!(counted(wide!("0*x")), (0, wide!("x")));
    }
}
