// SPDX-License-Identifier: GPL-2.0-or-later
//! Segments: the pages behind section objects, shared by all views of them.
//!
//! There is one image segment and one data segment a file, no matter who opens it, for as long as a
//! section or a view of it exists; so two processes that map the same DLL share its frames. A page
//! is read when it is first touched. Of an image segment as many as the disk gives are read ahead
//! when it is made; a data segment writes back what was written when it goes or is flushed.
//!
//! Invariants: a segment owns one reference of each of its frames; `references` counts sections and
//! views.

use super::protection::Protect;
use super::space::{GRANULARITY, LOWEST};
use crate::io::FileId;
use crate::machine::{Frame, Machine, PAGE};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use formats::pe::{self, Image};
use nt::{Result, Status};

/// By how much the addresses of based sections end below the end of user memory
/// (`MmHighSectionBase`).
const ABOVE_BASED: u64 = 0x80_0000;

/// The highest address at which `size` bytes end at `end` or below.
const fn fits_below(end: u64, size: u64) -> Option<u64> {
    match end.checked_sub(size) {
        Some(base) => Some(base & !(GRANULARITY - 1)),
        None => None,
    }
}

/// A segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub u32);

/// What a segment is made of.
#[derive(Debug)]
pub enum Backing {
    /// An image, laid out by its section headers.
    Image(alloc::boxed::Box<Image>),
    /// A file's bytes.
    File,
    /// Memory; pages that are not in `committed` are only reserved.
    Memory {
        /// All pages were committed at once (`SEC_COMMIT`).
        all: bool,
        /// Pages committed later.
        committed: BTreeSet<u32>,
    },
}

/// The pages of a section.
#[derive(Debug)]
pub struct Segment {
    /// What it is made of.
    pub backing: Backing,
    /// The file, if there is one.
    pub file: Option<FileId>,
    /// Bytes.
    pub size: u64,
    /// Frames of the pages that were touched.
    pub frames: BTreeMap<u32, Frame>,
    /// Sections and views.
    references: u32,
    /// A data segment's pages that a view may have written.
    pub written: BTreeSet<u32>,
    /// The path of the file, `\Device\...`, for who asks what is mapped.
    pub path: Vec<u16>,
    /// `SEC_BASED`: where every process sees its first byte.
    pub based: Option<u64>,
}

impl Segment {
    /// Pages.
    pub const fn pages(&self) -> u64 {
        self.size.div_ceil(PAGE as u64)
    }

    /// The image, if it is one.
    pub fn image(&self) -> Option<&Image> {
        match &self.backing {
            Backing::Image(image) => Some(image),
            _ => None,
        }
    }

    /// The protection a page of an image has before anybody changes it.
    pub fn image_protection(image: &Image, page: u32) -> Protect {
        let flags = image.page_characteristics(page.wrapping_mul(PAGE as u32));
        let shared = flags & pe::SCN_SHARED != 0;
        match (
            flags & pe::SCN_EXECUTE != 0,
            flags & pe::SCN_WRITE != 0,
            flags & pe::SCN_READ != 0,
        ) {
            (false, true, _) if shared => Protect::READ_WRITE,
            (true, true, _) if shared => Protect::EXECUTE_READ_WRITE,
            (false, true, _) => Protect::WRITE_COPY,
            (true, true, _) => Protect::EXECUTE_WRITE_COPY,
            (true, false, true) => Protect::EXECUTE_READ,
            (true, false, false) => Protect::EXECUTE,
            (false, false, true) => Protect::READ_ONLY,
            (false, false, false) => Protect::NO_ACCESS,
        }
    }

    /// Whether the page exists and may be touched.
    pub fn is_committed(&self, page: u32) -> bool {
        u64::from(page) < self.pages()
            && match &self.backing {
                Backing::Memory { all, committed } => *all || committed.contains(&page),
                _ => true,
            }
    }
}

/// The content of a file, as far as its disk gives it.
#[derive(Debug, Default)]
pub struct ReadAhead {
    /// As long as the file; what could not be read is zeros.
    pub bytes: Vec<u8>,
    /// The pages of the file that could not be read, and why not.
    pub failed: BTreeMap<u32, Status>,
}

impl ReadAhead {
    /// Why something of this stretch of the file is not there.
    fn missing(&self, offset: u32, bytes: u32) -> Option<Status> {
        let page = |at: u32| at / PAGE as u32;
        let last = offset.saturating_add(bytes).checked_sub(1)?;
        let mut failed = self.failed.range(page(offset)..=page(last));
        failed.next().map(|(_, status)| *status)
    }
}

/// Every segment there is.
#[derive(Debug, Default)]
pub struct Segments {
    all: BTreeMap<SegmentId, Segment>,
    images: BTreeMap<FileId, SegmentId>,
    data: BTreeMap<FileId, SegmentId>,
    next: u32,
}

impl Segments {
    /// A segment.
    pub fn get(&self, id: SegmentId) -> Option<&Segment> {
        self.all.get(&id)
    }

    /// A segment, to change.
    pub fn get_mut(&mut self, id: SegmentId) -> Option<&mut Segment> {
        self.all.get_mut(&id)
    }

    /// The image segment of a file.
    pub fn image_of(&self, file: FileId) -> Option<SegmentId> {
        self.images.get(&file).copied()
    }

    /// The data segment of a file.
    pub fn data_of(&self, file: FileId) -> Option<SegmentId> {
        self.data.get(&file).copied()
    }

    /// Whether a section of the file is there, of either kind.
    pub fn is_mapped(&self, file: FileId) -> bool {
        self.image_of(file).is_some() || self.data_of(file).is_some()
    }

    /// One reference more.
    pub fn reference(&mut self, id: SegmentId) {
        if let Some(segment) = self.all.get_mut(&id) {
            segment.references += 1;
        }
    }

