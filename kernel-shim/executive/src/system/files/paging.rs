// SPDX-License-Identifier: GPL-2.0-or-later
//! NtCreatePagingFile (spec 4.7). Nothing is ever paged out: a paging file is made, kept open and
//! listed.

use super::request::{CreateRequest, Disposition, OPEN_PAGING_FILE};
use crate::ids::ThreadId;
use crate::io::PageFile;
use crate::io::file::NO_INTERMEDIATE_BUFFERING;
use crate::ob::prelude::*;
use crate::system::Executive;
use formats::fat::Fill;
use nt::access::Access;
use nt::system::FileAttributes;
use nt::{ObjectAttributes, Result, Status, UnicodeStr};

const MAX_PAGING_FILES: usize = 16;
const SMALLEST: u64 = 1 << 20;
const LARGEST: u64 = 0xFFFF_FFFF * 4096;
const MAX_NAME_BYTES: usize = 256;
const FLOPPY_DISKETTE: u32 = 0x4;

impl Executive {
    /// NtCreatePagingFile; sizes in bytes. On success the file exists with its end at `minimum`,
    /// SYSTEM and HIDDEN, and stays open.
    ///
    /// # Errors
    /// `TOO_MANY_PAGING_FILES`, `PRIVILEGE_NOT_HELD`, `INVALID_PARAMETER_2`, `INVALID_PARAMETER_3`,
    /// `OBJECT_NAME_INVALID`, `FLOPPY_VOLUME`, `NOT_FOUND` and `NOT_IMPLEMENTED` for a file
    /// that is in use, `DISK_FULL`, and what opening says.
    pub fn create_paging_file(
        &mut self,
        caller: ThreadId,
        name: UnicodeStr<'_>,
        minimum: u64,
        maximum: u64,
    ) -> Result<()> {
        if self.io.page_files().len() >= MAX_PAGING_FILES {
            return Err(Status::TOO_MANY_PAGING_FILES);
        }
        if !self.is_kernel(caller)
            && !self
                .token_of(caller)?
                .has(crate::se::token::CREATE_PAGEFILE)
        {
            return Err(Status::PRIVILEGE_NOT_HELD);
        }
        if !(SMALLEST..=LARGEST).contains(&minimum) {
            return Err(Status::INVALID_PARAMETER_2);
        }
        if maximum < minimum || maximum > LARGEST {
            return Err(Status::INVALID_PARAMETER_3);
        }
        if name.is_empty() || name.byte_len() > MAX_NAME_BYTES {
            return Err(Status::OBJECT_NAME_INVALID);
        }
        let attributes = ObjectAttributes::named(name);
        let request = CreateRequest {
            access: Access::SYNCHRONIZE
                | Access::WRITE_DAC
                | Access::FILE_READ_DATA
                | Access::FILE_WRITE_DATA,
            share: 2,
            options: NO_INTERMEDIATE_BUFFERING | OPEN_PAGING_FILE,
            disposition: Disposition::Supersede,
            attributes: FileAttributes::SYSTEM | FileAttributes::HIDDEN,
        };
        // The system opens the file, in its own handle table: it stays open for as long as the
        // system runs.
        let handle = match self.create_file(ThreadId::SYSTEM, &attributes, request) {
            Ok((handle, _)) => handle,
            Err(_) => return Err(self.match_paging_file(&attributes, minimum, maximum)),
        };
        let made = self.finish_paging_file(handle, name, minimum, maximum);
        if made.is_err() {
            // Closing cannot fail: the handle was made a moment ago.
            let _ = self.close(ThreadId::SYSTEM, handle);
        }
        made
    }

    fn finish_paging_file(
        &mut self,
        handle: nt::Handle,
        name: UnicodeStr<'_>,
        minimum: u64,
        maximum: u64,
    ) -> Result<()> {
        let (object, open) = self.file_behind(ThreadId::SYSTEM, handle, Access::empty())?;
        let file = open.id().ok_or(Status::UNRECOGNIZED_VOLUME)?;
        if let Err(status) = self.resize(file, minimum, Fill::Nothing) {
            // The file that stood here before is gone already; an empty one in its place is of no
            // use to anybody.
            self.file_mut(object)?.delete_on_close = true;
            return Err(status);
        }
        if self.io.volume(file.volume)?.volume_facts().characteristics & FLOPPY_DISKETTE != 0 {
            self.file_mut(object)?.delete_on_close = true;
            return Err(Status::FLOPPY_VOLUME);
        }
        self.io.add_page_file(PageFile {
            object,
            file,
            name: name.units().to_vec(),
            minimum,
            maximum,
        });
        Ok(())
    }

    /// The file could not be superseded: is it a paging file that is to be made larger?
    fn match_paging_file(
        &mut self,
        attributes: &ObjectAttributes<'_>,
        minimum: u64,
        maximum: u64,
    ) -> Status {
        let options = NO_INTERMEDIATE_BUFFERING | OPEN_PAGING_FILE;
        let opened = self.open_file(
            ThreadId::SYSTEM,
            attributes,
            Access::SYNCHRONIZE | Access::FILE_WRITE_DATA,
            3,
            options,
        );
        let handle = match opened {
            Ok(handle) => handle,
            Err(status) => return status,
        };
        let file = self
            .file_behind(ThreadId::SYSTEM, handle, Access::empty())
            .ok()
            .and_then(|(_, open)| open.id());
        // Closing cannot fail: the handle was made a moment ago.
        let _ = self.close(ThreadId::SYSTEM, handle);
        let Some(known) = self
            .io
            .page_files()
            .iter()
            .find(|known| Some(known.file) == file)
        else {
            return Status::NOT_FOUND;
        };
        if known.minimum > minimum {
            return Status::INVALID_PARAMETER_2;
        }
        if maximum < known.maximum {
            return Status::INVALID_PARAMETER_3;
        }
        // As in the kernel this one stands for, an active paging file does not grow.
        Status::NOT_IMPLEMENTED
    }
}
