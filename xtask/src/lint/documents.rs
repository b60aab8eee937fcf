// SPDX-License-Identifier: GPL-2.0-or-later
//! Every file and folder that the documents name exists: links, paths in code spans, the layout of
//! the README.

use super::tree;
use std::collections::BTreeSet;
use std::path::Path;

/// The folders at the top: a code span that begins with one of them is a path of this repository.
const TOP: [&str; 6] = [
    "crates/",
    "docs/",
    "examples/",
    "iso/",
    "kernel-shim/",
    "xtask/",
];

/// The files and folders of a tree.
struct Names {
    paths: BTreeSet<String>,
}

impl Names {
    fn of(files: &[String]) -> Self {
        let mut paths = BTreeSet::new();
        for file in files {
            paths.extend(
                Path::new(file)
                    .ancestors()
                    .filter_map(|path| path.to_str())
                    .filter(|path| !path.is_empty())
                    .map(str::to_owned),
            );
        }
        Self { paths }
    }

    fn has(&self, path: &str) -> bool {
        self.paths.contains(path.trim_end_matches('/'))
    }

    /// Whether some file is called so.
    fn has_called(&self, name: &str) -> bool {
        let ending = format!("/{name}");
        self.paths
            .iter()
            .any(|path| path == name || path.ends_with(&ending))
    }

    /// What a document names and the tree has not.
    fn missing(&self, document: &str, text: &str) -> Vec<String> {
        let folder = Path::new(document).parent().unwrap_or(Path::new(""));
        let mut missing = Vec::new();
        for link in links(text) {
            let path = folder.join(link.split('#').next().unwrap_or_default());
            let path = normal(&path);
            if !path.is_empty() && !self.has(&path) {
                missing.push(link.to_owned());
            }
        }
        for span in spans(text) {
            let path = span.trim_end_matches('/');
            let pattern = path.contains(['*', '{', '<', ' ']);
            let absent = if TOP.iter().any(|top| span.starts_with(top)) {
                !self.has(path)
            } else {
                // A source named without its folder; other files may be anybody's.
                path.ends_with(".rs") && !path.contains('\\') && !self.has_called(path)
            };
            if absent && !pattern {
                missing.push(span.to_owned());
            }
        }
        missing.extend(layout(text).into_iter().filter(|path| !self.has(path)));
        missing
    }
}

/// A path without `..`.
fn normal(path: &Path) -> String {
    let mut parts = Vec::new();
    for part in path.components() {
        match part.as_os_str().to_str() {
            Some("..") => {
                parts.pop();
            }
            Some(name) => parts.push(name),
            None => {}
        }
    }
    parts.join("/")
}

/// Targets of the links that stay inside the repository.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://") && !link.contains(char::is_whitespace))
}

/// What stands between single backticks, outside of code blocks.
fn spans(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split('`').skip(1).step_by(2))
        .collect()
}

/// The folders of a layout: in a block of text, names that end with `/`, indented under each other.
fn layout(text: &str) -> Vec<String> {
    let mut folders = Vec::new();
    for block in text.split("```text\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        let mut above: Vec<(usize, String)> = Vec::new();
        for line in block.lines() {
            let indent = line.len() - line.trim_start().len();
            let Some(name) = line
                .split_whitespace()
                .next()
                .and_then(|word| word.strip_suffix('/'))
                .filter(|name| !name.contains(['/', ':', '\\']))
            else {
                continue;
            };
            above.retain(|(column, _)| *column < indent);
            let path = match above.last() {
                Some((_, parent)) => format!("{parent}/{name}"),
                None => name.to_owned(),
            };
            folders.push(path.clone());
            above.push((indent, path));
        }
    }
    folders
}

#[test]
fn what_the_documents_name_exists() {
    let files = tree::files();
    let names = Names::of(&files);
    let mut wrong = Vec::new();
    let mut documents = 0;
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        documents += 1;
        wrong.extend(
            names
                .missing(file, &tree::read(file))
                .into_iter()
                .map(|name| format!("{file}: {name}")),
        );
    }
    assert!(documents > 4, "{documents} documents");
    assert!(wrong.is_empty(), "not in the tree:\n{}", wrong.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_spans_and_layouts_are_held_against_the_tree() {
        let names = Names::of(&["docs/a.md", "crates/nt/src/lib.rs"].map(str::to_owned));
        let missing = |text: &str| names.missing("docs/a.md", text);
        let sound = "[a](a.md#x) [n](../crates/nt) `crates/nt/src/lib.rs` `lib.rs` `crates/nt/` `x/y.c`\n```text\ncrates/    what\n  nt/      there is\n```\n";
        assert_eq!(missing(sound), Vec::<String>::new());
        assert_eq!(
            missing("[b](b.md) `crates/no/` `no.rs`\n```text\ncrates/\n  no/  x\n```\n"),
            ["b.md", "crates/no/", "no.rs", "crates/no"]
        );
        assert_eq!(missing("[b](https://b.md)"), Vec::<String>::new());
    }
}
