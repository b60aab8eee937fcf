// SPDX-License-Identifier: GPL-2.0-or-later
//! What the user sees: steps, colours, failures, verdicts.
//!
//! Colours only on a terminal and only without `NO_COLOR`; everything goes to standard output line
//! by line, so that a log of it reads well.

use std::io::IsTerminal;
use std::sync::OnceLock;

/// Whether output may carry colours.
pub fn colours() -> bool {
    static COLOURS: OnceLock<bool> = OnceLock::new();
    *COLOURS
        .get_or_init(|| std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none())
}

/// ANSI colours this project uses.
#[derive(Clone, Copy)]
pub enum Colour {
    /// Verdicts that are good.
    Green,
    /// Failures.
    Red,
    /// Warnings.
    Yellow,
    /// Phases and steps.
    Cyan,
    /// What matters less.
    Grey,
}

/// `text` in a colour, if colours are on.
pub fn paint(colour: Colour, text: &str) -> String {
    if !colours() {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Green => "32",
        Colour::Red => "1;31",
        Colour::Yellow => "33",
        Colour::Cyan => "1;36",
        Colour::Grey => "90",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// A step that begins.
pub fn step(text: &str) {
    println!("{} {text}", paint(Colour::Cyan, "==>"));
}

/// A remark below a step.
pub fn note(text: &str) {
    println!("    {text}");
}

/// A remark that must not be missed.
pub fn warning(text: &str) {
    println!("    {}", paint(Colour::Yellow, text));
}

/// The good verdict: the last line of a verb.
pub fn verdict(text: &str) {
    println!("{} {text}", paint(Colour::Green, "PASS"));
}

/// The bad verdict, with its chain of causes.
pub fn failure(error: &anyhow::Error) {
    let mut lines = error.chain().map(ToString::to_string);
    let first = lines.next().unwrap_or_default();
    for cause in lines {
        println!("    because: {cause}");
    }
    println!("{} {first}", paint(Colour::Red, "FAIL"));
}
