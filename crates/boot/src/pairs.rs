// SPDX-License-Identifier: GPL-2.0-or-later
//! What the strings of a PendingFileRenameOperations value ask for (spec 6.1). Pure.
//!
//! Each value is paired by itself and a dangling source is dropped (deviation D13). The number that installers of later systems put
//! before a path, `*1\??\C:\x`, is passed over: a user wants the file renamed.

use nt::UnicodeStr;

/// One operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation<'a> {
    /// NT path of the file or directory.
    pub source: UnicodeStr<'a>,
    /// What becomes of it.
    pub action: Action<'a>,
}

impl<'a> Operation<'a> {
    /// The new name, if it is a rename.
    pub const fn target(&self) -> Option<UnicodeStr<'a>> {
        match self.action {
            Action::Rename { target, .. } => Some(target),
            Action::Delete => None,
        }
    }
}

/// See [`Operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// It is deleted.
    Delete,
    /// It gets another name.
    Rename {
        /// NT path.
        target: UnicodeStr<'a>,
        /// What has that name already is replaced.
        replace: bool,
    },
}

impl core::fmt::Display for Operation<'_> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.action {
            Action::Delete => write!(out, "delete {}", self.source),
            Action::Rename { target, replace: false } => write!(out, "{} -> {target}", self.source),
            Action::Rename { target, replace: true } => write!(out, "{} -> {target}, replaced", self.source),
        }
    }
}

/// The operations that `strings` ask for, two by two, each with its first string as it stands there; the source that was left over comes
/// as `Err`.
pub fn operations<'a>(
    mut strings: impl Iterator<Item = UnicodeStr<'a>> + Clone,
) -> impl Iterator<Item = Result<(UnicodeStr<'a>, Operation<'a>), UnicodeStr<'a>>> + Clone {
    core::iter::from_fn(move || {
        let source = strings.next()?;
        Some(strings.next().map(|target| (source, operation(source, target))).ok_or(source))
    })
}

/// What the two strings of a pair ask for.
pub fn operation<'a>(source: UnicodeStr<'a>, target: UnicodeStr<'a>) -> Operation<'a> {
    let (source, target) = (unnumbered(source), unnumbered(target));
    if target.is_empty() {
        return Operation { source: marked(source, b"@").unwrap_or(source), action: Action::Delete };
    }
    let plain = marked(target, b"!@");
    let target = unnumbered(plain.unwrap_or(target));
    Operation { source, action: Action::Rename { target, replace: plain.is_some() } }
}

/// What follows one of these marks.
fn marked<'a>(path: UnicodeStr<'a>, marks: &[u8]) -> Option<UnicodeStr<'a>> {
    let mark = path.first()?;
    marks.iter().any(|&byte| u16::from(byte) == mark).then(|| path.skip(1))
}

/// What follows `*` and digits, if a path does.
fn unnumbered(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    let Some(number) = marked(path, b"*") else { return path };
    let is_digit = |&unit: &u16| (u16::from(b'0')..=u16::from(b'9')).contains(&unit);
    let digits = number.units().iter().take_while(|&unit| is_digit(unit)).count();
    let rest = number.skip(digits);
    if digits > 0 && b"\\!@".iter().any(|&byte| rest.first() == Some(u16::from(byte))) { rest } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn of<'a>(strings: &[UnicodeStr<'a>]) -> Vec<Result<Operation<'a>, UnicodeStr<'a>>> {
        operations(strings.iter().copied()).map(|item| item.map(|(_, operation)| operation)).collect()
    }

    const A: UnicodeStr<'_> = wide!("\\??\\C:\\a");
    const B: UnicodeStr<'_> = wide!("\\??\\C:\\b");

    fn rename(replace: bool) -> Result<Operation<'static>, UnicodeStr<'static>> {
        Ok(Operation { source: A, action: Action::Rename { target: B, replace } })
    }

    #[test]
    fn spec_6_1_prefixes() {
        assert_eq!(of(&[A, wide!("")]), [Ok(Operation { source: A, action: Action::Delete })]);
        assert_eq!(of(&[wide!("@\\??\\C:\\a"), wide!("")]), [Ok(Operation { source: A, action: Action::Delete })]);
        assert_eq!(of(&[A, B]), [rename(false)]);
        assert_eq!(of(&[A, wide!("!\\??\\C:\\b")]), [rename(true)]);
        assert_eq!(of(&[A, wide!("@\\??\\C:\\b")]), [rename(true)]);
        assert_eq!(of(&[wide!("*1\\??\\C:\\a"), wide!("*12!\\??\\C:\\b")]), [rename(true)]);
        assert_eq!(of(&[A, wide!("!*1\\??\\C:\\b")]), [rename(true)]);
    }

    #[test]
    fn an_at_before_the_source_of_a_rename_is_part_of_its_name() {
        let source = wide!("@\\??\\C:\\a");
        assert_eq!(of(&[source, B]), [Ok(Operation { source, action: Action::Rename { target: B, replace: false } })]);
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
            Just(u16::from(b'!')), Just(u16::from(b'@')), Just(u16::from(b'*')), Just(u16::from(b'1')), any::<u16>()], 0..8), 0..9)) {
            let all: Vec<_> = strings.iter().map(|units| UnicodeStr(units)).collect();
            let found = of(&all);
            prop_assert_eq!(found.len(), all.len().div_ceil(2));
            for (operation, pair) in found.iter().zip(all.chunks(2)) {
                match operation {
                    Ok(operation) => {
                        prop_assert!(pair[0].units().ends_with(operation.source.units()));
                        prop_assert_eq!(operation.action == Action::Delete, pair[1].is_empty());
                    }
                    Err(source) => prop_assert_eq!(pair, &[*source][..]),
                }
            }
        }
    }
}
