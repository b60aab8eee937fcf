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
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

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
    #[inline]
    pub fn and(self, unit: u16) -> Self {
        steps::took(1);
        // The two cases of a letter differ in one bit of ASCII: without it nothing has to be asked.
        // That some other characters meet as well costs a comparison.
        let folded = if unit < 0x80 { unit } else { upcase(unit) } & !0x20;
        Self((self.0 ^ u32::from(folded)).wrapping_mul(0x0100_0193))
    }

    /// Its bits, each of which depends on all of the name.
    const fn mixed(self) -> u32 {
        let mixed = (self.0 ^ self.0 >> 16).wrapping_mul(0x85EB_CA6B);
        mixed ^ mixed >> 13
    }
}

/// What a row carries for the index.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Node {
    hash: u32,
    /// One more than the index of the node below on either side; 0 for none.
    below: [u32; 2],
}

impl Node {
    const fn side(&self, bits: u32) -> u32 {
        let [zero, one] = self.below;
        if bits & 1 == 0 { zero } else { one }
    }

    const fn side_mut(&mut self, bits: u32) -> &mut u32 {
        let [zero, one] = &mut self.below;
        if bits & 1 == 0 { zero } else { one }
    }
}

/// What can stand in a [`Table`]: plain data with a node somewhere in it.
pub trait Row: Plain {
    /// Where its [`Node`] is, in bytes from its beginning; [`Node::default`] in a new row. The table's
    /// alone.
    const NODE: usize;
}

/// The rows.
pub struct Table<S: Memory, R> {
    rows: PageVec<S, R>,
    /// One more than the index of the first indexed row; 0 for none.
    root: u32,
}

impl<S: Memory, R: Row> Table<S, R> {
    const NODES: Nodes = Nodes {
        first: R::NODE,
        apart: size_of::<R>(),
    };

    /// No rows; no memory is asked for yet.
    pub const fn new(system: S) -> Self {
        Self {
            rows: PageVec::new(system),
            root: 0,
        }
    }

    /// The seam its pages come from.
    pub const fn system(&self) -> S {
        self.rows.system()
    }

    /// Makes room for `rows` more rows.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn reserve(&mut self, rows: usize) -> Result<()> {
        self.rows.reserve(rows)
    }

    /// The row with this index, in the order in which they came.
    pub fn row(&self, index: usize) -> Option<&R> {
        self.rows.get(index)
    }

    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row with this index, to change. Its node is not to be touched.
    ///
    /// Not inlined it is the same code as [`Self::row`].
    #[inline(never)]
    pub fn row_mut(&mut self, index: usize) -> Option<&mut R> {
        self.rows.get_mut(index)
    }

    /// Index of the first row indexed under `hash` that `is` the one.
    pub fn find(&self, hash: NameHash, is: impl Fn(usize, &R) -> bool) -> Option<usize> {
        let is = |index| self.row(index).is_some_and(|row| is(index, row));
        search(self.rows.as_bytes(), Self::NODES, self.root, hash, &is)
    }

    /// Adds a row that is not indexed; gives one more than its index.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn push(&mut self, row: R) -> Result<usize> {
        let new = self.rows.len() + 1;
        u32::try_from(new).map_err(|_| Status::NO_MEMORY)?;
        self.rows.push(row)?;
        Ok(new)
    }

    /// Indexes the last row, of which `new` is one more than its index, under `hash`.
    pub fn index(&mut self, hash: NameHash, new: usize) {
        let rows = self.rows.as_mut_bytes();
        link(rows, Self::NODES, &mut self.root, hash, new as u32);
    }

    /// Adds a row and indexes it under `hash`.
    ///
    /// # Errors
    /// `NO_MEMORY`; nothing has changed then.
    pub fn insert(&mut self, hash: NameHash, row: R) -> Result<()> {
        let new = self.push(row)?;
        self.index(hash, new);
        Ok(())
    }

    /// Removes all rows; keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.root = 0;
    }
}

/// Where the nodes are among the bytes of rows: so that one piece of code serves rows of every type.
#[derive(Clone, Copy)]
struct Nodes {
    first: usize,
    apart: usize,
}

impl Nodes {
    /// Where the node of the row with this index begins; somewhere, if there is no such row.
    const fn at(self, index: usize) -> usize {
        self.first.wrapping_add(index.wrapping_mul(self.apart))
    }

    fn of(self, rows: &[u8], index: usize) -> Option<&Node> {
        let (node, _) = Node::ref_from_prefix(rows.get(self.at(index)..)?).ok()?;
        Some(node)
    }

    fn of_mut(self, rows: &mut [u8], index: usize) -> Option<&mut Node> {
        let (node, _) = Node::mut_from_prefix(rows.get_mut(self.at(index)..)?).ok()?;
        Some(node)
    }
}

/// Index of the first row under `root` with this hash that `is` the one.
#[inline(never)]
fn search(
    rows: &[u8],
    nodes: Nodes,
    root: u32,
    hash: NameHash,
    is: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    let hash = hash.mixed();
    let (mut next, mut bits) = (root, hash);
    loop {
        let index = (next as usize).checked_sub(1)?;
        let node = nodes.of(rows, index)?;
        steps::took(1);
        if node.hash == hash && is(index) {
            return Some(index);
        }
        next = node.side(bits);
        bits >>= 1;
    }
}

/// Puts the last row, of which `new` is one more than its index, under `root`.
#[inline(never)]
fn link(rows: &mut [u8], nodes: Nodes, root: &mut u32, hash: NameHash, new: u32) {
    let hash = hash.mixed();
    if let Some(node) = nodes.of_mut(rows, new as usize - 1) {
        *node = Node {
            hash,
            below: [0; 2],
        };
    }
    let (mut parent, mut next, mut bits) = (None, *root, hash);
    while let Some(index) = (next as usize).checked_sub(1) {
        steps::took(1);
        parent = Some((index, bits));
        next = nodes.of(rows, index).map_or(0, |node| node.side(bits));
        bits >>= 1;
    }
    match parent {
        None => *root = new,
        Some((index, bits)) => {
            if let Some(node) = nodes.of_mut(rows, index) {
                *node.side_mut(bits) = new;
            }
        }
    }
}
