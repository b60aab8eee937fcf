// SPDX-License-Identifier: GPL-2.0-or-later
//! Section objects and their services: NtCreateSection, NtOpenSection, NtQuerySection (spec 7.1);
//! the sections that the kernel makes for itself. Views of them are in [`super::virtual_memory`].
//!
//! Invariants: a section holds one reference of its segment and one of its file object, so that the
//! file stays open while it can be mapped; what views have written to a file is in the file when
//! the last section and view of it are gone.

use crate::ids::{ObjectId, ThreadId};
use crate::io::FileId;
use crate::machine::PAGE;
use crate::mm::protection::Protect;
use crate::mm::segment::{Backing, ReadAhead, Segment, SegmentId};
use crate::mm::space::charge;
use crate::mm::{SEC_COMMIT, SEC_FILE, SEC_IMAGE, SEC_RESERVE, Section};
use crate::ob::Kind;
use crate::ob::prelude::*;
use crate::ob::types::Hooks;
use crate::system::Body;
use crate::system::Executive;
use abi::memory::{SEC_BASED, SEC_NO_CHANGE, SEC_NOCACHE};
use alloc::vec;
use alloc::vec::Vec;
use formats::fat::Fill;
use formats::pe::{Exports, Symbol, Target};
use formats::utf16;
use nt::access::Access;
use nt::system::{Created, SectionImageInformation};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};

/// The hooks of section objects.
pub const SECTION_HOOKS: Hooks<Executive> = Hooks {
    delete: Some(delete),
    ..Hooks::NONE
};

const SHARE_READ_DELETE: u32 = 1 | 4;
const SYNCHRONOUS_NON_DIRECTORY: u32 = 0x60;

fn delete(executive: &mut Executive, _: ObjectId, body: Body) {
    let Body::Section(section) = body else { return };
    executive.drop_segment(section.segment);
    if let Some(file) = section.file {
        executive.dereference(file);
    }
}

/// The access a file handle needs for a section of this protection.
const fn file_access(protect: Protect) -> Access {
    match protect.base() {
        Protect::EXECUTE => Access::FILE_EXECUTE,
        Protect::EXECUTE_READ | Protect::EXECUTE_WRITE_COPY => {
            Access::FILE_EXECUTE.union(Access::FILE_READ_DATA)
        }
        Protect::READ_WRITE => Access::FILE_READ_DATA.union(Access::FILE_WRITE_DATA),
        Protect::EXECUTE_READ_WRITE => Access::FILE_EXECUTE
            .union(Access::FILE_READ_DATA)
            .union(Access::FILE_WRITE_DATA),
        _ => Access::FILE_READ_DATA,
    }
}

impl Executive {
    /// NtCreateSection. `size` 0 is the size of the file; `file` null for memory.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_4` for memory of no size, `INVALID_PARAMETER_6` for attributes,
    /// `INVALID_PAGE_PROTECTION`, `INVALID_FILE_FOR_SECTION`, `MAPPED_FILE_SIZE_ZERO`,
    /// `SECTION_TOO_BIG`, `NO_MEMORY`, what a bad image gives, what a name gives.
    #[allow(clippy::too_many_arguments, reason = "NtCreateSection has seven")]
    pub fn create_section(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        size: u64,
        protect: u32,
        kind: u32,
        file: Handle,
    ) -> Result<Created> {
        let known = SEC_FILE
            | SEC_BASED
            | SEC_IMAGE
            | SEC_RESERVE
            | SEC_COMMIT
            | SEC_NO_CHANGE
            | SEC_NOCACHE;
        let exactly_one = (kind & (SEC_IMAGE | SEC_RESERVE | SEC_COMMIT)).count_ones() == 1;
        if kind & !known != 0
            || !exactly_one
            || kind & SEC_IMAGE != 0 && kind & (SEC_NOCACHE | SEC_NO_CHANGE) != 0
        {
            return Err(Status::INVALID_PARAMETER_6);
        }
        let protect = Protect::parse(protect)?;
        if protect.is_guard() || protect.base() == Protect::NO_ACCESS {
            return Err(Status::INVALID_PAGE_PROTECTION);
        }
        let section = if file.is_null() {
            if kind & SEC_IMAGE != 0 {
                return Err(Status::INVALID_FILE_FOR_SECTION);
            }
            self.memory_section(size, protect, kind)?
        } else {
            let (object, open) = self.file_behind(caller, file, file_access(protect))?;
            let id = open.id().ok_or(Status::INVALID_FILE_FOR_SECTION)?;
            self.file_section(object, id, size, protect, kind)?
        };
        self.create_object(caller, Body::Section(section), attributes, access)
    }

