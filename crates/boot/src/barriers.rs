// SPDX-License-Identifier: GPL-2.0-or-later
//! Where a list of renames has to be safe on the disk before it goes on (spec 6.4). Pure.
//!
//! After a power cut a list is begun again. An operation that was done before finds nothing to do
//! then, unless a later one has given its names back: "delete a" and then "rename b to a" delete the
//! new a when they are done twice. So there is a barrier between two operations that are in each
//! other's way, and what was done before a barrier is not done again.
//!
//! Two operations are in each other's way if a name of the one is also a name of the other, or
//! stands above or below one. Deletions are in no other deletion's way: whatever is there when they
//! are done again was to go. A rename of a name to itself is in nothing's way.

use crate::pairs::{Pairs, Task};
use core::mem::offset_of;
use nt::arena::{Span, TextArena};
use nt::index::{NameHash, Node, Row, Table};
use nt::pages::PageVec;
use nt::system::Memory;
use nt::{Result, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const BACKSLASH: u16 = b'\\' as u16;

/// What a name is to the operations since the last barrier: one of their own names, or above one,
/// and whether that one deletes or renames.
const OF_DELETION: u32 = 1;
const OF_RENAME: u32 = 2;
const ABOVE_DELETION: u32 = 4;
const ABOVE_RENAME: u32 = 8;

/// A kind of operation.
struct Kind {
    /// What its names are to it, and those above them.
    own: u32,
    above: u32,
    /// What is in its way at one of its names, and above one.
    way: u32,
    way_above: u32,
}

const DELETION: Kind = Kind {
    own: OF_DELETION,
    above: ABOVE_DELETION,
    way: OF_RENAME | ABOVE_RENAME,
    way_above: OF_RENAME,
};

const RENAME: Kind = Kind {
    own: OF_RENAME,
    above: ABOVE_RENAME,
    way: !0,
    way_above: OF_DELETION | OF_RENAME,
};

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed(4))]
struct Name {
    text: Span,
    node: Node,
    /// One of the bits above; a name that is more than one thing has more than one row.
    usage: u32,
}

impl Row for Name {
    const NODE: usize = offset_of!(Self, node);
}

/// Puts the places of the operations in front of which there is a barrier into `barriers`, in order.
///
/// # Errors
/// `NO_MEMORY`.
#[inline(never)]
pub(crate) fn barriers<'v, S: Memory>(
    system: S,
    pairs: Pairs<'_, impl Iterator<Item = UnicodeStr<'v>> + Clone>,
    barriers: &mut PageVec<S, usize>,
) -> Result<()> {
    let mut names = Names {
        texts: TextArena::new(system),
        table: Table::new(system),
    };
    for (place, operation) in (0..).zip(pairs) {
        let source = trimmed(operation.source);
        let (kind, target) = match operation.task {
            Task::Delete => (&DELETION, None),
            Task::Rename { target, .. } => (&RENAME, Some(trimmed(target))),
            Task::Dangling => continue,
        };
        if target.is_some_and(|target| target.eq_ignore_case(source)) {
            continue;
        }
        let own = [Some(source), target];
        let mut own = own.iter().copied().flatten();
        if own.clone().any(|name| names.meets(name, kind)) {
            barriers.push(place)?;
            names.texts.clear();
            names.table.clear();
        }
        own.try_for_each(|name| names.add(name, kind))?;
    }
    Ok(())
}

/// The names of the operations since the last barrier, and those above them.
struct Names<S: Memory> {
    texts: TextArena<S>,
    table: Table<S, Name>,
}

impl<S: Memory> Names<S> {
    /// Whether a name is one of these things already.
    fn is_one_of(&self, beginning: &Beginning<'_>, uses: u32) -> bool {
        let name = beginning.text();
        let is =
            |_, row: &Name| row.usage & uses != 0 && self.texts.get(row.text).eq_ignore_case(name);
        self.table.find(beginning.hash, is).is_some()
    }

    /// Whether an operation of this kind with this name is in another's way.
    fn meets(&self, name: UnicodeStr<'_>, kind: &Kind) -> bool {
        let mut beginning = Beginning::of(name);
        while beginning.grow() {
            let way = beginning.either(kind.way, kind.way_above);
            if self.is_one_of(&beginning, way) {
                return true;
            }
        }
        false
    }

    fn add(&mut self, name: UnicodeStr<'_>, kind: &Kind) -> Result<()> {
        // One text for all of its beginnings: of a name of many components they are far longer together.
        let whole = self.texts.add(name)?;
        let mut beginning = Beginning::of(name);
        while beginning.grow() {
            let usage = beginning.either(kind.own, kind.above);
            if !self.is_one_of(&beginning, usage) {
                let (text, node) = (whole.prefix(beginning.length), Node::default());
                self.table
                    .insert(beginning.hash, Name { text, node, usage })?;
            }
        }
        Ok(())
    }
}

