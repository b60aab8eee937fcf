// SPDX-License-Identifier: GPL-2.0-or-later
//! The files of the checkout, as the lints read them.

use crate::paths;

/// Folders that hold what is built or downloaded.
const BUILT: [&str; 3] = ["target", ".git", "corpus"];

/// Every file, by its path from the top, with `/` between names.
pub fn files() -> Vec<String> {
    let mut files = Vec::new();
    walk("", &mut files);
    files.sort();
    assert!(files.len() > 300, "{} files in the checkout", files.len());
    files
}

fn walk(folder: &str, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(paths::root().join(folder)).expect("the checkout can be read") {
        let entry = entry.expect("the checkout can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match folder {
            "" => name.clone(),
            _ => format!("{folder}/{name}"),
        };
        match entry.file_type().expect("a file has a type").is_dir() {
            true if BUILT.contains(&name.as_str()) => {}
            true => walk(&path, files),
            false => files.push(path),
        }
    }
}

/// Whether a file is one that people write.
pub fn is_text(file: &str) -> bool {
    [".rs", ".md", ".toml", ".txt", ".reg", ".py"]
        .iter()
        .any(|ending| file.ends_with(ending))
}

/// The text of a file.
pub fn read(file: &str) -> String {
    std::fs::read_to_string(paths::root().join(file))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}
