// SPDX-License-Identifier: GPL-2.0-or-later
//! What the sources cite of `docs/specification.md` exists there: sections (`spec 9.2`), rows of
//! their tables (`spec 9.2 #4`), deviations (D13), in comments and in the names of tests.
//!
//! A test that proves a row is called `spec_` and the section's numbers, or `d` and the
//! deviation's; any other word for it is an error here, so that a row finds its tests by one search.

use super::tree;
use std::collections::BTreeSet;

/// The words that tests began with before there was one.
const OTHER_WORDS: [&str; 4] = ["section_", "row_", "vector_", "matrix_"];

/// What the specification has.
struct Specification {
    /// `9`, `9.2`; rows are `9.2 #4`.
    sections: BTreeSet<String>,
    /// `D13`.
    deviations: BTreeSet<String>,
}

impl Specification {
    fn parse(text: &str) -> Self {
        let mut this = Self {
            sections: BTreeSet::new(),
            deviations: BTreeSet::new(),
        };
        let mut section = String::new();
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix('#') {
                let heading = heading.trim_start_matches('#').trim_start();
                if let Some(number) = heading.split_whitespace().next()
                    && number.starts_with(|digit: char| digit.is_ascii_digit())
                {
                    section = number.trim_end_matches('.').to_owned();
                    this.sections.insert(section.clone());
                }
            } else if let Some(cell) = line.strip_prefix("| ") {
                let cell = cell.split(" |").next().unwrap_or_default().trim();
                if is_row(cell) {
                    this.sections.insert(format!("{section} #{cell}"));
                } else if cell.strip_prefix('D').is_some_and(is_number) {
                    this.deviations.insert(cell.to_owned());
                }
            }
        }
        this
    }

    /// Everything in a file that cites what there is not.
    fn unknown(&self, source: &str) -> Vec<String> {
        let text = prose(source);
        let mut unknown: Vec<String> = cited_sections(&text)
            .into_iter()
            .filter(|section| !self.sections.contains(section))
            .map(|section| format!("spec {section}"))
            .collect();
        unknown.extend(
            cited_deviations(&text)
                .filter(|deviation| !self.deviations.contains(deviation))
                .map(|deviation| format!("deviation {deviation}")),
        );
        for name in tests(source) {
            if OTHER_WORDS.iter().any(|word| name.starts_with(word)) {
                unknown.push(format!(
                    "`{name}`: a test that proves a row begins with spec_"
                ));
            }
            unknown.extend(self.unknown_in_name(name));
        }
        unknown
    }

    fn unknown_in_name(&self, name: &str) -> Option<String> {
        let mut words = name.split('_');
        let known = match words.next()? {
            "spec" => {
                let major = words.next()?;
                let row = words.next().unwrap_or_default();
                // Of `spec_9_2_` the section 9.2 or row 2 of section 9.
                self.sections.contains(major)
                    && (!is_number(row)
                        || self.sections.contains(&format!("{major}.{row}"))
                        || self.sections.contains(&format!("{major} #{row}")))
            }
            word => match word.strip_prefix('d') {
                Some(number) if is_number(number) => {
                    self.deviations.contains(&format!("D{number}"))
                }
                _ => true,
            },
        };
        (!known).then(|| format!("`{name}`"))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `4`, `5a`.
fn is_row(text: &str) -> bool {
    is_number(
        text.strip_suffix(|letter: char| letter.is_ascii_lowercase())
            .unwrap_or(text),
    )
}

/// A source as one line, without the marks of its comments: a citation may lie across two lines.
fn prose(source: &str) -> String {
    source
        .lines()
        .map(|line| line.trim().trim_start_matches(['/', '!', '#', ';']).trim())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The sections and rows after each `spec `: `spec 9.4 to 9.6, 10.4 #1 and 10.7`.
fn cited_sections(text: &str) -> Vec<String> {
    let mut cited = Vec::new();
    for (at, word) in text.match_indices("spec ") {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let mut words = text[at + word.len()..].split_whitespace();
        let mut section = match words.next().and_then(numbered) {
            Some(section) => section,
            None => continue,
        };
        loop {
            let (number, ends) = section;
            cited.push(number.clone());
            let mut next = (!ends).then(|| words.next()).flatten();
            if let Some(row) = next.and_then(|word| word.strip_prefix('#')) {
                // Also a range of rows, `#3-#5`.
                let rows = row.trim_end_matches([',', ')', '.', ';', ':', '`']);
                cited.extend(rows.split("-#").map(|row| format!("{number} #{row}")));
                if row.ends_with([')', '.', ';', ':']) {
                    break;
                }
                next = words.next();
            }
            if let Some("and" | "to" | "or") = next {
                next = words.next();
            }
            // A number alone may be anything; only the first one has `spec` in front.
            match next.and_then(numbered) {
                Some(more) if more.0.contains('.') => section = more,
                _ => break,
            }
        }
    }
    cited
}

/// The section number that a word is, and whether the list ends with it.
fn numbered(word: &str) -> Option<(String, bool)> {
    let number = word
        .split(|end: char| !(end.is_ascii_digit() || end == '.'))
        .next()?
        .trim_end_matches('.');
    let rest = &word[number.len()..];
    let digits = number.split('.').all(is_number) && number.split('.').count() <= 2;
    digits.then(|| (number.to_owned(), !(rest.is_empty() || rest == ",")))
}

/// Words such as `D13`.
fn cited_deviations(text: &str) -> impl Iterator<Item = String> {
    text.split(|end: char| !(end.is_alphanumeric() || end == '_'))
        .filter(|word| {
            word.len() <= 3 && word.strip_prefix('D').is_some_and(is_number) && *word != "D0"
        })
        .map(str::to_owned)
}

/// The names of a file's tests.
fn tests(source: &str) -> impl Iterator<Item = &str> {
    source.split("#[test]").skip(1).filter_map(|after| {
        let name = after.split_once("fn ")?.1;
        name.split('(').next()
    })
}

#[test]
fn what_the_sources_cite_of_the_specification_exists() {
    let specification = Specification::parse(&tree::read("docs/specification.md"));
    assert!(specification.sections.len() > 100 && specification.deviations.len() > 30);
    let mut wrong = Vec::new();
    let mut citations = 0;
    for file in tree::files() {
        if !tree::is_text(&file) || file == "docs/specification.md" {
            continue;
        }
        let source = tree::read(&file);
        citations += source.matches("spec ").count();
        // What stands here is cited to be refused.
        if file != "xtask/src/lint/citations.rs" {
            wrong.extend(
                specification
                    .unknown(&source)
                    .into_iter()
                    .map(|what| format!("{file}: {what}")),
            );
        }
    }
    assert!(citations > 300, "{citations} citations");
    assert!(
        wrong.is_empty(),
        "not in the specification:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_index_of_rows_names_sections_and_tests_that_exist() {
    let specification = Specification::parse(&tree::read("docs/specification.md"));
    let sources: Vec<String> = tree::files()
        .into_iter()
        .filter(|file| file.ends_with(".rs"))
        .map(|file| tree::read(&file))
        .collect();
    let names: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| tests(source))
        .chain(scenarios::all().map(|scenario| scenario.name))
        .collect();
    let mut rows = 0;
    let mut wrong = Vec::new();
    for line in tree::read("docs/rows.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        rows += 1;
        let section = line.split_whitespace().next().unwrap_or_default();
        if !specification.sections.contains(section) {
            wrong.push(format!("{line}: no section {section}"));
        }
        match line.split_once(": ") {
            Some((_, proofs)) => wrong.extend(
                proofs
                    .split_whitespace()
                    .filter(|test| !names.contains(test))
                    .map(|test| format!("{line}: no test {test}")),
            ),
            None => wrong.push(format!("{line}: no test")),
        }
    }
    assert!(rows > 150, "{rows} rows");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "## 9. Subsystems\n### 9.2 Loading\n| # | Step |\n| 4 | x |\n| D13 | y |\n## 14. Order\n| 30 | z |\n";

    #[test]
    fn sections_rows_and_deviations_are_found() {
        let specification = Specification::parse(TEXT);
        let have: Vec<&str> = specification.sections.iter().map(String::as_str).collect();
        assert_eq!(have, ["14", "14 #30", "9", "9.2", "9.2 #4"]);
        assert!(specification.deviations.contains("D13"));
    }

    #[test]
    fn lists_ranges_and_citations_across_lines_are_read() {
        assert_eq!(
            cited_sections(&prose(
                "/// as written (spec\n    /// 9.4 to 9.6, 10.4 #1-#3a and 10.7). 3.5 mm"
            )),
            ["9.4", "9.6", "10.4", "10.4 #1", "10.4 #3a", "10.7"]
        );
        assert_eq!(cited_sections("spec 14, 2 of them"), ["14"]);
        assert_eq!(
            cited_sections("respec 3 and spec N.M"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_does_not_exist_is_named() {
        let specification = Specification::parse(TEXT);
        let unknown = |source: &str| specification.unknown(source);
        assert_eq!(unknown("// spec 9.2 #4, D13"), Vec::<String>::new());
        assert_eq!(
            unknown("// spec 9.3, D14, spec 9.2 #5"),
            ["spec 9.3", "spec 9.2 #5", "deviation D14"]
        );
        let test = |name: &str| unknown(&format!("#{}\nfn {name}() {{}}", "[test]"));
        assert_eq!(test("spec_14_30_is_so"), Vec::<String>::new());
        assert_eq!(test("d13_is_so"), Vec::<String>::new());
        assert_eq!(test("spec_9_3_is_not"), ["`spec_9_3_is_not`"]);
        assert_eq!(test("d2_is_not"), ["`d2_is_not`"]);
        assert_eq!(test("section_9_2_is_so").len(), 1);
    }
}
