// SPDX-License-Identifier: GPL-2.0-or-later
//! Where the lists of the configuration live: one arena of text and one table of entries, both in pages.
//!
//! An entry belongs to a list and has a name and perhaps a value. Entries are only ever added at the end or marked as moved, so that a
//! list's order is the table's order; text is only ever added.

use nt::environment::Environment;
use nt::pages::PageVec;
use nt::system::Memory;
use nt::{Result, Status, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Units of the arena at first: what an ordinary installation needs, so that it does not grow.
const FIRST_TEXT: usize = 8192;

/// The lists (spec 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum List {
    Gone,
    BootExecute,
    SetupExecute,
    Execute,
    ExcludeFromKnownDlls,
    PagingFiles,
    DosDevices,
    KnownDlls,
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
}

/// Where a text stands in the arena, in units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Span {
    at: u32,
    length: u32,
}

impl Span {
    /// No text at all, which is not the same as an empty one.
    const NONE: Self = Self { at: 0, length: u32::MAX };
}

/// An entry of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    list: u32,
    pub name: Span,
    pub value: Option<Span>,
}

impl Entry {
    pub(crate) const fn is_in(&self, list: List) -> bool {
        self.list == list as u32
    }
}

/// An entry as it stands in the pages.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Row {
    list: u32,
    name: Span,
    value: Span,
}

/// Arena and table.
pub(crate) struct Store<'s, S: Memory> {
    text: PageVec<'s, S, u16>,
    entries: PageVec<'s, S, Row>,
    /// What is about to be expanded: kept, so that its memory is asked for once.
    scratch: PageVec<'s, S, u16>,
}

impl<'s, S: Memory> Store<'s, S> {
    pub(crate) const fn new(system: &'s S) -> Self {
        Self { text: PageVec::new(system), entries: PageVec::new(system), scratch: PageVec::new(system) }
    }

    /// The text of `span`; `None` if there is none.
    pub(crate) fn get(&self, span: Span) -> Option<UnicodeStr<'_>> {
        if span == Span::NONE {
            return None;
        }
        let (at, length) = (usize::try_from(span.at).ok()?, usize::try_from(span.length).ok()?);
        Some(self.text.as_str().skip(at).take(length))
    }

    /// Appends whatever `write` writes to the arena, and says where it stands.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut PageVec<'s, S, u16>) -> Result<()>) -> Result<Span> {
        let start = self.text.len();
        if start == 0 {
            self.text.reserve(FIRST_TEXT)?;
        }
        write(&mut self.text).inspect_err(|_| self.text.truncate(start))?;
        let at = u32::try_from(start).map_err(|_| Status::NO_MEMORY)?;
        let length = u32::try_from(self.text.len() - start).map_err(|_| Status::NO_MEMORY)?;
        if length == u32::MAX { Err(Status::NO_MEMORY) } else { Ok(Span { at, length }) }
    }

    /// Copies `text` to the arena.
    pub(crate) fn copy(&mut self, text: UnicodeStr<'_>) -> Result<Span> {
        self.write(|arena| arena.extend(text.units()))
    }

    /// Appends an entry, whatever stands in the list already.
    pub(crate) fn append(&mut self, list: List, name: Span, value: Option<Span>) -> Result<()> {
        self.entries.push(Row { list: list as u32, name, value: value.unwrap_or(Span::NONE) })
    }

    /// Adds an entry by the rule of duplicates (spec 2.1): the same name with the same value is dropped, with another value it takes
    /// the old one's place.
    pub(crate) fn save(&mut self, list: List, name: UnicodeStr<'_>, value: Option<Span>) -> Result<()> {
        match self.position(list, name) {
            Some(index) => {
                self.replace(index, value);
                Ok(())
            }
            None => {
                let name = self.copy(name)?;
                self.append(list, name, value)
            }
        }
    }

    /// The same for a name that stands in the arena already, without a value.
    pub(crate) fn save_name(&mut self, list: List, name: Span) -> Result<()> {
        match self.position(list, self.get(name).unwrap_or_default()) {
            Some(_) => Ok(()),
            None => self.append(list, name, None),
        }
    }

    fn replace(&mut self, index: usize, value: Option<Span>) {
        let Some(old) = self.entry(index).map(|entry| entry.value) else { return };
        let text = |value: Option<Span>| value.and_then(|value| self.get(value));
        let same = match (text(old), text(value)) {
            (Some(old), Some(new)) => old.eq_ignore_case(new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !same && let Some(entry) = self.entries.as_mut_slice().get_mut(index) {
            entry.value = value.unwrap_or(Span::NONE);
        }
    }

    /// The text of `span` expanded with `environment`, as a new text.
    pub(crate) fn expand(&mut self, environment: &Environment<'_, S>, span: Span) -> Result<Span> {
        let mut source = core::mem::replace(&mut self.scratch, PageVec::new(self.text.system()));
        source.clear();
        let expanded = source.extend(self.get(span).unwrap_or_default().units());
        let expanded = expanded.and_then(|()| self.write(|arena| environment.expand(source.as_str(), arena)));
        self.scratch = source;
        expanded
    }

    /// Takes the entry called like the text of `name` out of `from` and puts it at the end of `to`; `false` if there is none.
    pub(crate) fn move_entry(&mut self, from: List, to: List, name: Span) -> Result<bool> {
        let Some(index) = self.position(from, self.get(name).unwrap_or_default()) else { return Ok(false) };
        let Some(&entry) = self.entries.as_slice().get(index) else { return Ok(false) };
        self.entries.push(Row { list: to as u32, ..entry })?;
        if let Some(old) = self.entries.as_mut_slice().get_mut(index) {
            old.list = List::Gone as u32;
        }
        Ok(true)
    }

    /// Number of entries in all lists.
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry with this index, whatever its list.
    pub(crate) fn entry(&self, index: usize) -> Option<Entry> {
        self.entries.as_slice().get(index).map(|row| Entry {
            list: row.list,
            name: row.name,
            value: Some(row.value).filter(|&value| value != Span::NONE),
        })
    }

    /// The value of the entry `name` of `list`.
    pub(crate) fn value_of(&self, list: List, name: UnicodeStr<'_>) -> Option<Span> {
        self.position(list, name).and_then(|index| self.entry(index)?.value)
    }

    /// Whether there is anything in `list`.
    pub(crate) fn has(&self, list: List) -> bool {
        self.entries.as_slice().iter().any(|row| row.list == list as u32)
    }

    /// Name and value of the entries of `list`, in order. An absent value is empty.
    pub(crate) fn list(&self, list: List) -> impl Iterator<Item = (UnicodeStr<'_>, UnicodeStr<'_>)> + Clone {
        let rows = self.entries.as_slice().iter().filter(move |row| row.list == list as u32);
        rows.map(|row| (self.get(row.name).unwrap_or_default(), self.get(row.value).unwrap_or_default()))
    }

    fn position(&self, list: List, name: UnicodeStr<'_>) -> Option<usize> {
        let is_it = |row: &Row| row.list == list as u32 && self.get(row.name).is_some_and(|known| known.eq_ignore_case(name));
        self.entries.as_slice().iter().position(is_it)
    }
}
