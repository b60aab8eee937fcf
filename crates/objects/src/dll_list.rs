// SPDX-License-Identifier: GPL-2.0-or-later
//! The list of known DLLs, which grows while it is walked: the registry's entries and whatever
//! those import (spec 7.2 #5, #7).
//!
//! An entry is a name and a file name. The same name with the same file is one entry; with another
//! file it takes that file as long as the walk has not come by, and is a new entry after that.

use crate::image::{MAX_NAME, Name, Spelling};
use core::cell::Cell;
use core::mem::offset_of;
use nt::arena::{Span, TextArena};
use nt::index::{NameHash, Node, Row, Table};
use nt::path::MAX_DOS;
use nt::system::Memory;
use nt::{Result, UnicodeBuf, UnicodeStr};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, transmute};

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, packed(4))]
struct Dll {
    name: Span,
    file: Span,
    node: Node,
}

impl Row for Dll {
    const NODE: usize = offset_of!(Self, node);
}

/// The list.
pub struct DllList<S: Memory> {
    text: TextArena<S>,
    dlls: Table<S, Dll>,
    walked: usize,
    /// Imports that change nothing, as long as each entry keeps its file.
    spelled: Spelled,
}

/// Names of imports, each at the place that its spelling says. The DLLs of a system import the same
/// few, spelled alike: most imports are known by one number, without a search. An empty place is 0.
struct Spelled([Spelling; 16]);

impl Spelled {
    const NONE: Self = Self([0; 16]);

    fn place(&mut self, spelling: Spelling) -> Option<&mut Spelling> {
        // Turned so far, the names that most DLLs import do not meet.
        let [a, b, c, _]: [u32; 4] = transmute!(spelling);
        let mixed = a ^ (b ^ c).rotate_left(21);
        self.0
            .get_mut((mixed.wrapping_mul(0x9E37_79B1) >> 28) as usize)
    }

    fn has(&mut self, spelling: Spelling) -> bool {
        spelling != 0 && self.place(spelling).is_some_and(|place| *place == spelling)
    }
}

impl<S: Memory> DllList<S> {
    /// An empty list.
    pub const fn new(system: S) -> Self {
        Self {
            text: TextArena::new(system),
            dlls: Table::new(system),
            walked: 0,
            spelled: Spelled::NONE,
        }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn add(&mut self, name: UnicodeStr<'_>, file: UnicodeStr<'_>) -> Result<()> {
        let hash = NameHash::of(name);
        // The first of this name that the walk has not come by.
        let ahead = Cell::new(None);
        let is_known = self.dlls.find(hash, |index, dll| {
            let is_called_so = self.text.get(dll.name).eq_ignore_case(name);
            if is_called_so && index >= self.walked && ahead.get().is_none() {
                ahead.set(Some(index));
            }
            is_called_so && self.text.get(dll.file).eq_ignore_case(file)
        });
        if is_known.is_some() {
            return Ok(());
        }
        let text = self.text.add(file)?;
        if let Some(dll) = ahead.get().and_then(|index| self.dlls.row_mut(index)) {
            dll.file = text;
            self.spelled = Spelled::NONE;
            return Ok(());
        }
        let name = if file.take(name.len()).eq_ignore_case(name) {
            text.prefix(name.len())
        } else {
            self.text.add(name)?
        };
        let node = Node::default();
        let file = text;
        self.dlls.insert(hash, Dll { name, file, node })
    }

    /// Adds what an image imports: its name is the text before the first `.`. `ntdll.dll` is in
    /// every process anyway, and a name longer than a path names nothing.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn add_import(&mut self, import: &Name) -> Result<()> {
        if self.spelled.has(import.spelling()) {
            Ok(())
        } else {
            self.look_for_import(import)
        }
    }

    /// The same of one that is not known by its spelling.
    #[inline(never)]
    fn look_for_import(&mut self, import: &Name) -> Result<()> {
        let text: &[u8] = import;
        let dot = text.iter().position(|&byte| byte == b'.');
        let name = dot.unwrap_or(text.len());
        let hash = text
            .iter()
            .take(name)
            .fold(NameHash::EMPTY, |hash, &byte| hash.and(byte.into()));
        let is_it = |dll: &Dll| {
            // Usually the name is the beginning of the file's, and then there is no more to compare.
            let Dll {
                name: called, file, ..
            } = *dll;
            self.text.get(file).eq_bytes(text) && called == file.prefix(name)
        };
        if self.dlls.find(hash, |_, dll| is_it(dll)).is_none() && text.len() <= MAX_NAME {
            let mut file = UnicodeBuf::<MAX_DOS>::new();
            file.push_bytes(text)?;
            let file = file.as_str();
            if !file.eq_ascii("ntdll.dll") {
                return self.add(file.take(name), file);
            }
        }
        if let Some(place) = self.spelled.place(import.spelling()) {
            *place = import.spelling();
        }
        Ok(())
    }

