// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the lists of the configuration live: one arena of text and one table of entries, both in
//! pages.
//!
//! An entry belongs to a list and has a name and perhaps a value. Entries are only ever added at
//! the end or marked as moved, so that a list's order is the table's order; text is only ever
//! added.

use nt::arena::{Span, TextArena};
use nt::environment::Environment;
use nt::pages::PageVec;
use nt::system::Memory;
use nt::{Result, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Units of the arena at first: what an ordinary installation needs, so that it does not grow.
const FIRST_TEXT: usize = 8192;

/// The lists (spec 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
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
    EnvironmentPlain,
    EnvironmentExpand,
    /// Subsystems that are neither required nor optional, and `Kmode`.
    SubSystems,
    Required,
    Optional,
    /// Names of required and optional subsystems, while `SubSystems` is enumerated.
    RequiredNames,
    OptionalNames,
    SessionZeroCommand,
}

/// An entry of a list.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Row {
    list: usize,
    pub name: Span,
    pub value: Span,
}

impl Row {
    pub(crate) const fn is_in(&self, list: List) -> bool {
        self.list == list as usize
    }
}

/// Arena and table.
pub(crate) struct Store<'s, S: Memory> {
    text: TextArena<'s, S>,
    entries: PageVec<'s, S, Row>,
    /// What is about to be expanded: kept, so that its memory is asked for once.
    scratch: PageVec<'s, S, u16>,
}

impl<'s, S: Memory> Store<'s, S> {
    pub(crate) const fn new(system: &'s S) -> Self {
        Self {
            text: TextArena::new(system),
            entries: PageVec::new(system),
            scratch: PageVec::new(system),
        }
    }

    /// Asks for the memory that the text of an ordinary installation needs.
    pub(crate) fn reserve(&mut self) -> Result<()> {
        self.text.reserve(FIRST_TEXT)
    }

    /// The text of `span`.
    pub(crate) fn get(&self, span: Span) -> UnicodeStr<'_> {
        self.text.get(span)
    }

    /// Copies `text` to the arena.
    pub(crate) fn copy(&mut self, text: UnicodeStr<'_>) -> Result<Span> {
        self.text.add(text)
    }

    /// The text of `span` expanded with `environment`, as a new text.
    pub(crate) fn expand(&mut self, environment: &Environment<'_, S>, span: Span) -> Result<Span> {
        let Self { text, scratch, .. } = self;
        scratch.clear();
        scratch.extend(text.get(span).units())?;
        text.add_with(|expanded| environment.expand(scratch.as_str(), expanded))
    }

    /// Appends an entry, whatever stands in the list already.
    pub(crate) fn append(&mut self, list: List, name: Span, value: Span) -> Result<()> {
        self.entries.push(Row {
            list: list as usize,
            name,
            value,
        })
    }

    /// Adds an entry by the rule of duplicates (spec 2.1): the same name with the same value is
    /// dropped, with another value it takes the old one's place.
    pub(crate) fn save(&mut self, list: List, name: Span, value: Span) -> Result<()> {
        let Some((index, old)) = self.find(list, self.get(name)) else {
            return self.append(list, name, value);
        };
        if !self.get(old.value).eq_ignore_case(self.get(value)) {
            self.replace(index, Row { value, ..old });
        }
        Ok(())
    }

    /// Takes the entry called like the text of `name` out of `from` and puts it at the end of `to`;
    /// `false` if there is none. `Kmode` stays where it is as well.
    pub(crate) fn move_entry(&mut self, from: List, to: List, name: Span) -> Result<bool> {
        let Some((index, entry)) = self.find(from, self.get(name)) else {
            return Ok(false);
        };
        self.append(to, entry.name, entry.value)?;
        if !self.get(name).eq_ascii("Kmode") {
            self.replace(
                index,
                Row {
                    list: List::Gone as usize,
                    ..entry
                },
            );
        }
        Ok(true)
    }

    /// Number of entries in all lists.
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry with this index, whatever its list.
    pub(crate) fn entry(&self, index: usize) -> Option<Row> {
        self.entries.as_slice().get(index).copied()
    }

    /// The text of the value of the entry `name` of `list`.
    pub(crate) fn value_of(&self, list: List, name: UnicodeStr<'_>) -> Option<UnicodeStr<'_>> {
        self.find(list, name)
            .map(|(_, entry)| self.get(entry.value))
    }

    /// Name and value of the entries of `list`, in order. An absent value is empty.
    pub(crate) fn list(&self, list: List) -> Entries<'_, 's, S> {
        Entries {
            store: self,
            entries: self.entries.as_slice().iter(),
            list,
        }
    }

    fn find(&self, list: List, name: UnicodeStr<'_>) -> Option<(usize, Row)> {
        let mut entries = self.entries.as_slice().iter().enumerate();
        let (index, entry) = entries
            .find(|(_, entry)| entry.is_in(list) && self.get(entry.name).eq_ignore_case(name))?;
        Some((index, *entry))
    }

    fn replace(&mut self, index: usize, entry: Row) {
        if let Some(old) = self.entries.as_mut_slice().get_mut(index) {
            *old = entry;
        }
    }
}

/// The entries of a list.
pub(crate) struct Entries<'a, 's, S: Memory> {
    store: &'a Store<'s, S>,
    /// What is left of the table.
    entries: core::slice::Iter<'a, Row>,
    list: List,
}

impl<S: Memory> Clone for Entries<'_, '_, S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store,
            entries: self.entries.clone(),
            list: self.list,
        }
    }
}

impl<'a, S: Memory> Iterator for Entries<'a, '_, S> {
    type Item = (UnicodeStr<'a>, UnicodeStr<'a>);

    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.by_ref().find(|entry| entry.is_in(self.list))?;
        Some((self.store.get(entry.name), self.store.get(entry.value)))
    }
}
