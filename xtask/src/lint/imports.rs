// SPDX-License-Identifier: GPL-2.0-or-later
//! What `crates/ntdll` calls of `ntdll.dll` is in its import library.
//!
//! A name that is missing there passes every check of the compiler, which needs no library, and
//! fails when the image is linked.

use super::tree;
use std::collections::BTreeSet;

const FOLDER: &str = "crates/ntdll/src/";
const LIBRARY: &str = "crates/ntdll/src/imports.rs";
/// How the functions of `ntdll.dll` begin that the crate may call.
const PREFIXES: [&str; 4] = ["Nt", "Rtl", "Ldr", "Dbg"];

/// The names of functions of `ntdll.dll` that stand before a parenthesis in a source, and whether
/// each stands in a definition or a declaration.
fn named(source: &str) -> Vec<(String, bool)> {
    let code = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    let mut names = Vec::new();
    for line in code {
        for (at, _) in line.match_indices('(') {
            let head = &line[..at];
            let name = head
                .rsplit(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .next()
                .unwrap_or_default();
            let before = head[..head.len() - name.len()].trim_end();
            let is_function = PREFIXES.iter().any(|prefix| {
                name.strip_prefix(prefix).is_some_and(|rest| {
                    rest.starts_with(|letter: char| letter.is_ascii_uppercase())
                })
            });
            if is_function {
                names.push((name.to_owned(), before.ends_with("fn")));
            }
        }
    }
    names
}

/// The names in the import library: `NtClose(_)`, or a declaration.
fn library(source: &str) -> BTreeSet<String> {
    named(source).into_iter().map(|(name, _)| name).collect()
}

/// The functions of `ntdll.dll` that a source calls.
fn called(source: &str) -> BTreeSet<String> {
    let calls = named(source).into_iter().filter(|(_, defined)| !defined);
    calls.map(|(name, _)| name).collect()
}

#[test]
fn every_function_of_ntdll_that_is_called_is_in_the_import_library() {
    let library = library(&tree::read(LIBRARY));
    let mut all = BTreeSet::new();
    for file in tree::files() {
        if file.starts_with(FOLDER) && file.ends_with(".rs") && file != LIBRARY {
            all.extend(called(&tree::read(&file)));
        }
    }
    assert!(all.len() > 40, "{} calls", all.len());
    let missing: Vec<_> = all.difference(&library).collect();
    assert!(missing.is_empty(), "not in {LIBRARY}: {missing:?}");
}

#[test]
fn a_call_is_told_from_a_definition_and_from_a_comment() {
    let source = "// NtA(1)\nfn NtB() {}\nunsafe { NtC(2, RtlD(3)) }; Ntype(4); NtStatus { }\n";
    let names: Vec<_> = called(source).into_iter().collect();
    assert_eq!(names, ["NtC", "RtlD"]);
    let names: Vec<_> = library("NtA(_ _)\nfn DbgB();\n").into_iter().collect();
    assert_eq!(names, ["DbgB", "NtA"]);
}
