// SPDX-License-Identifier: GPL-2.0-or-later
//! The environment block: what a session manager hands to every child (spec 5).
//!
//! The block is `name=value` NUL, one after the other, sorted by name without regard to case, and
//! one more NUL. A name may begin with `=` and has no other. The block lives in pages and grows
//! when it is full; unlike the `Rtl` routines it has no 64 KiB limit on a value.

use crate::pages::PageVec;
use crate::system::Memory;
use crate::{Result, Status, UnicodeStr};
use core::cmp::Ordering;

/// An environment block of this process's own.
#[derive(Debug)]
pub struct Environment<'s, S: Memory> {
    /// The variables, each with its NUL, and two NULs more: an empty block is two NULs.
    units: PageVec<'s, S, u16>,
}

impl<'s, S: Memory> Environment<'s, S> {
    /// A copy of `block`, such as the one this process was given; its final NUL may be missing
    /// (spec 5.1 #1).
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn copied(system: &'s S, block: &[u16]) -> Result<Self> {
        let mut units = PageVec::new(system);
        for variable in block
            .split(|&unit| unit == 0)
            .take_while(|variable| !variable.is_empty())
        {
            units.extend(variable)?;
            units.push(0)?;
        }
        units.extend(&[0, 0])?;
        Ok(Self { units })
    }

    /// The block, with its final NUL, as a process is given it.
    pub fn block(&self) -> &[u16] {
        let units = self.units.as_slice();
        let spare = usize::from(units.len() > 2);
        units
            .get(..units.len().saturating_sub(spare))
            .unwrap_or_default()
    }

    /// Name and value of every variable, in the block's order.
    pub fn iter(&self) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> {
        self.walk().map(|(_, name, value)| (name, value))
    }

    /// The value of `name`, looked up without regard to case.
    pub fn get(&self, name: UnicodeStr<'_>) -> Option<UnicodeStr<'_>> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_case(name))
            .map(|(_, value)| value)
    }

    /// Sets `name` to `value`; both end before their first NUL, if they have one. An existing
    /// variable keeps its spelling and its place.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for an empty name or one with a `=` after its first character;
    /// `NO_MEMORY`. Nothing has changed then.
    pub fn set(&mut self, name: UnicodeStr<'_>, value: UnicodeStr<'_>) -> Result<()> {
        let (name, value) = (name.until_nul(), value.until_nul());
        valid(name)?;
        if let Some((at, known, old)) = self.find(name) {
            return self.units.splice(at + known + 1, old, [value.units()]);
        }
        let before = self
            .walk()
            .find(|(_, known, _)| known.cmp_ignore_case(name) == Ordering::Greater)
            .map(|(at, ..)| at);
        let at = before.unwrap_or_else(|| self.units.len().saturating_sub(2));
        self.units.splice(
            at,
            0,
            [name.units(), &[u16::from(b'=')], value.units(), &[0]],
        )
    }

    /// Removes `name`. A variable that is not there is no error.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` as for [`Self::set`].
    pub fn delete(&mut self, name: UnicodeStr<'_>) -> Result<()> {
        let name = name.until_nul();
        valid(name)?;
        match self.find(name) {
            Some((at, known, value)) => self.units.splice(at, known + 1 + value + 1, []),
            None => Ok(()),
        }
    }

    /// Appends `text` to `expanded` with every `%name%` of a known name replaced by its value;
    /// anything else stays as it is, and the second `%` of an unknown name may begin the next
    /// one.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn expand(&self, text: UnicodeStr<'_>, expanded: &mut PageVec<'_, S, u16>) -> Result<()> {
        let mut rest = text;
        while let Some(open) = rest.find(b'%') {
            expanded.extend(rest.take(open).units())?;
            rest = rest.skip(open);
            let Some(name) = rest.skip(1).find(b'%') else {
                break;
            };
            match self.get(rest.skip(1).take(name)) {
                Some(value) => {
                    expanded.extend(value.units())?;
                    rest = rest.skip(name + 2);
                }
                None => {
                    expanded.extend(rest.take(name + 1).units())?;
                    rest = rest.skip(name + 1);
                }
            }
        }
        expanded.extend(rest.units())
    }

    /// Where the variable `name` begins, the length of its name and of its value.
    fn find(&self, name: UnicodeStr<'_>) -> Option<(usize, usize, usize)> {
        self.walk()
            .find(|(_, known, _)| known.eq_ignore_case(name))
            .map(|(at, known, value)| (at, known.len(), value.len()))
    }

    /// Index in the block, name and value of every variable. A string without `=` is no variable
    /// and is passed over.
    fn walk(&self) -> impl Iterator<Item = (usize, UnicodeStr<'_>, UnicodeStr<'_>)> {
        let mut at = 0;
        let strings = self
            .units
            .as_slice()
            .split(|&unit| unit == 0)
            .take_while(|string| !string.is_empty());
        strings.filter_map(move |string| {
            let start = at;
            at += string.len() + 1;
            let string = UnicodeStr(string);
            let equals = string.skip(1).find(b'=')? + 1;
            Some((start, string.take(equals), string.skip(equals + 1)))
        })
    }
}

