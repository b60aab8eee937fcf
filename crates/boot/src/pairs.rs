// SPDX-License-Identifier: GPL-2.0-or-later
//! What the strings of a PendingFileRenameOperations value ask for (spec 6.1). Pure.
//!
//! Each value is paired by itself and a dangling source is dropped (deviation D13). The number that
//! installers of later systems put before a path, `*1\??\C:\x`, is passed over: a user wants the
//! file renamed.

use nt::failure::Skippable;
use nt::{Status, UnicodeStr};

/// A value of pending renames.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenameList<'a> {
    /// All of its text: its strings, divided by NULs.
    pub text: UnicodeStr<'a>,
    /// How many strings of it count.
    pub strings: usize,
}

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// NT path of the file or directory.
    pub source: UnicodeStr<'a>,
    /// NT path of its new name; without one it is deleted.
    pub target: Option<UnicodeStr<'a>>,
    /// What has the new name already is replaced.
    pub replace: bool,
}

/// A pair of strings.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The value it belongs to.
    pub list: usize,
    /// At which unit of that value's text it begins.
    pub at: usize,
    /// Its first string, as it is written.
    pub source: UnicodeStr<'a>,
    /// What it asks for; a source that was left over asks for nothing.
    pub operation: Option<Operation<'a>>,
}

impl Pair<'_> {
    /// Reports that it could not be carried out.
    #[inline(never)]
    pub fn report(&self, status: Status) {
        const STEP: Skippable = Skippable::PendingRename;
        match self.operation {
            Some(Operation {
                source,
                target: Some(target),
                replace,
            }) => {
                let replaced = if replace { ", replaced" } else { "" };
                STEP.report(nt::text!("{source} -> {target}{replaced}"), status);
            }
            Some(Operation { source, .. }) => STEP.report(nt::text!("delete {source}"), status),
            None => STEP.report(self.source, status),
        }
    }
}

/// The pairs of two values, in order.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a> {
    /// The values, with the strings that are left of them.
    lists: [RenameList<'a>; 2],
    list: usize,
    at: usize,
}

impl<'a> Pairs<'a> {
    /// All pairs of these values.
    pub const fn new(lists: [RenameList<'a>; 2]) -> Self {
        Self {
            lists,
            list: 0,
            at: 0,
        }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        while self.lists.get(self.list)?.strings == 0 {
            self.list += 1;
            self.at = 0;
        }
        let left = self.lists.get_mut(self.list)?;
        let (source, target) = strings(left.text.skip(self.at));
        let operation = (left.strings > 1).then(|| operation(source, target));
        left.strings = left.strings.saturating_sub(2);
        let pair = Pair {
            list: self.list,
            at: self.at,
            source,
            operation,
        };
        self.at += source.len() + target.len() + 2;
        Some(pair)
    }
}

/// The first two strings of `text`.
pub(crate) fn strings(text: UnicodeStr<'_>) -> (UnicodeStr<'_>, UnicodeStr<'_>) {
    let first = text.until_nul();
    (first, text.skip(first.len() + 1).until_nul())
}

/// What the two strings of a pair ask for.
///
/// ```
/// use boot::pairs::operation;
/// use nt::wide;
///
/// let renamed = operation(wide!("\\??\\C:\\new"), wide!("!\\??\\C:\\old"));
/// assert_eq!(renamed.target, Some(wide!("\\??\\C:\\old")));
/// assert!(renamed.replace);
/// let deleted = operation(wide!("\\??\\C:\\temp"), wide!(""));
/// assert_eq!(deleted.target, None);
/// ```
pub fn operation<'a>(source: UnicodeStr<'a>, target: UnicodeStr<'a>) -> Operation<'a> {
    let (source, target) = (unnumbered(source), unnumbered(target));
    if target.is_empty() {
        return Operation {
            source: marked(source, b"@").unwrap_or(source),
            target: None,
            replace: false,
        };
    }
    let plain = marked(target, b"!@");
    Operation {
        source,
        target: Some(unnumbered(plain.unwrap_or(target))),
        replace: plain.is_some(),
    }
}

/// What follows one of these marks.
fn marked<'a>(path: UnicodeStr<'a>, marks: &[u8]) -> Option<UnicodeStr<'a>> {
    let mark = path.first()?;
    marks
        .iter()
        .any(|&byte| u16::from(byte) == mark)
        .then(|| path.skip(1))
}

