// SPDX-License-Identifier: GPL-2.0-or-later
//! A file can be read in one go: no source file has more than 600 lines.

use super::tree;

/// Lines of the longest file there may be.
const MOST: usize = 600;

/// The files with more lines than that, and how many they have.
fn too_long<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Vec<(&'f str, usize)> {
    files
        .into_iter()
        .map(|(file, text)| (file, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST)
        .collect()
}

#[test]
fn no_source_file_is_longer_than_600_lines() {
    let files = tree::files().into_iter();
    let sources: Vec<(String, String)> = files
        .filter(|file| file.ends_with(".rs") || file.ends_with(".py"))
        .map(|file| (file.clone(), tree::read(&file)))
        .collect();
    let sources = sources.iter();
    let long = too_long(sources.map(|(file, text)| (file.as_str(), text.as_str())));
    assert_eq!(long, [], "split them by subject");
}

#[test]
fn a_file_of_601_lines_is_too_long() {
    let (fits, long) = ("\n".repeat(600), "\n".repeat(601));
    let files = [("fits.rs", fits.as_str()), ("long.rs", long.as_str())];
    assert_eq!(too_long(files), [("long.rs", 601)]);
}
