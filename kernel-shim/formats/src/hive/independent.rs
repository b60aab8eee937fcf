// SPDX-License-Identifier: GPL-2.0-or-later
//! What we write, read by somebody else: `hivexsh` of Debian's `libhivex-bin`, for every kind of
//! cell and around every boundary of its size. Skipped, with a line that says so, where it is not
//! installed.

use super::*;
use crate::utf16;
use nt::{UnicodeStr, wide};
use std::io::Write;
use std::process::{Command, Stdio};
use std::string::String;
use std::vec;

/// Data lengths around what fits into a value cell, a data cell, and one, two and many segments.
const LENGTHS: &[usize] = &[
    0, 1, 2, 3, 4, 5, 7, 8, 12, 4059, 4060, 4061, 4064, 16_343, 16_344, 16_345, 16_346, 16_347,
    16_348, 16_349, 16_352, 32_687, 32_688, 32_689, 32_696, 49_032, 49_033, 65_536, 1_000_001,
];
/// Numbers of subkeys: none, one list of each kind, and an index of lists.
const COUNTS: &[usize] = &[0, 1, 2, 499, 500, 501, 1000, 1001, 1200];
/// Names of one byte a character, and of two.
const NAMES: &[&str] = &["plain", "caf\u{e9}", "euro \u{20ac}", "a", "\u{3b1}\u{3b2}"];

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 253) as u8).collect()
}

fn sample(version: u32) -> Hive {
    let mut hive = Hive::new(wide!("R"));
    hive.minor_version = version;
    let root = hive.root();
    let values = hive.create_path(root, wide!("Values"), false, 0).unwrap();
    for &length in LENGTHS {
        let name = utf16(&std::format!("v{length}"));
        hive.set_value(values, UnicodeStr(&name), 3, data(length), 0)
            .unwrap();
    }
    for &count in COUNTS {
        let path = utf16(&std::format!("C{count}"));
        let key = hive.create_path(root, UnicodeStr(&path), false, 0).unwrap();
        for number in 0..count {
            let name = utf16(&std::format!("k{number:04}"));
            hive.create_key(key, UnicodeStr(&name), false, 0).unwrap();
        }
    }
    let names = hive.create_path(root, wide!("Names"), false, 0).unwrap();
    for name in NAMES {
        let key = hive
            .create_key(names, UnicodeStr(&utf16(name)), false, 0)
            .unwrap();
        hive.set_class(key, b"c\0l\0a\0s\0s\0").unwrap();
        hive.set_value(key, UnicodeStr(&utf16(name)), 3, vec![1, 2], 0)
            .unwrap();
    }
    hive
}

/// What `hivexsh` prints for these commands; none if there is no such program.
fn ask(file: &[u8], commands: &str) -> Option<String> {
    let path = std::env::temp_dir().join(std::format!("hive-{}", std::process::id()));
    std::fs::write(&path, file).unwrap();
    let child = Command::new("hivexsh")
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        std::eprintln!("SKIPPED: hivexsh is not installed (Debian's libhivex-bin)");
        return None;
    };
    child
        .stdin
        .take()
        .unwrap()
        .write_all(commands.as_bytes())
        .unwrap();
    let out = child.wait_with_output().unwrap();
    std::fs::remove_file(&path).unwrap();
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && complaint.is_empty(), "{complaint}");
    Some(String::from_utf8(out.stdout).unwrap())
}

#[test]
fn an_independent_reader_reads_what_we_write() {
    for version in 3..=6 {
        let file = sample(version).serialise(0);
        let Some(values) = ask(&file, "cd \\Values\nlsval\n") else {
            return;
        };
        let mut lines = values.lines();
        for &length in LENGTHS {
            let bytes: Vec<String> = data(length)
                .iter()
                .map(|byte| std::format!("{byte:02x}"))
                .collect();
            let wanted = std::format!("\"v{length}\"=hex(3):{}", bytes.join(","));
            assert!(
                lines.next() == Some(wanted.as_str()),
                "1.{version}: {length} bytes"
            );
        }
        for &count in COUNTS {
            let listed = ask(&file, &std::format!("cd \\C{count}\nls\n")).unwrap();
            let wanted: String = (0..count)
                .map(|number| std::format!("k{number:04}\n"))
                .collect();
            assert!(listed == wanted, "1.{version}: {count} keys");
        }
        for name in NAMES {
            let shown = ask(&file, &std::format!("cd \\Names\\{name}\nlsval\n")).unwrap();
            assert_eq!(shown, std::format!("\"{name}\"=hex(3):01,02\n"));
        }
    }
}
