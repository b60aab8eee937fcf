// SPDX-License-Identifier: GPL-2.0-or-later
//! The mark: how far a list of renames has got, for the boot after a power cut (spec 6.4).
//!
//! The registry cannot be written before NtInitializeRegistry, so the mark is a file beside the
//! hives. It is made at the first barrier of a list and deleted when the list's values are gone from
//! the disk; most lists have no barrier and no mark.
//!
//! The file has two records, each in a sector of its own. They are written in turn, so that a write
//! that the power cut tears leaves the other one, and a record is good only with its checksum. A
//! record of another list counts for nothing.

use crate::volumes::flush_volume;
use nt::access::{Access, OpenOptions, Share};
use nt::failure::persist;
use nt::path::MAX_NT;
use nt::system::{Files, Objects, SystemWide};
use nt::{ObjectAttributes, Owned, Result, Status, UnicodeBuf, UnicodeStr, file, wide};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Bytes from one record to the other: at least a sector of any disk.
const SECTOR: u64 = 4096;

/// What is hashed at the end of a string, and at that of a value; neither is a unit.
const END_OF_STRING: u64 = 0x1_0000;
const END_OF_VALUE: u64 = 0x1_0001;

/// What stands in the file.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Record {
    /// Hash of the list.
    list: u64,
    /// Operations that are done, and safe on the disk.
    done: u64,
    /// Both, inverted.
    check: u64,
}

/// The mark of one list.
pub(crate) struct Mark<S: Objects + Files + SystemWide> {
    system: S,
    list: u64,
    file: Option<Owned<S>>,
    /// Where the next record goes, 0 or 1; the first one to 0.
    next: u64,
    /// No record of this list has been seen or written: the file's place and size may be new.
    fresh: bool,
}

impl<S: Objects + Files + SystemWide> Mark<S> {
    /// The mark of the list that these values make.
    pub(crate) fn new<'v>(
        system: S,
        values: &[impl Iterator<Item = UnicodeStr<'v>> + Clone; 2],
    ) -> Self {
        // FNV-1a of 64 bits over all strings; none has a unit that is the same as its end, or as its
        // value's.
        let mut list = 0xCBF2_9CE4_8422_2325;
        let mut hash = |part: u64| list = (list ^ part).wrapping_mul(0x0000_0100_0000_01B3);
        for strings in values {
            for string in strings.clone() {
                string.units().iter().for_each(|&unit| hash(unit.into()));
                hash(END_OF_STRING);
            }
            hash(END_OF_VALUE);
        }
        Self {
            system,
            list,
            file: None,
            next: 0,
            fresh: true,
        }
    }

    /// How many operations of the list are not to be done again: 0 without a mark of this list.
    #[inline(never)]
    pub(crate) fn read(&mut self) -> usize {
        let mut open = || {
            self.file = Some(open_mark(self.system, ACCESS, Share::READ, false)?);
            Ok(())
        };
        let is_none = |status| status == Status::OBJECT_NAME_NOT_FOUND;
        if let Err(status) = persist(self.system, &mut open, is_none)
            && !is_none(status)
        {
            nt::warn!("pending file renames: mark: {status}: not read");
        }
        let mut newest = 0;
        for slot in 0..=1 {
            if let Some(done) = self.record(slot)
                && done >= newest
            {
                newest = done;
                (self.next, self.fresh) = (1 - slot, false);
            }
        }
        usize::try_from(newest).unwrap_or(usize::MAX)
    }

    fn record(&self, slot: u64) -> Option<u64> {
        let mark = self.file.as_ref()?.get();
        let mut record = Record::default();
        let mut read = || {
            let bytes = record.as_mut_bytes();
            let length = bytes.len();
            if self.system.read_file(mark, slot * SECTOR, bytes)? == length {
                Ok(())
            } else {
                Err(Status::END_OF_FILE)
            }
        };
        let is_short = |status| status == Status::END_OF_FILE;
        persist(self.system, &mut read, is_short).ok()?;
        (record.list == self.list && record.check == !(record.list ^ record.done))
            .then_some(record.done)
    }

    /// Notes that `done` operations are done and safe on the disk.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn set(&mut self, done: usize) -> Result<()> {
        let system = self.system;
        let mark = match self.file.take() {
            Some(mark) => mark,
            None => open_mark(system, ACCESS, Share::READ, true)?,
        };
        let (list, done) = (self.list, done as u64);
        let record = Record {
            list,
            done,
            check: !(list ^ done),
        };
        if self.fresh {
            let none = Record::default();
            system.write_file(mark.get(), SECTOR, none.as_bytes())?;
        }
        system.write_file(mark.get(), self.next * SECTOR, record.as_bytes())?;
        system.flush_file(mark.get())?;
        self.file = Some(mark);
        self.next = 1 - self.next;
        if core::mem::replace(&mut self.fresh, false) {
            // The file is new or has grown, for the only time: the place of the other record was
            // written with this one. It can be relied on when its directory entry is on the disk.
            let mut path = Home::new();
            home(system, &mut path)?;
            flush_volume(system, path.as_str());
        }
        Ok(())
    }
}

const ACCESS: Access = Access::FILE_READ_DATA.union(Access::FILE_WRITE_DATA);
const OPTIONS: OpenOptions = OpenOptions::NON_DIRECTORY_FILE;

/// Room for the mark's path.
type Home = UnicodeBuf<MAX_NT>;

/// Puts where it is into `path`, which is empty: `<root>\System32\config\smss.mark`.
fn home<S: SystemWide>(system: S, path: &mut Home) -> Result<()> {
    path.push(wide!("\\??\\"))?;
    path.push(system.system_root())?;
    path.push(wide!("\\System32\\config\\smss.mark"))
}

/// Opens the mark, or `makes` it if it is not there.
#[inline(never)]
fn open_mark<S: Objects + Files + SystemWide>(
    system: S,
    access: Access,
    share: Share,
    makes: bool,
) -> Result<Owned<S>> {
    let mut path = Home::new();
    home(system, &mut path)?;
    let name = ObjectAttributes::named(path.as_str());
    if makes {
        file::create(system, &name, access, share, OPTIONS)
    } else {
        file::open(system, &name, access, share, OPTIONS)
    }
}

/// Deletes the mark, if there is one.
///
/// # Errors
/// What the kernel says.
pub(crate) fn delete<S: Objects + Files + SystemWide>(system: S) -> Result<()> {
    let mark = open_mark(system, Access::DELETE, Share::empty(), false)?;
    system.set_delete(mark.get())
}
