// SPDX-License-Identifier: GPL-2.0-or-later
//! The serial log in a readable form: coloured by phase, with the machine-readable parts cut out.
//!
//! The kernel puts the dump and the trace between marker lines (`SHIM-BEGIN: name` and
//! `SHIM-FINISH: name`); those parts are collected, not shown.

use crate::ui::{Colour, paint};
use anyhow::{Context, Result};
use nt::Status;

/// Collects marked parts and paints the rest.
#[derive(Default)]
pub struct Reader {
    part: Option<(String, String)>,
    /// Finished parts: name and text.
    pub parts: Vec<(String, String)>,
    /// Every line that was not part of a marked part.
    pub shown: Vec<String>,
}

impl Reader {
    /// Takes one line; gives what to show for it.
    pub fn take(&mut self, line: &str) -> Option<String> {
        if let Some(name) = after(line, "SHIM-BEGIN: ") {
            self.part = Some((name.to_owned(), String::new()));
            return None;
        }
        if after(line, "SHIM-FINISH: ").is_some() {
            self.parts.extend(self.part.take());
            return None;
        }
        if let Some((_, text)) = &mut self.part {
            text.push_str(line);
            text.push('\n');
            return None;
        }
        self.shown.push(line.to_owned());
        Some(painted(line))
    }

    /// The text of a marked part.
    pub fn part(&self, name: &str) -> Option<&str> {
        self.parts
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, text)| text.as_str())
    }

    /// The lines of the boot screen: the kernel repeats them on the serial line.
    pub fn screen(&self) -> Vec<String> {
        self.shown
            .iter()
            .filter_map(|line| Some(line.split_once("screen: ")?.1.to_owned()))
            .collect()
    }

    /// Text and status of the stop screen (spec 12.4).
    ///
    /// # Errors
    /// There is none, or it is not that of a hard error.
    pub fn stop(&self) -> Result<(String, Status)> {
        let screen = self.screen().join(" ");
        let (_, rest) = screen
            .split_once("STOP: c000021a {Fatal System Error} The ")
            .context("the stop screen is not that of a hard error")?;
        let (text, rest) = rest
            .split_once(" system process terminated unexpectedly with a status of 0x")
            .context("the stop screen names no process")?;
        let status = rest
            .get(..8)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .context("the stop screen names no status")?;
        Ok((text.to_owned(), Status::new(status)))
    }
}

fn after<'l>(line: &'l str, marker: &str) -> Option<&'l str> {
    line.find(marker)
        .and_then(|at| line.get(at + marker.len()..))
        .map(str::trim)
}

fn painted(line: &str) -> String {
    let colour = if line.contains("phase: ") {
        Colour::Cyan
    } else if line.contains("kernel exit: pass") {
        Colour::Green
    } else if line.contains(": the system stops")
        || line.contains("*** STOP")
        || line.contains("panic")
        || line.contains("kernel exit: ")
    {
        Colour::Red
    } else if line.contains(": skipped") || line.contains("warn") {
        Colour::Yellow
    } else if line.contains("SMSS:") {
        return line.to_owned();
    } else {
        Colour::Grey
    };
    paint(colour, line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_screen_is_understood() {
        let mut reader = Reader::default();
        for line in [
            "[    0.1] screen: STOP: c000021a {Fatal System Error}",
            "[    0.1] screen: The Windows SubSystem system process terminated unexpectedly with a status of 0xc0000001 (0x00000000 0x00000000).",
        ] {
            reader.take(line);
        }
        assert_eq!(
            reader.stop().expect("a stop screen"),
            ("Windows SubSystem".to_owned(), Status::UNSUCCESSFUL)
        );
        assert!(Reader::default().stop().is_err());
    }
}