fn valid(name: UnicodeStr<'_>) -> Result<()> {
    if name.is_empty() || name.skip(1).find(b'=').is_some() {
        Err(Status::INVALID_PARAMETER)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::tests::Heap;
    use crate::wide;
    use proptest::prelude::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    static HEAP: Heap = Heap(1 << 24);

    fn of(pairs: &[(&str, &str)]) -> Environment<'static, Heap> {
        let mut environment = Environment::copied(&HEAP, &[]).unwrap();
        for (name, value) in pairs {
            environment
                .set(UnicodeStr(&units(name)), UnicodeStr(&units(value)))
                .unwrap();
        }
        environment
    }

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn text(environment: &Environment<'_, Heap>) -> String {
        String::from_utf16_lossy(environment.block()).replace('\0', "|")
    }

    fn expanded(environment: &Environment<'_, Heap>, of: &str) -> String {
        let mut out = PageVec::new(&HEAP);
        environment
            .expand(UnicodeStr(&units(of)), &mut out)
            .unwrap();
        out.as_str().to_string()
    }

    #[test]
    fn an_empty_block_is_two_nuls_and_any_other_ends_in_two() {
        assert_eq!(text(&of(&[])), "||");
        assert_eq!(text(&of(&[("A", "1")])), "A=1||");
    }

    #[test]
    fn variables_are_inserted_in_order_without_regard_to_case() {
        assert_eq!(
            text(&of(&[("b", "2"), ("C", "3"), ("A", "1"), ("=C:", "x")])),
            "=C:=x|A=1|b=2|C=3||"
        );
    }

    #[test]
    fn setting_again_keeps_place_and_spelling() {
        let mut environment = of(&[("Path", "a"), ("Z", "z")]);
        environment.set(wide!("PATH"), wide!("a;b")).unwrap();
        assert_eq!(text(&environment), "Path=a;b|Z=z||");
        environment.set(wide!("PATH"), wide!("")).unwrap();
        assert_eq!(text(&environment), "Path=|Z=z||");
        environment.delete(wide!("path")).unwrap();
        environment.delete(wide!("nobody")).unwrap();
        assert_eq!(text(&environment), "Z=z||");
    }

    #[test]
    fn bad_names_are_refused() {
        let mut environment = of(&[]);
        for name in [wide!(""), wide!("a=b"), wide!("==")] {
            assert_eq!(
                environment.set(name, wide!("x")),
                Err(Status::INVALID_PARAMETER)
            );
        }
        assert_eq!(text(&environment), "||");
    }

    #[test]
    fn a_given_block_is_copied_up_to_its_end() {
        let environment =
            Environment::copied(&HEAP, &units("Path=C:\\x\0SystemRoot=C:\\R\0\0junk")).unwrap();
        assert_eq!(text(&environment), "Path=C:\\x|SystemRoot=C:\\R||");
        assert_eq!(environment.get(wide!("systemroot")), Some(wide!("C:\\R")));
    }

    #[test]
    fn unknown_and_unfinished_names_stay_literal() {
        let environment = of(&[("B", "x")]);
        assert_eq!(expanded(&environment, "%B%;%no%;%B%"), "x;%no%;x");
        assert_eq!(expanded(&environment, "100%"), "100%");
        assert_eq!(expanded(&environment, "%%B%"), "%x");
        assert_eq!(expanded(&environment, "%no%B%"), "%nox");
    }

    #[test]
    fn a_large_value_makes_the_block_grow() {
        let long = "v".repeat(100_000);
        assert_eq!(
            of(&[("A", "1"), ("L", &long)])
                .get(wide!("l"))
                .unwrap()
                .len(),
            100_000
        );
    }

    proptest! {
        #[test]
        fn any_names_and_values_keep_the_block_well_formed(
            pairs in prop::collection::vec((prop::collection::vec(0u16..0x80, 0..6), prop::collection::vec(any::<u16>(), 0..12)), 0..12),
            subject in prop::collection::vec(prop_oneof![Just(u16::from(b'%')), 0x40u16..0x46], 0..40),
        ) {
            let mut environment = of(&[]);
            for (name, value) in &pairs {
                let (name, value) = (UnicodeStr(name), UnicodeStr(value));
                match environment.set(name, value) {
                    Ok(()) => prop_assert_eq!(environment.get(name.until_nul()), Some(value.until_nul())),
                    Err(status) => prop_assert_eq!(status, Status::INVALID_PARAMETER),
                }
            }
            let again = Environment::copied(&HEAP, environment.block()).unwrap();
            prop_assert_eq!(again.block(), environment.block());
            let names: Vec<_> = environment.iter().map(|(name, _)| name).collect();
            prop_assert!(names.windows(2).all(|pair| pair[0].cmp_ignore_case(pair[1]) == Ordering::Less));
            let mut out = PageVec::new(&HEAP);
            environment.expand(UnicodeStr(&subject), &mut out).unwrap();
            if !subject.contains(&u16::from(b'%')) {
                prop_assert_eq!(out.as_slice(), &subject[..]);
            }
        }
    }
}
