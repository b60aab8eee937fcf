// SPDX-License-Identifier: GPL-2.0-or-later
//! How the cost of a boot grows with what the registry asks for (`budgets --growth`).
//!
//! Each row is booted at three sizes, each twice the one before. What is shown is what a boot costs more
//! than the default one: instructions of ring 3, and system calls. Host tests hold the same to counts of
//! elementary steps; here it is seen on the image.

use super::{Cost, Medium, TRACED};
use crate::build::Images;
use crate::medium::disk;
use crate::medium::tree::Tree;
use crate::ui::{self, Colour};
use anyhow::Result;
use std::fmt::Write;

/// Where the Session Manager's values are, in the source of the default hive.
const KEY: &str = "\\ControlSet001\\Control\\Session Manager";

/// What there is so many of.
struct Row {
    what: &'static str,
    /// The smallest size; twice and four times as many are booted as well.
    smallest: usize,
    /// Instructions that the largest may cost.
    goal: u64,
    /// The values, as `.reg` text.
    text: fn(usize) -> String,
}

const ROWS: [Row; 6] = [
    Row {
        what: "environment variables",
        smallest: 250,
        goal: 12_000_000,
        text: |count| {
            values("Environment", count, |number| {
                format!("\"NAME{number:05}\"=\"value {number}\"")
            })
        },
    },
    Row {
        what: "DOS devices",
        smallest: 500,
        goal: 12_000_000,
        text: |count| {
            values("DOS Devices", count, |number| {
                format!("\"NAME{number:05}\"=\"\\\\Device\\\\Null\"")
            })
        },
    },
    Row {
        what: "object directories",
        smallest: 500,
        goal: 12_000_000,
        text: |count| {
            // The default ones, which it takes the place of, are wanted as well.
            list("ObjectDirectories", count + 2, |number| match number {
                0 => String::from("\\\\Windows"),
                1 => String::from("\\\\RPC Control"),
                number => format!("\\\\Name{number:05}"),
            })
        },
    },
    Row {
        what: "known DLLs and exclusions",
        smallest: 125,
        goal: 10_000_000,
        text: |count| {
            values("KnownDlls", count, |number| {
                format!("\"name{number:05}\"=\"name{number:05}.dll\"")
            }) + &list("ExcludeFromKnownDlls", count, |number| {
                format!("name{number:05}.dll")
            })
        },
    },
    Row {
        what: "renames of one name to itself",
        smallest: 250,
        goal: RENAMES,
        text: |count| renames(count, |_| String::from("\\\\??\\\\C:\\\\temp\\\\x")),
    },
    Row {
        what: "renames, distinct",
        smallest: 250,
        goal: RENAMES,
        text: |count| {
            renames(count, |number| {
                format!("\\\\??\\\\C:\\\\temp\\\\{number:05}")
            })
        },
    },
];

/// Half of what 1,000 of 20,000 distinct renames cost when this was measured first.
const RENAMES: u64 = 1_063_000_000 / 20 / 2;

/// Values of a subkey.
fn values(subkey: &str, count: usize, value: impl Fn(usize) -> String) -> String {
    let mut text = format!("\n[{KEY}\\{subkey}]\n");
    for number in 0..count {
        // Neither ascending nor descending.
        let _ = writeln!(text, "{}", value(number * 7919 % 99991));
    }
    text
}

/// A value of many strings.
fn list(name: &str, count: usize, string: impl Fn(usize) -> String) -> String {
    let strings: String = (0..count).map(|number| string(number) + "\\0").collect();
    format!("\n[{KEY}]\n\"{name}\"=str(7):\"{strings}\"\n")
}

/// Pending renames of files that are not there, each to the same name, over a file there.
fn renames(count: usize, name: impl Fn(usize) -> String) -> String {
    list("PendingFileRenameOperations", count, |number| {
        let name = name(number);
        format!("{name}\\0!{name}")
    })
}

/// Boots every row at every size and prints the table.
pub fn show(images: &Images) -> Result<()> {
    ui::step("booting with 0, then with more and more values of each kind");
    let base = cost(images, "")?;
    ui::note(&format!(
        "{:32} {:>6} {:>12} {:>8} {:>14}",
        "more than a boot without", "count", "instructions", "calls", "each"
    ));
    for row in &ROWS {
        let mut first = None;
        for size in [1, 2, 4].map(|times| row.smallest * times) {
            let cost = cost(images, &(row.text)(size))?;
            let instructions =
                cost.instructions.image - base.instructions.image.min(cost.instructions.image);
            let calls = cost.calls.own() - base.calls.own().min(cost.calls.own());
            let each = instructions / size as u64;
            ui::note(&format!(
                "{:32} {size:>6} {instructions:>12} {calls:>8} {each:>14}",
                row.what
            ));
            let first = *first.get_or_insert(each);
            if size == row.smallest * 4 {
                judge(row, instructions, each, first);
            }
        }
    }
    Ok(())
}

/// Says what is not as it should be: the largest over its goal, or dearer by the piece than the smallest.
fn judge(row: &Row, instructions: u64, each: u64, first: u64) {
    if instructions > row.goal {
        let over = instructions - row.goal;
        ui::note(&ui::paint(
            Colour::Yellow,
            &format!("{}: {over} instructions over {}", row.what, row.goal),
        ));
    }
    // Quadratic would be four times as much.
    if each > first + first / 2 {
        ui::note(&ui::paint(
            Colour::Yellow,
            &format!("{}: grows faster than their number", row.what),
        ));
    }
}

/// What a boot costs whose SYSTEM hive has these values as well.
fn cost(images: &Images, text: &str) -> Result<Cost> {
    let medium = Medium {
        images,
        tree: Tree::with_hives(images, |hive, source| {
            if hive == "SYSTEM" {
                source.push_str(text);
            }
        })?,
        size: disk::DEFAULT_SIZE,
    };
    Cost::of(&medium.boot(TRACED)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medium::tree::compile;

    #[test]
    fn every_row_is_text_of_a_hive_at_every_size() {
        for row in &ROWS {
            let (few, many) = ((row.text)(row.smallest), (row.text)(2 * row.smallest));
            for text in [&few, &many] {
                let source = format!("Windows Registry Editor Version 5.00\n{text}");
                compile(&source).unwrap_or_else(|error| panic!("{}: {error}", row.what));
            }
            // Each of the values that are more is at least a name of eight characters.
            assert!(many.len() >= few.len() + 8 * row.smallest, "{}", row.what);
        }
    }
}
