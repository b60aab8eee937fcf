// SPDX-License-Identifier: GPL-2.0-or-later
//! The environment block: what a session manager hands to every child (spec 5).
//!
//! The block is `name=value` NUL, one after the other, sorted by name without regard to case, and
//! one more NUL. A name may begin with `=` and has no other. The block lives in pages of its own;
//! unlike the `Rtl` routines it has no 64 KiB limit on a value. It does not change: variables are
//! collected first, where they are found by name, and made a block once.

use crate::pages::PageVec;
use crate::system::Memory;
use crate::{Result, Status, UnicodeStr};

/// An environment block of this process's own.
#[derive(Debug)]
pub struct Environment<S: Memory> {
    /// The variables, each with its NUL, and two NULs more: an empty block is two NULs.
    units: PageVec<S, u16>,
}

impl<S: Memory> Environment<S> {
    /// No block yet.
    pub const fn none(system: S) -> Self {
        Self {
            units: PageVec::new(system),
        }
    }

    /// A copy of `block`, such as the one this process was given; its final NUL may be missing
    /// (spec 5.1 #1).
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn copied(system: S, block: &[u16]) -> Result<Self> {
        let mut units = PageVec::new(system);
        for variable in strings(block) {
            units.extend(variable.units())?;
            units.push(0)?;
        }
        units.extend(&[0, 0])?;
        Ok(Self { units })
    }

    /// A block of these variables: see [`Self::fill`].
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn of<'v>(
        system: S,
        variables: impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone,
    ) -> Result<Self> {
        let mut environment = Self::none(system);
        environment.fill(variables)?;
        Ok(environment)
    }

    /// Makes it the block of these variables, names and values, which are in the block's order.
    ///
    /// # Errors
    /// `NO_MEMORY`; what is there then is no block.
    pub fn fill<'v>(
        &mut self,
        variables: impl Iterator<Item = (UnicodeStr<'v>, UnicodeStr<'v>)> + Clone,
    ) -> Result<()> {
        let units = &mut self.units;
        let length = |(name, value): (UnicodeStr<'_>, UnicodeStr<'_>)| name.len() + value.len() + 2;
        units.clear();
        units.reserve(variables.clone().map(length).sum::<usize>() + 2)?;
        for (name, value) in variables {
            units.extend(name.units())?;
            units.push(u16::from(b'='))?;
            units.extend(value.units())?;
            units.push(0)?;
        }
        units.extend(&[0, 0])
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
        variables(self.units.as_slice())
    }

    /// The value of `name`, looked up without regard to case.
    pub fn get(&self, name: UnicodeStr<'_>) -> Option<UnicodeStr<'_>> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_case(name))
            .map(|(_, value)| value)
    }
}

/// Name and value of every variable of a block. A string without `=` is not a variable and is passed
/// over.
pub fn variables(block: &[u16]) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> {
    strings(block).filter_map(|string| {
        let equals = string.skip(1).find(b'=')? + 1;
        Some((string.take(equals), string.skip(equals + 1)))
    })
}

/// The strings of a block up to its end. A loop that finds each end once, in place of the standard
/// library's split, which looks at every unit through a closure.
fn strings(block: &[u16]) -> impl Iterator<Item = UnicodeStr<'_>> {
    let mut rest = UnicodeStr(block);
    core::iter::from_fn(move || {
        let string = rest.until_nul();
        rest = rest.skip(string.len() + 1);
        (!string.is_empty()).then_some(string)
    })
}

/// Whether a variable can have this name.
///
/// # Errors
/// `INVALID_PARAMETER` for an empty name or one with a `=` after its first character.
pub fn valid_name(name: UnicodeStr<'_>) -> Result<()> {
    if name.is_empty() || name.skip(1).find(b'=').is_some() {
        Err(Status::INVALID_PARAMETER)
    } else {
        Ok(())
    }
}

/// Appends `text` to `expanded` with every `%name%` of a known name replaced by the value that
/// `value_of` gives; anything else stays as it is, and the second `%` of an unknown name may begin
/// the next one.
///
/// # Errors
/// `NO_MEMORY`.
pub fn expand<'v, S: Memory>(
    text: UnicodeStr<'_>,
    value_of: impl Fn(UnicodeStr<'_>) -> Option<UnicodeStr<'v>>,
    expanded: &mut PageVec<S, u16>,
) -> Result<()> {
    let mut rest = text;
    while let Some(open) = rest.find(b'%') {
        expanded.extend(rest.take(open).units())?;
        rest = rest.skip(open);
        let Some(name) = rest.skip(1).find(b'%') else {
            break;
        };
        match value_of(rest.skip(1).take(name)) {
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
