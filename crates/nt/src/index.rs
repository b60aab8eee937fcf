// SPDX-License-Identifier: GPL-2.0-or-later
//! Rows that are found by name, however many there are.
//!
//! A [`Table`] is a list in pages, in the order in which rows came. Some of its rows are also nodes
//! of a tree that branches on the bits of a hash, one bit a level (a digital search tree), so that
//! a row is found in about as many steps as the number of rows has binary digits, and never in more
//! than 32 and the number of rows that share a hash. The tree lives in the rows themselves: it
//! takes no memory of its own and nothing is ever rehashed.
//!
//! Invariant: the first indexed row is the root; a row that is indexed stays where it is and keeps
//! its hash. What else is in a row may change.

use crate::case::upcase;
use crate::pages::{PageVec, Plain};
use crate::system::Memory;
use crate::{Result, Status, UnicodeStr, steps};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The hash of a name, case folded: FNV-1a over its units, so that a name's hash goes on from that
/// of any of its beginnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameHash(u32);

impl NameHash {
    /// The hash of no units.
    pub const EMPTY: Self = Self(0x811C_9DC5);

    /// The hash of `name`.
    pub fn of(name: UnicodeStr<'_>) -> Self {
        name.units()
            .iter()
            .fold(Self::EMPTY, |hash, &unit| hash.and(unit))
    }

    /// The hash of what was hashed so far and `unit` behind it.
    pub fn and(self, unit: u16) -> Self {
        steps::took(1);
        Self((self.0 ^ u32::from(upcase(unit))).wrapping_mul(0x0100_0193))
    }

    /// Its bits, each of which depends on all of the name.
    const fn mixed(self) -> u32 {
        let mixed = (self.0 ^ self.0 >> 16).wrapping_mul(0x85EB_CA6B);
        mixed ^ mixed >> 13
    }
}

/// What a row carries for the index.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Node {
    hash: u32,
    /// One more than the index of the node below on either side; 0 for none.
    below: [u32; 2],
}

/// What can stand in a [`Table`].
pub trait Row: Plain {
    /// Its node, [`Node::default`] in a new row.
    fn node(&self) -> &Node;

    /// Its node, for the table only.
    fn node_mut(&mut self) -> &mut Node;
}

/// The rows.
pub struct Table<'s, S: Memory, R> {
    rows: PageVec<'s, S, R>,
    /// One more than the index of the first indexed row; 0 for none.
    root: u32,
}

impl<'s, S: Memory, R: Row> Table<'s, S, R> {
    /// No rows; no memory is asked for yet.
    pub const fn new(system: &'s S) -> Self {
        Self {
            rows: PageVec::new(system),
            root: 0,
        }
    }

    /// The seam its pages come from.
    pub const fn system(&self) -> &'s S {
        self.rows.system()
    }

    /// Makes room for `rows` more rows.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn reserve(&mut self, rows: usize) -> Result<()> {
        self.rows.reserve(rows)
    }

    /// The rows, in the order in which they came.
    pub fn rows(&self) -> &[R] {
        self.rows.as_slice()
    }

    /// The row with this index, to change. Its node is not to be touched.
    pub fn row_mut(&mut self, index: usize) -> Option<&mut R> {
        self.rows.as_mut_slice().get_mut(index)
    }

    /// Index of the first row indexed under `hash` that `is` the one.
    pub fn find(&self, hash: NameHash, is: impl Fn(usize, &R) -> bool) -> Option<usize> {
        let (hash, rows) = (hash.mixed(), self.rows());
        let (mut next, mut bits) = (self.root, hash);
        loop {
            let index = (next as usize).checked_sub(1)?;
            let row = rows.get(index)?;
            steps::took(1);
            if row.node().hash == hash && is(index, row) {
                return Some(index);
            }
            next = side(row.node().below, bits);
            bits >>= 1;
        }
    }

    /// Adds a row that is not indexed.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn push(&mut self, row: R) -> Result<()> {
        self.rows.push(row)
    }

    /// Adds a row and indexes it under `hash`.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn insert(&mut self, hash: NameHash, mut row: R) -> Result<()> {
        let new = u32::try_from(self.rows.len() + 1).map_err(|_| Status::NO_MEMORY)?;
        let hash = hash.mixed();
        *row.node_mut() = Node {
            hash,
            below: [0; 2],
        };
        self.rows.push(row)?;
        let rows = self.rows.as_mut_slice();
        let (mut at, mut bits) = (&mut self.root, hash);
        let mut leaf = *at;
        let mut parent = None;
        while let Some(index) = (leaf as usize).checked_sub(1) {
            steps::took(1);
            parent = Some((index, bits));
            leaf = rows
                .get(index)
                .map_or(0, |row| side(row.node().below, bits));
            bits >>= 1;
        }
        if let Some((index, bits)) = parent
            && let Some(row) = rows.get_mut(index)
        {
            let [zero, one] = &mut row.node_mut().below;
            at = if bits & 1 == 0 { zero } else { one };
        }
        *at = new;
        Ok(())
    }

    /// Removes all rows; keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.root = 0;
    }
}

const fn side([zero, one]: [u32; 2], bits: u32) -> u32 {
    if bits & 1 == 0 { zero } else { one }
}