    fn memory_section(&mut self, size: u64, protect: Protect, attributes: u32) -> Result<Section> {
        if size == 0 {
            return Err(Status::INVALID_PARAMETER_4);
        }
        let size = size
            .checked_next_multiple_of(PAGE as u64)
            .ok_or(Status::SECTION_TOO_BIG)?;
        if size / PAGE as u64 > u64::from(u32::MAX) {
            return Err(Status::SECTION_TOO_BIG);
        }
        let all = attributes & SEC_COMMIT != 0;
        if all {
            charge(&*self.machine, size / PAGE as u64)?;
        }
        let end = self.architecture().user_end();
        let segments = self.mm.segments_mut();
        let based = if attributes & SEC_BASED == 0 {
            None
        } else {
            Some(segments.find_base(size, end)?)
        };
        let segment = segments.make_memory(size, all, based);
        Ok(Section {
            segment,
            protect,
            size,
            attributes,
            file: None,
        })
    }

    fn file_section(
        &mut self,
        object: ObjectId,
        file: FileId,
        size: u64,
        protect: Protect,
        attributes: u32,
    ) -> Result<Section> {
        let facts = self.io.volume(file.volume)?.facts(file.node)?;
        if facts.directory {
            return Err(Status::INVALID_FILE_FOR_SECTION);
        }
        let path = self.name_of(object);
        let (segment, size) = if attributes & SEC_IMAGE != 0 {
            let segment = self.image_segment(file, path)?;
            (
                segment,
                self.mm
                    .segments()
                    .get(segment)
                    .map_or(0, |segment| segment.size),
            )
        } else {
            let size = if size == 0 { facts.size } else { size };
            if size == 0 {
                return Err(Status::MAPPED_FILE_SIZE_ZERO);
            }
            if size > facts.size {
                if !protect.is_writable() || protect.is_copy() {
                    return Err(Status::SECTION_TOO_BIG);
                }
                self.resize(file, size, Fill::Zero)?;
            }
            (self.data_segment(file, size, path), size)
        };
        self.reference(object);
        Ok(Section {
            segment,
            protect,
            size,
            attributes: attributes | SEC_FILE,
            file: Some(object),
        })
    }

    /// The image segment of a file, with one more reference.
    fn image_segment(&mut self, file: FileId, path: Vec<u16>) -> Result<SegmentId> {
        if let Some(segment) = self.mm.segments().image_of(file) {
            self.mm.segments_mut().reference(segment);
            return Ok(segment);
        }
        let size = usize::try_from(self.io.volume(file.volume)?.facts(file.node)?.size)
            .map_err(|_| Status::SECTION_TOO_BIG)?;
        let content = self.read_ahead(file, size)?;
        self.mm
            .segments_mut()
            .make_image(&mut *self.machine, file, &content, path)
    }

    /// Reads a file, as far as its disk gives it.
    fn read_ahead(&mut self, file: FileId, size: usize) -> Result<ReadAhead> {
        let mut content = ReadAhead {
            bytes: vec![0; size],
            ..ReadAhead::default()
        };
        match self.read_node(file, 0, &mut content.bytes) {
            Ok(read) => {
                content.bytes.truncate(read);
                return Ok(content);
            }
            // Nothing is known of a file without its first page.
            Err(status) if size <= PAGE => return Err(status),
            Err(_) => {}
        }
        for (page, bytes) in content.bytes.chunks_mut(PAGE).enumerate() {
            match self.read_node(file, (page * PAGE) as u64, bytes) {
                Ok(_) => {}
                Err(status) if page == 0 => return Err(status),
                Err(status) => {
                    bytes.fill(0);
                    content.failed.insert(page as u32, status);
                }
            }
        }
        Ok(content)
    }

    fn data_segment(&mut self, file: FileId, size: u64, path: Vec<u16>) -> SegmentId {
        let Some(id) = self.mm.segments().data_of(file) else {
            return self.mm.segments_mut().make_data(file, size, path);
        };
        self.mm.segments_mut().reference(id);
        if let Some(segment) = self.mm.segments_mut().get_mut(id) {
            segment.size = segment.size.max(size);
        }
        id
    }

    /// NtOpenSection.
    ///
    /// # Errors
    /// As [`Naming::open_by_name`].
    pub fn open_section(
        &mut self,
        caller: ThreadId,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        self.open_by_name(caller, attributes, Some(Kind::Section), access, None)
    }

    fn section_behind(&self, caller: ThreadId, handle: Handle, access: Access) -> Result<Section> {
        let object = self.resolve(caller, handle, Some(Kind::Section), access)?;
        match &self.object(object)?.body {
            Body::Section(section) => Ok(*section),
            _ => Err(Status::OBJECT_TYPE_MISMATCH),
        }
    }

    /// NtQuerySection, SectionBasicInformation: attributes and bytes.
    ///
    /// # Errors
    /// As [`Lifetimes::resolve`] for `Access::SECTION_QUERY`.
    pub fn query_section(&self, caller: ThreadId, section: Handle) -> Result<(u32, u64)> {
        let section = self.section_behind(caller, section, Access::SECTION_QUERY)?;
        Ok((section.attributes, section.size))
    }

