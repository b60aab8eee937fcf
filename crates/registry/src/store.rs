// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the lists of the configuration live: one arena of text and one table of rows, both in
//! pages.
//!
//! A row belongs to a list and has a name and perhaps a value. Rows are only ever added, each at the
//! end of its list, or marked as moved away; text is only ever added. What is looked up by name is
//! indexed by it, so that a list of any length is read in a time that grows as its length does.

use core::mem::offset_of;
use nt::arena::{Span, TextArena};
use nt::environment;
use nt::index::{NameHash, Node, Table};
use nt::system::Memory;
use nt::{Result, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Units of the arena at first: what an ordinary installation needs, so that it does not grow.
const FIRST_TEXT: usize = 8192;
/// Rows of the table at first, for the same reason.
const FIRST_ROWS: usize = 160;

/// The lists (spec 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum List {
    Gone,
    ObjectDirectories,
    BootExecute,
    SetupExecute,
    Execute,
    ExcludeFromKnownDlls,
    PagingFiles,
    DosDevices,
    KnownDlls,
    /// `DllDirectory` and `DllDirectory32`.
    DllDirectories,
    /// What the Environment key holds, for its second pass: not to be expanded, and to be expanded.
    /// Both stand in one chain, in the registry's order.
    EnvironmentPlain,
    EnvironmentExpand,
    /// The variables of the default environment.
    Variables,
    /// Subsystems that are neither required nor optional, and `Kmode`.
    SubSystems,
    Required,
    Optional,
    /// Names of required and optional subsystems, while `SubSystems` is enumerated.
    RequiredNames,
    OptionalNames,
    /// The last of them.
    SessionZeroCommand,
}

impl List {
    /// The list in whose chain its rows stand.
    const fn chain(self) -> usize {
        let of = match self {
            Self::EnvironmentExpand => Self::EnvironmentPlain,
            other => other,
        };
        of as usize
    }
}

/// Number of lists.
const LISTS: usize = List::SessionZeroCommand as usize + 1;

/// A row of a list.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed(4))]
pub(crate) struct Row {
    pub name: Span,
    pub value: Span,
    node: Node,
    list: u32,
    /// One more than the index of the next row of its list; 0 for none.
    pub next: u32,
}

impl nt::index::Row for Row {
    const NODE: usize = offset_of!(Self, node);
}

impl Row {
    pub(crate) const fn is_in(&self, list: List) -> bool {
        self.list == list as u32
    }
}

/// The first and the last row of a list: one more than their indices; 0 for none.
#[derive(Clone, Copy, Default)]
struct Chain {
    first: u32,
    last: u32,
}

/// Arena and table.
pub(crate) struct Store<S: Memory> {
    text: TextArena<S>,
    table: Table<S, Row>,
    chains: [Chain; LISTS],
}

impl<S: Memory> Store<S> {
    pub(crate) const fn new(system: S) -> Self {
        Self {
            text: TextArena::new(system),
            table: Table::new(system),
            chains: [Chain { first: 0, last: 0 }; LISTS],
        }
    }

    /// Asks for the memory that an ordinary installation needs.
    pub(crate) fn reserve(&mut self) -> Result<()> {
        self.text.reserve(FIRST_TEXT)?;
        self.table.reserve(FIRST_ROWS)
    }