/// A name above a name, and in the end the name itself.
struct Beginning<'a> {
    name: UnicodeStr<'a>,
    /// Its units, and their hash.
    length: usize,
    hash: NameHash,
}

impl<'a> Beginning<'a> {
    /// Before the first.
    const fn of(name: UnicodeStr<'a>) -> Self {
        Self {
            name,
            length: 0,
            hash: NameHash::EMPTY,
        }
    }

    /// Goes on to the next one, if there is one.
    #[inline(never)]
    fn grow(&mut self) -> bool {
        while let Some(&unit) = self.name.units().get(self.length) {
            self.hash = self.hash.and(unit);
            self.length += 1;
            if matches!(self.name.units().get(self.length), None | Some(&BACKSLASH)) {
                return true;
            }
        }
        false
    }

    fn text(&self) -> UnicodeStr<'a> {
        self.name.take(self.length)
    }

    fn either(&self, whole: u32, above: u32) -> u32 {
        if self.length == self.name.len() {
            whole
        } else {
            above
        }
    }
}

/// Without a separator at its end.
fn trimmed(path: UnicodeStr<'_>) -> UnicodeStr<'_> {
    if path.last() == Some(BACKSLASH) {
        path.take(path.len() - 1)
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;
    use test_support::{Heap, wide};

    /// What is remembered of a name grows with its length, not with that of all its beginnings together.
    #[test]
    fn a_name_of_many_components_takes_no_more_than_its_length() {
        let (deep, other) = (wide(&"\\a".repeat(4000)), wide("\\??\\C:\\x"));
        let list = [UnicodeStr(&deep), UnicodeStr(&other)];
        let lists = [list.into_iter(), [UnicodeStr::EMPTY; 2].into_iter()];
        // The text, and a row for each of 4,000 components.
        let heap = Heap::new(1 << 19);
        let mut found = PageVec::new(&heap);
        assert_eq!(barriers(&heap, Pairs::new(&lists), &mut found), Ok(()));
    }

    /// Where there are barriers in a list of strings divided by `|`.
    fn of(list: &str) -> Vec<usize> {
        let text = wide(&list.replace('|', "\0"));
        let list: Vec<_> = text.split(|&unit| unit == 0).map(UnicodeStr).collect();
        let lists = [list.into_iter(), Vec::new().into_iter()];
        let heap = Heap::new(1 << 16);
        let mut found = PageVec::new(&heap);
        barriers(&heap, Pairs::new(&lists), &mut found).unwrap();
        found.as_slice().to_vec()
    }

    #[test]
    fn spec_6_4_a_barrier_parts_two_operations_that_are_in_each_others_way() {
        for list in [
            // One name, in any case and spelling.
            r"\v\a||\v\b|\v\a",
            r"\v\a|\v\b|\v\b|",
            r"\v\a|\v\b|\v\c|\v\A",
            r"\v\a\||\v\b|\v\a",
            // The later one stands above the one before it.
            r"\v\a\x|\v\b|\v\a|",
            r"\v\a\x||\v\b|\v\a",
            r"\v\a\x|\v\b|\v\c|\v\a",
            // It stands below.
            r"\v\a||\v\b|\v\a\x",
            r"\v\b|\v\a|\v\c|\v\a\x",
            r"\v\b|\v\a|\v\a\x|",
            r"\v\a\||\v\b|\v\a\x",
        ] {
            assert_eq!(of(list), [1], "{list}");
        }
    }

    #[test]
    fn spec_6_4_no_barrier_parts_deletions_or_what_has_no_name_in_common() {
        for list in [
            r"\v\a||\v\a||\v\a\x||\v\a|",
            // A rename of a name to itself.
            r"\v\a|\v\A|\v\a|",
            // One directory, or one beginning, is no name in common; no name stands above none.
            r"\v\a\x|\v\a\y|\v\a\z|\v\a\w",
            r"\v\ab||\v\c|\v\a",
            r"|\v\b|\v\a|",
        ] {
            assert!(of(list).is_empty(), "{list}");
        }
    }

    #[test]
    fn spec_6_4_what_stands_before_a_barrier_is_in_nothings_way_behind_it() {
        assert_eq!(of(r"\v\a||\v\x||\v\b|\v\a|\v\c|\v\x"), [2]);
        assert_eq!(of(r"\v\a||\v\b|\v\a|\v\b|"), [1, 2]);
    }
}
