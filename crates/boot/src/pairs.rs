// SPDX-License-Identifier: GPL-2.0-or-later
//! What the strings of a PendingFileRenameOperations value ask for (spec 6.1). Pure.
//!
//! Each value is paired by itself and a dangling source is dropped (deviation D13). The number that
//! installers of later systems put before a path, `*1\??\C:\x`, is passed over: a user wants the
//! file renamed.

use nt::failure::Skippable;
use nt::{Status, UnicodeStr};

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// NT path of the file or directory; a source that was left over stands here as it is written.
    pub source: UnicodeStr<'a>,
    /// What becomes of it.
    pub task: Task<'a>,
}

/// What a pair asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task<'a> {
    /// The source goes.
    Delete,
    /// The source gets another name.
    Rename {
        /// NT path of its new name.
        target: UnicodeStr<'a>,
        /// What has the new name already is replaced.
        replace: bool,
    },
    /// Nothing: the source was left over.
    Dangling,
}

impl Operation<'_> {
    /// Reports that it could not be carried out.
    #[inline(never)]
    pub fn report(&self, status: Status) {
        const STEP: Skippable = Skippable::PendingRename;
        let source = self.source;
        match self.task {
            Task::Rename { target, replace } => {
                let replaced = if replace { ", replaced" } else { "" };
                STEP.report(nt::text!("{source} -> {target}{replaced}"), status);
            }
            Task::Delete => STEP.report(nt::text!("delete {source}"), status),
            Task::Dangling => STEP.report(source, status),
        }
    }
}

/// The operations of two values, each of which is the strings that it has, in order.
#[derive(Clone, Debug)]
pub struct Pairs<'l, I> {
    /// What is left of a value, and the value behind it.
    strings: I,
    rest: &'l [I],
}

impl<'l, I: Clone> Pairs<'l, I> {
    /// All operations of these values.
    pub fn new([first, rest @ ..]: &'l [I; 2]) -> Self {
        Self {
            strings: first.clone(),
            rest,
        }
    }
}

impl<'a, I: Iterator<Item = UnicodeStr<'a>> + Clone> Iterator for Pairs<'_, I> {
    type Item = Operation<'a>;

    fn next(&mut self) -> Option<Operation<'a>> {
        loop {
            if let Some(source) = self.strings.next() {
                return Some(operation(source, self.strings.next()));
            }
            let (next, rest) = self.rest.split_first()?;
            (self.strings, self.rest) = (next.clone(), rest);
        }
    }
}

/// What the two strings of a pair ask for; the second one is missing if the first was left over.
///
/// ```
/// use boot::pairs::{Task, operation};
/// use nt::wide;
///
/// let (replace, target) = (true, wide!("\\??\\C:\\old"));
/// let renamed = operation(wide!("\\??\\C:\\new"), Some(wide!("!\\??\\C:\\old")));
/// assert_eq!(renamed.task, Task::Rename { target, replace });
/// let deleted = operation(wide!("\\??\\C:\\temp"), Some(wide!("")));
/// assert_eq!(deleted.task, Task::Delete);
/// ```
pub fn operation<'a>(source: UnicodeStr<'a>, target: Option<UnicodeStr<'a>>) -> Operation<'a> {
    let Some(target) = target else {
        return Operation {
            source,
            task: Task::Dangling,
        };
    };
    let (source, target) = (unnumbered(source), unnumbered(target));
    if target.is_empty() {
        return Operation {
            source: marked(source, b"@").unwrap_or(source),
            task: Task::Delete,
        };
    }
    let plain = marked(target, b"!@");
    Operation {
        source,
        task: Task::Rename {
            target: unnumbered(plain.unwrap_or(target)),
            replace: plain.is_some(),
        },
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
    fn of<'a>(strings: &[UnicodeStr<'a>]) -> Vec<Operation<'a>> {
        let mut operations: Vec<_> = Pairs::new(&[strings, strings].map(strings_of)).collect();
        let second = operations.split_off(operations.len() / 2);
        assert_eq!(operations, second);
        operations
    }

    fn strings_of<'l, 'a>(
        strings: &'l [UnicodeStr<'a>],
    ) -> impl Iterator<Item = UnicodeStr<'a>> + Clone + 'l {
        strings.iter().copied()
    }

    const A: UnicodeStr<'_> = wide!("\\??\\C:\\a");
    const B: UnicodeStr<'_> = wide!("\\??\\C:\\b");

    const DELETION: Operation<'_> = Operation {
        source: A,
        task: Task::Delete,
    };
    const DANGLING: Operation<'_> = Operation {
        source: A,
        task: Task::Dangling,
    };

    const fn rename(replace: bool) -> Operation<'static> {
        let task = Task::Rename { target: B, replace };
        Operation { source: A, task }
    }

    #[test]
    fn spec_6_1_prefixes() {
        assert_eq!(of(&[A, wide!("")]), [DELETION]);
        assert_eq!(of(&[wide!("@\\??\\C:\\a"), wide!("")]), [DELETION]);
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
        let task = rename(false).task;
        assert_eq!(of(&[source, B]), [Operation { source, task }]);
    }

    #[test]
    fn spec_6_1_a_star_without_a_number_or_without_a_path_is_part_of_the_name() {
        for target in [wide!("*\\??\\C:\\b"), wide!("*12b"), wide!("*1")] {
            let replace = false;
            let task = operation(A, Some(target)).task;
            assert_eq!(task, Task::Rename { target, replace });
        }
    }

    #[test]
    fn spec_17_odd_number_of_strings_ignores_the_last_source() {
        assert_eq!(of(&[A, B, A]), [rename(false), DANGLING]);
        assert_eq!(of(&[A]), [DANGLING]);
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
                match pair {
                    [source, target] => {
                        prop_assert!(source.units().ends_with(operation.source.units()));
                        prop_assert_eq!(operation.task == Task::Delete, target.is_empty());
                        prop_assert_ne!(operation.task, Task::Dangling);
                    }
                    _ => prop_assert_eq!((&[operation.source][..], operation.task), (pair, Task::Dangling)),
                }
            }
        }
    }
}
