// SPDX-License-Identifier: GPL-2.0-or-later
//! The serial log in a readable form: coloured by phase, with the machine-readable parts cut out.
//!
//! The kernel puts the dump and the trace between marker lines (`SHIM-BEGIN: name` and
//! `SHIM-FINISH: name`); those parts are collected, not shown.

use crate::ui::{Colour, paint};

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
