// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames over files of a test: rows of spec 6 and 17.

mod operations;
mod restart;

use boot::{Summary, process_renames};
use nt::UnicodeStr;
use nt::system::FileAttributes;
use test_support::host::{Watched, watched, world};

/// Processes values, each a list of strings divided by `|`.
fn process(world: &Watched, values: &[&str]) -> (usize, usize) {
    let Summary { done, failed, .. } = summary(world, values);
    (done, failed)
}

fn summary(world: &Watched, values: &[&str]) -> Summary {
    let texts: Vec<Vec<u16>> = values
        .iter()
        .map(|value| value.replace('|', "\0").encode_utf16().collect())
        .collect();
    let mut lists = texts.iter().map(|text| -> Vec<_> {
        let strings = text.split(|&unit| unit == 0);
        strings.map(UnicodeStr).collect()
    });
    let lists = [(); 2].map(|()| lists.next().unwrap_or_default().into_iter());
    process_renames(world, lists)
}

fn content(world: &Watched, path: &str) -> Option<String> {
    world
        .content(path)
        .map(|data| String::from_utf8(data).unwrap())
}

/// Lets the Session Manager do its act on a volume that has a system root only.
fn on(act: impl FnOnce(&'static Watched) + Send + 'static) {
    let mut world = world();
    world.directory("\\ReactOS\\System32\\config");
    watched(&mut world, act);
}

fn two_files(world: &Watched) {
    world.file("C:\\a", b"new").file("C:\\b", b"old");
}

/// What an upgrade leaves to be done, and the files of one finished boot.
const UPGRADES: [&str; 6] = [
    "\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\c|\\??\\C:\\d|\\??\\C:\\e|",
    // The old one goes, the new one takes its name.
    "\\??\\C:\\a||\\??\\C:\\c|\\??\\C:\\A",
    // The old one is kept under another name.
    "\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\c|!\\??\\C:\\a",
    // Two change places.
    "\\??\\C:\\a|!\\??\\C:\\t|\\??\\C:\\c|\\??\\C:\\a|\\??\\C:\\t|\\??\\C:\\c",
    // A directory takes the place of another, whose files go first.
    "\\??\\C:\\dir\\x||\\??\\C:\\dir||\\??\\C:\\new|\\??\\C:\\dir",
    // What takes the name is itself made on the way.
    "\\??\\C:\\a|\\??\\C:\\old|\\??\\C:\\c|\\??\\C:\\t|\\??\\C:\\t|\\??\\C:\\a",
];

fn upgradable(world: &Watched) {
    two_files(world);
    world
        .file("C:\\c", b"c")
        .file("C:\\e", b"e")
        .directory("C:\\dir")
        .file("C:\\dir\\x", b"x")
        .directory("C:\\new")
        .file("C:\\new\\x", b"new x");
    world.set_file_attributes("C:\\b", FileAttributes::READONLY);
}

/// What says how far a boot has got.
const MARK: &str = "C:\\ReactOS\\System32\\config\\smss.mark";

/// Every name that these tests make on the volume, what lies in a directory before it.
const NAMES: [&str; 13] = [
    "a", "b", "c", "d", "e", "t", "old", "dir\\x", "new\\x", "App\\x", "App\\y", "dir", "new",
];

fn dos_path(name: &str) -> String {
    format!("C:\\{name}")
}

/// What there is of `NAMES`, with its content.
fn files(world: &Watched) -> Vec<(&'static str, Vec<u8>)> {
    let content = |name: &'static str| Some((name, world.content(&dos_path(name))?));
    NAMES.into_iter().filter_map(content).collect()
}

/// Takes everything off the volume that a test has put there, and what says how far a boot got.
fn clear(world: &Watched) {
    for name in NAMES {
        world.remove(&dos_path(name));
    }
    world.remove(MARK);
}

/// Whether one of the lines has all of these parts.
fn says(lines: &[String], parts: &[&str]) -> bool {
    let mut lines = lines.iter();
    lines.any(|line| parts.iter().all(|part| line.contains(part)))
}