    /// NtQuerySection, SectionImageInformation.
    ///
    /// # Errors
    /// `SECTION_NOT_IMAGE`, and as [`Lifetimes::resolve`] for `Access::SECTION_QUERY`.
    pub fn query_section_image(
        &self,
        caller: ThreadId,
        section: Handle,
    ) -> Result<SectionImageInformation> {
        let object = self.resolve(caller, section, Some(Kind::Section), Access::SECTION_QUERY)?;
        self.section_information(object)
    }

    /// A section of an image file, without name or handle, for the kernel's own use: the reference
    /// is the caller's.
    ///
    /// # Errors
    /// What opening the file gives, and what a bad image gives.
    pub fn open_image_section(&mut self, path: &[u16]) -> Result<ObjectId> {
        let attributes = ObjectAttributes::named(UnicodeStr(path));
        let access = Access::FILE_EXECUTE | Access::FILE_READ_DATA | Access::SYNCHRONIZE;
        let handle = self.open_file(
            ThreadId::SYSTEM,
            &attributes,
            access,
            SHARE_READ_DELETE,
            SYNCHRONOUS_NON_DIRECTORY,
        )?;
        let made = self.section_of_handle(handle);
        self.close(ThreadId::SYSTEM, handle)?;
        made
    }

    fn section_of_handle(&mut self, handle: Handle) -> Result<ObjectId> {
        let (object, open) = self.file_behind(ThreadId::SYSTEM, handle, Access::empty())?;
        let id = open.id().ok_or(Status::INVALID_FILE_FOR_SECTION)?;
        let section = self.file_section(object, id, 0, Protect::EXECUTE, SEC_IMAGE)?;
        Ok(self.new_object(Body::Section(section)))
    }

    /// The section of ntdll.dll, made when it is first asked for and kept. No reference is given.
    ///
    /// # Errors
    /// As [`Self::open_image_section`].
    pub fn system_dll_section(&mut self) -> Result<ObjectId> {
        if let Some(section) = self.mm.system_dll() {
            return Ok(section);
        }
        let path = utf16(r"\SystemRoot\System32\ntdll.dll");
        let section = self.open_image_section(&path)?;
        self.mm.keep_system_dll(section);
        Ok(section)
    }

    /// The relative virtual address of a name that ntdll.dll exports.
    pub fn system_dll_export(&mut self, name: &[u8]) -> Option<u32> {
        if let Some(known) = self.mm.system_dll_export(name) {
            return Some(known);
        }
        let section = self.system_dll_section().ok()?;
        let Body::Section(section) = &self.object(section).ok()?.body else {
            return None;
        };
        let segment = self.mm.segments().get(section.segment)?;
        let image = segment.image()?;
        let mut view = vec![0; image.span()];
        for (page, bytes) in view.chunks_mut(PAGE).enumerate() {
            self.machine
                .read_frame(*segment.frames.get(&(page as u32))?, 0, bytes);
        }
        let exports = Exports::of(view.as_slice(), &image.headers).ok()??;
        let Ok(Some(Target::Address(found))) = exports.find(Symbol::Name(name, usize::MAX)) else {
            return None;
        };
        let found = u32::try_from(found)
            .ok()
            .filter(|&rva| rva < image.headers.size_of_image)?;
        self.mm.keep_system_dll_export(name, found);
        Some(found)
    }

    /// Loads a driver's image: it must be there and be an image. Its code is never run: the kernel
    /// has its own drivers.
    ///
    /// # Errors
    /// As [`Self::open_image_section`].
    pub fn load_driver(&mut self, path: &[u16]) -> Result<()> {
        // The image stays loaded, as a driver's does: the reference is kept for good.
        let section = self.open_image_section(path)?;
        self.mm.keep_driver(section);
        Ok(())
    }

    /// Takes a reference to a segment away; with the last one its content goes where it belongs,
    /// and its frames go.
    pub fn drop_segment(&mut self, segment: SegmentId) {
        let Some(gone) = self.mm.segments_mut().dereference(segment) else {
            return;
        };
        if matches!(gone.backing, Backing::File) {
            self.write_back(&gone);
        }
        for frame in gone.frames.into_values() {
            self.machine.free_frame(frame);
        }
    }

    /// Writes the pages that views have written to the file they are of, as far as the file
    /// reaches.
    fn write_back(&mut self, segment: &Segment) {
        let Some(file) = segment.file else { return };
        let Self { io, machine, .. } = self;
        let machine = &mut **machine;
        for &page in &segment.written {
            let Some(&frame) = segment.frames.get(&page) else {
                continue;
            };
            let mut bytes = [0; PAGE];
            machine.read_frame(frame, 0, &mut bytes);
            let offset = u64::from(page) * PAGE as u64;
            let written = io.volume(file.volume).and_then(|volume| {
                let size = volume.facts(file.node)?.size;
                let count = size.saturating_sub(offset).min(PAGE as u64) as usize;
                volume.write(
                    machine,
                    file.node,
                    offset,
                    bytes.get(..count).unwrap_or_default(),
                )
            });
            if let Err(status) = written {
                log::error!(
                    "{}: a mapped page was not written: {status}",
                    UnicodeStr(&segment.path)
                );
            }
        }
    }
}
