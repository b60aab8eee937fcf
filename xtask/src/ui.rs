// SPDX-License-Identifier: GPL-2.0-or-later
//! What the user sees: steps, colours, failures, verdicts.
//!
//! Colours only on a terminal and only without `NO_COLOR`; everything goes to standard output line
//! by line, so that a log of it reads well. A verb that was asked for JSON has standard output for
//! that alone; what a person sees goes to standard error then.

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Standard output belongs to JSON.
static JSON: AtomicBool = AtomicBool::new(false);

/// Leaves standard output to the JSON that a verb is about to print.
pub fn keep_output_for_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// A line for a person.
pub fn say(line: &str) {
    if JSON.load(Ordering::Relaxed) {
        eprintln!("{line}");
    } else {
        println!("{line}");
    }
}

/// A step that begins.
pub fn step(text: &str) {
    say(&format!("{} {text}", paint(Colour::Cyan, "==>")));
}

/// A remark below a step.
pub fn note(text: &str) {
    say(&format!("    {text}"));
}

/// A remark that must not be missed.
pub fn warning(text: &str) {
    say(&format!("    {}", paint(Colour::Yellow, text)));
}

/// The good verdict: the last line of a verb.
pub fn verdict(text: &str) {
    say(&format!("{} {text}", paint(Colour::Green, "PASS")));
}

/// The bad verdict, with its chain of causes.
pub fn failure(error: &anyhow::Error) {
    let mut lines = error.chain().map(ToString::to_string);
    let first = lines.next().unwrap_or_default();
    for cause in lines {
        say(&format!("    because: {cause}"));
    }
    say(&format!("{} {first}", paint(Colour::Red, "FAIL")));
}