/// What follows `*` and digits, if a path does.
fn unnumbered(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    let Some(number) = marked(path, b"*") else {
        return path;
    };
    let is_digit = |&unit: &u16| (u16::from(b'0')..=u16::from(b'9')).contains(&unit);
    let digits = number
        .units()
        .iter()
        .take_while(|&unit| is_digit(unit))
        .count();
    let rest = number.skip(digits);
    if digits > 0 && marked(rest, b"\\!@").is_some() {
        rest
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// What a value of these strings asks for, and one of the same strings behind it.
    fn of(strings: &[UnicodeStr<'_>]) -> Vec<Result<Operation<'static>, UnicodeStr<'static>>> {
        let mut text = Vec::new();
        for string in strings {
            text.extend(string.units());
            text.push(0);
        }
        let list = RenameList {
            text: UnicodeStr(text.leak()),
            strings: strings.len(),
        };
        let pairs: Vec<_> = Pairs::new([list, list]).collect();
        let (first, second) = pairs.split_at(pairs.len() / 2);
        assert!(
            first.iter().all(|pair| pair.list == 0) && second.iter().all(|pair| pair.list == 1)
        );
        let found = |pairs: &[Pair<'static>]| -> Vec<_> {
            assert!(pairs.iter().all(|pair| {
                list.text
                    .skip(pair.at)
                    .units()
                    .starts_with(pair.source.units())
            }));
            pairs
                .iter()
                .map(|pair| pair.operation.ok_or(pair.source))
                .collect()
        };
        assert_eq!(found(first), found(second));
        found(first)
    }

    const A: UnicodeStr<'_> = wide!("\\??\\C:\\a");
    const B: UnicodeStr<'_> = wide!("\\??\\C:\\b");

    fn rename(replace: bool) -> Result<Operation<'static>, UnicodeStr<'static>> {
        Ok(Operation {
            source: A,
            target: Some(B),
            replace,
        })
    }

    #[test]
    fn spec_6_1_prefixes() {
        assert_eq!(
            of(&[A, wide!("")]),
            [Ok(Operation {
                source: A,
                target: None,
                replace: false
            })]
        );
        assert_eq!(
            of(&[wide!("@\\??\\C:\\a"), wide!("")]),
            [Ok(Operation {
                source: A,
                target: None,
                replace: false
            })]
        );
        assert_eq!(of(&[A, B]), [rename(false)]);
        assert_eq!(of(&[A, wide!("!\\??\\C:\\b")]), [rename(true)]);
        assert_eq!(of(&[A, wide!("@\\??\\C:\\b")]), [rename(true)]);
        assert_eq!(
            of(&[wide!("*1\\??\\C:\\a"), wide!("*12!\\??\\C:\\b")]),
            [rename(true)]
        );
        assert_eq!(of(&[A, wide!("!*1\\??\\C:\\b")]), [rename(true)]);
    }

    #[test]
    fn an_at_before_the_source_of_a_rename_is_part_of_its_name() {
        let source = wide!("@\\??\\C:\\a");
        assert_eq!(
            of(&[source, B]),
            [Ok(Operation {
                source,
                target: Some(B),
                replace: false
            })]
        );
    }

    #[test]
    fn spec_6_1_a_star_without_a_number_or_without_a_path_is_part_of_the_name() {
        for target in [wide!("*\\??\\C:\\b"), wide!("*12b"), wide!("*1")] {
            let (operation, target) = (operation(A, target), Some(target));
            assert_eq!((operation.target, operation.replace), (target, false));
        }
    }

    #[test]
    fn spec_17_odd_number_of_strings_ignores_the_last_source() {
        assert_eq!(of(&[A, B, A]), [rename(false), Err(A)]);
        assert_eq!(of(&[A]), [Err(A)]);
        assert_eq!(of(&[]), []);
    }

    proptest! {
        #[test]
        fn any_strings_are_paired_in_order(strings in prop::collection::vec(prop::collection::vec(prop_oneof![
            Just(u16::from(b'!')), Just(u16::from(b'@')), Just(u16::from(b'*')), Just(u16::from(b'1')), 1u16..], 0..8), 0..9)) {
            let all: Vec<_> = strings.iter().map(|units| UnicodeStr(units)).collect();
            let found = of(&all);
            prop_assert_eq!(found.len(), all.len().div_ceil(2));
            for (operation, pair) in found.iter().zip(all.chunks(2)) {
                match operation {
                    Ok(operation) => {
                        prop_assert!(pair[0].units().ends_with(operation.source.units()));
                        prop_assert_eq!(operation.target.is_none(), pair[1].is_empty());
                    }
                    Err(source) => prop_assert_eq!(pair, &[*source][..]),
                }
            }
        }
    }
}