    /// Name and file of the next entry that the walk has not come by.
    pub fn next_entry(&mut self) -> Option<(UnicodeStr<'_>, UnicodeStr<'_>)> {
        let dll = self.dlls.row(self.walked)?;
        self.walked += 1;
        Some((self.text.get(dll.name), self.text.get(dll.file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nt::wide;
    use std::string::{String, ToString};
    use std::vec;
    use std::vec::Vec;
    use test_support::Heap;

    static HEAP: Heap = Heap::new(1 << 20);

    fn walk(list: &mut DllList<&'static Heap>) -> Vec<String> {
        let mut files = Vec::new();
        while let Some((_, file)) = list.next_entry() {
            files.push(file.to_string());
        }
        files
    }

    #[test]
    fn an_import_counts_again_when_its_entry_has_got_another_file() {
        let mut list = DllList::new(&HEAP);
        for _ in 0..3 {
            list.add_import(&Name::of(b"a.dll")).unwrap();
        }
        list.add(wide!("a"), wide!("a.ocx")).unwrap();
        list.add_import(&Name::of(b"a.dll")).unwrap();
        assert_eq!(walk(&mut list), ["a.dll"]);
    }

    #[test]
    fn an_import_with_the_name_of_another_file_takes_its_place() {
        let mut list = DllList::new(&HEAP);
        for name in ["a.dll", "a.ocx", "b.ocx", "b.dll"] {
            list.add_import(&Name::of(name.as_bytes())).unwrap();
        }
        assert_eq!(walk(&mut list), ["a.ocx", "b.dll"]);
    }

    #[test]
    fn an_import_longer_than_a_path_names_nothing() {
        let mut list = DllList::new(&HEAP);
        let mut add =
            |length| list.add_import(&Name::of(&vec![b'a' + (length % 26) as u8; length]));
        for length in [MAX_NAME - 1, MAX_NAME, MAX_NAME + 1, MAX_NAME + 2] {
            add(length).unwrap();
        }
        let lengths: Vec<_> = walk(&mut list).iter().map(String::len).collect();
        assert_eq!(lengths, [MAX_NAME - 1, MAX_NAME]);
    }

    #[test]
    fn an_import_spelled_as_before_is_not_looked_for() {
        for name in ["gdi32.dll", "user32.dll", "kernel32.dll", "15-letters-.dll"] {
            let mut list = DllList::new(&HEAP);
            // Added, found, and then known by its spelling.
            let steps = [(); 3].map(|()| {
                let before = nt::steps::taken();
                list.add_import(&Name::of(name.as_bytes())).unwrap();
                nt::steps::taken() - before
            });
            assert!(steps[0] > steps[1] && steps[1] > 0, "{name}: {steps:?}");
            assert_eq!(steps[2], 0, "{name}");
        }
    }

    #[test]
    fn an_import_stays_known_when_another_joins_the_list() {
        let mut list = DllList::new(&HEAP);
        for name in ["gdi32.dll", "gdi32.dll", "user32.dll"] {
            list.add_import(&Name::of(name.as_bytes())).unwrap();
        }
        let before = nt::steps::taken();
        list.add_import(&Name::of(b"gdi32.dll")).unwrap();
        assert_eq!(nt::steps::taken(), before);
        assert_eq!(walk(&mut list), ["gdi32.dll", "user32.dll"]);
    }

    #[test]
    fn names_that_most_dlls_import_do_not_take_each_others_places() {
        let of_windows: &[_] = &[
            "KERNEL32.dll",
            "USER32.dll",
            "msvcrt.dll",
            "RPCRT4.dll",
            "ole32.dll",
            "advapi32.dll",
        ];
        let of_reactos: &[_] = &[
            "msvcrt.dll",
            "ntdll.dll",
            "kernel32.dll",
            "advapi32.dll",
            "user32.dll",
            "gdi32.dll",
            "rpcrt4.dll",
            "shlwapi.dll",
            "shell32.dll",
        ];
        for names in [of_windows, of_reactos] {
            let mut list = DllList::new(&HEAP);
            // Added, found, and then known by their spellings.
            let steps = [(); 3].map(|()| {
                let before = nt::steps::taken();
                for name in names {
                    list.add_import(&Name::of(name.as_bytes())).unwrap();
                }
                nt::steps::taken() - before
            });
            assert!(steps[1] > 0, "{steps:?}");
            assert_eq!(steps[2], 0, "{steps:?}");
        }
    }

    #[test]
    fn an_import_is_one_however_it_is_spelled_and_however_long_it_is() {
        let mut list = DllList::new(&HEAP);
        for _ in 0..2 {
            for name in [
                "a.dll",
                "A.DLL",
                "ntdll.dll",
                "NTDLL.dll",
                "a-name-of-more-than-16-bytes.dll",
            ] {
                list.add_import(&Name::of(name.as_bytes())).unwrap();
            }
        }
        assert_eq!(
            walk(&mut list),
            ["a.dll", "a-name-of-more-than-16-bytes.dll"]
        );
    }
}