    /// One reference less: the segment, when that was the last one; its frames are the caller's to
    /// free after writing back.
    pub fn dereference(&mut self, id: SegmentId) -> Option<Segment> {
        let segment = self.all.get_mut(&id)?;
        segment.references = segment.references.saturating_sub(1);
        if segment.references > 0 {
            return None;
        }
        let segment = self.all.remove(&id)?;
        if let Some(file) = segment.file {
            for known in [&mut self.images, &mut self.data] {
                if known.get(&file) == Some(&id) {
                    known.remove(&file);
                }
            }
        }
        Some(segment)
    }

    fn insert(&mut self, segment: Segment) -> SegmentId {
        let id = SegmentId(self.next);
        self.next += 1;
        self.all.insert(id, segment);
        id
    }

    /// An address below `end`, that of user memory, that no segment is based at, from the top down:
    /// for one of `size` bytes.
    ///
    /// # Errors
    /// `NO_MEMORY`.
    pub fn find_base(&self, size: u64, end: u64) -> Result<u64> {
        let mut taken: Vec<(u64, u64)> = self
            .all
            .values()
            .filter_map(|segment| Some((segment.based?, segment.size)))
            .collect();
        taken.sort_unstable_by(|left, right| right.cmp(left));
        let mut end = end - ABOVE_BASED;
        for (base, bytes) in taken {
            if fits_below(end, size).is_some_and(|free| free >= base + bytes) {
                break;
            }
            end = base;
        }
        fits_below(end, size)
            .filter(|&base| base >= LOWEST)
            .ok_or(Status::NO_MEMORY)
    }

    /// A segment of memory, one reference. `all`: committed from the start.
    pub fn make_memory(&mut self, size: u64, all: bool, based: Option<u64>) -> SegmentId {
        let backing = Backing::Memory {
            all,
            committed: BTreeSet::new(),
        };
        self.insert(Segment {
            backing,
            file: None,
            size,
            frames: BTreeMap::new(),
            references: 1,
            written: BTreeSet::new(),
            path: Vec::new(),
            based,
        })
    }

    /// A data segment of a file that has none yet, one reference.
    pub fn make_data(&mut self, file: FileId, size: u64, path: Vec<u16>) -> SegmentId {
        let id = self.insert(Segment {
            backing: Backing::File,
            file: Some(file),
            size,
            frames: BTreeMap::new(),
            references: 1,
            written: BTreeSet::new(),
            path,
            based: None,
        });
        self.data.insert(file, id);
        id
    }

    /// An image segment of a file that has none yet, one reference.
    ///
    /// # Errors
    /// What [`Image::parse`] says; `NO_MEMORY`; for headers that were not read, why not.
    pub fn make_image(
        &mut self,
        machine: &mut dyn Machine,
        file: FileId,
        content: &ReadAhead,
        path: Vec<u16>,
    ) -> Result<SegmentId> {
        let image = Image::parse(&content.bytes, machine.architecture().image_machine()).map_err(
            |error| {
                log::warn!("{}: {error}", nt::UnicodeStr(&path));
                error.status
            },
        )?;
        if let Some(status) = content.missing(0, image.headers.size_of_headers) {
            return Err(status);
        }
        let view = image.layout(&content.bytes);
        let mut frames = BTreeMap::new();
        for (page, bytes) in view.chunks(PAGE).enumerate() {
            let there = image
                .pieces_of_page((page * PAGE) as u32)
                .all(|piece| content.missing(piece.offset, piece.bytes).is_none());
            if !there {
                continue;
            }
            let Ok(frame) = machine.allocate_frame() else {
                frames.values().for_each(|&frame| machine.free_frame(frame));
                return Err(Status::NO_MEMORY);
            };
            machine.write_frame(frame, 0, bytes);
            frames.insert(page as u32, frame);
        }
        let segment = Segment {
            size: view.len() as u64,
            backing: Backing::Image(alloc::boxed::Box::new(image)),
            file: Some(file),
            frames,
            references: 1,
            written: BTreeSet::new(),
            path,
            based: None,
        };
        let id = self.insert(segment);
        self.images.insert(file, id);
        Ok(id)
    }

    /// What was written to a file goes into the frames of its data segment too, so that views and
    /// reads agree.
    pub fn file_written(
        &mut self,
        machine: &mut dyn Machine,
        file: FileId,
        offset: u64,
        data: &[u8],
    ) {
        let Some(segment) = self.data.get(&file).and_then(|id| self.all.get(id)) else {
            return;
        };
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let within = (at % PAGE as u64) as usize;
            let count = (data.len() - done).min(PAGE - within);
            if let Some(&frame) = u32::try_from(at / PAGE as u64)
                .ok()
                .and_then(|page| segment.frames.get(&page))
            {
                machine.write_frame(
                    frame,
                    within,
                    data.get(done..done + count).unwrap_or_default(),
                );
            }
            done += count;
        }
    }

    /// Puts what views have written over what was read of a file.
    pub fn overlay(&self, machine: &dyn Machine, file: FileId, offset: u64, buffer: &mut [u8]) {
        let Some(segment) = self.data.get(&file).and_then(|id| self.all.get(id)) else {
            return;
        };
        for &page in &segment.written {
            let Some(&frame) = segment.frames.get(&page) else {
                continue;
            };
            let start = u64::from(page) * PAGE as u64;
            let from = start.max(offset);
            let to = (start + PAGE as u64).min(offset + buffer.len() as u64);
            if from < to
                && let Some(part) = buffer.get_mut((from - offset) as usize..(to - offset) as usize)
            {
                machine.read_frame(frame, (from - start) as usize, part);
            }
        }
    }
}