    /// The text of `span`.
    pub(crate) fn get(&self, span: Span) -> UnicodeStr<'_> {
        self.text.get(span)
    }

    /// Copies `text`, in which there is no NUL, to the arena.
    pub(crate) fn copy(&mut self, text: UnicodeStr<'_>) -> Result<Span> {
        self.text.add(text)
    }

    /// Appends a row, whatever stands in the list already. It is not found by its name.
    pub(crate) fn append(&mut self, list: List, name: Span, value: Span) -> Result<()> {
        self.add(list, name, value, None)
    }

    fn add(&mut self, list: List, name: Span, value: Span, hash: Option<NameHash>) -> Result<()> {
        let row = Row {
            name,
            value,
            node: Node::default(),
            list: list as u32,
            next: 0,
        };
        let new = self.table.push(row)?;
        if let Some(hash) = hash {
            self.table.index(hash, new);
        }
        let new = new as u32;
        let Some(chain) = self.chains.get_mut(list.chain()) else {
            return Ok(());
        };
        let last = core::mem::replace(&mut chain.last, new);
        match self.table.row_mut((last as usize).wrapping_sub(1)) {
            Some(row) => row.next = new,
            None => chain.first = new,
        }
        Ok(())
    }

    /// Adds a row by the rule of duplicates (spec 2.1): the same name with the same value is
    /// dropped, with another value it takes the old one's place. A variable of the environment has the
    /// spelling of its first name and of its last value.
    pub(crate) fn save(&mut self, list: List, name: Span, value: Span) -> Result<()> {
        let text = self.get(name);
        let hash = hash(list, text);
        let Some(index) = self.find(list, hash, text) else {
            return self.add(list, name, value, Some(hash));
        };
        let old = self.row(index).map_or(Span::EMPTY, |row| row.value);
        if (list == List::Variables || !self.get(old).eq_ignore_case(self.get(value)))
            && let Some(row) = self.table.row_mut(index)
        {
            row.value = value;
        }
        Ok(())
    }

    /// Sets a variable of the environment.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a name that a variable cannot have; `NO_MEMORY`.
    pub(crate) fn set_variable(&mut self, name: Span, value: Span) -> Result<()> {
        environment::valid_name(self.get(name))?;
        self.save(List::Variables, name, value)
    }

    /// Takes the row called like the text of `name` out of `from` and puts it at the end of `to`;
    /// `false` if there is none. `Kmode` stays where it is as well.
    pub(crate) fn move_row(&mut self, from: List, to: List, name: Span) -> Result<bool> {
        let text = self.get(name);
        let Some(index) = self.find(from, hash(from, text), text) else {
            return Ok(false);
        };
        let stays = text.eq_ascii("Kmode");
        let Some(&Row { name, value, .. }) = self.row(index) else {
            return Ok(false);
        };
        self.append(to, name, value)?;
        if !stays && let Some(row) = self.table.row_mut(index) {
            row.list = List::Gone as u32;
        }
        Ok(true)
    }

    /// Where the chain begins that `list` stands in, for [`Self::at`].
    pub(crate) fn first(&self, list: List) -> u32 {
        self.chain(list).first
    }

    /// The row that one more than its index stands for; 0 stands for none.
    pub(crate) fn at(&self, place: u32) -> Option<&Row> {
        self.row((place as usize).wrapping_sub(1))
    }

    fn at_mut(&mut self, place: u32) -> Option<&mut Row> {
        self.table.row_mut((place as usize).wrapping_sub(1))
    }

    /// The row with this index, whatever its list.
    pub(crate) fn row(&self, index: usize) -> Option<&Row> {
        self.table.row(index)
    }

    /// The text of the value of the row `name` of `list`.
    pub(crate) fn value_of(&self, list: List, name: UnicodeStr<'_>) -> Option<UnicodeStr<'_>> {
        let row = self.row(self.find(list, hash(list, name), name)?)?;
        Some(self.get(row.value))
    }

    /// Name and value of the rows of `list`, in order. An absent value is empty.
    pub(crate) fn list(&self, list: List) -> Rows<'_, S> {
        Rows {
            store: self,
            next: self.first(list),
            list,
        }
    }

    fn chain(&self, list: List) -> Chain {
        self.chains.get(list.chain()).copied().unwrap_or_default()
    }

    fn find(&self, list: List, hash: NameHash, name: UnicodeStr<'_>) -> Option<usize> {
        self.table.find(hash, |_, row| {
            row.is_in(list) && self.get(row.name).eq_ignore_case(name)
        })
    }

    fn next_of(&self, at: u32) -> u32 {
        self.at(at).map_or(0, |row| row.next)
    }

    /// Sorts a list by name.
    pub(crate) fn sort(&mut self, list: List) {
        let sorted = self.sorted(&mut self.first(list), self.table.len());
        if let Some(chain) = self.chains.get_mut(list.chain()) {
            *chain = sorted;
        }
    }

    /// Takes the first `count` rows off `rest`, or as many as there are: either half of them sorted, then
    /// both merged. It is in itself no deeper than `count` has binary digits.
    fn sorted(&mut self, rest: &mut u32, count: usize) -> Chain {
        let mut sorted = Chain::default();
        if *rest == 0 {
            return sorted;
        }
        if count <= 1 {
            self.link(&mut sorted, rest);
            return sorted;
        }
        let mut left = self.sorted(rest, count / 2).first;
        let mut right = self.sorted(rest, count - count / 2).first;
        while left != 0 || right != 0 {
            let is_left = right == 0 || left != 0 && !self.is_after(left, right);
            self.link(&mut sorted, if is_left { &mut left } else { &mut right });
        }
        sorted
    }

    fn is_after(&self, left: u32, right: u32) -> bool {
        let name = |at: u32| {
            let name = self.at(at).map_or(Span::EMPTY, |row| row.name);
            self.get(name)
        };
        name(left).cmp_ignore_case(name(right)).is_gt()
    }

    /// Takes the row at `from`, which becomes the next one, and puts it at the end of `chain`.
    fn link(&mut self, chain: &mut Chain, from: &mut u32) {
        let taken = *from;
        *from = self.next_of(taken);
        let mut set_next = |at: u32, next| {
            if let Some(row) = self.at_mut(at) {
                row.next = next;
            }
        };
        set_next(taken, 0);
        set_next(chain.last, taken);
        if chain.first == 0 {
            chain.first = taken;
        }
        chain.last = taken;
    }
}

/// The hash of a name in a list.
fn hash(list: List, name: UnicodeStr<'_>) -> NameHash {
    NameHash::of(name).and(list as u16)
}

/// The rows of a list.
pub(crate) struct Rows<'a, S: Memory> {
    store: &'a Store<S>,
    next: u32,
    list: List,
}

impl<S: Memory> Clone for Rows<'_, S> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, S: Memory> Iterator for Rows<'a, S> {
    type Item = (UnicodeStr<'a>, UnicodeStr<'a>);

    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = self.store.at(self.next)?;
            self.next = row.next;
            if row.is_in(self.list) {
                return Some((self.store.get(row.name), self.store.get(row.value)));
            }
        }
    }
}
