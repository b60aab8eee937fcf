// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, files and volumes.

use super::{Seam, name, number};
use crate::system::files::request::{CreateRequest, Disposition};
use crate::system::files::transfer::At;
use nt::access::{Access, OpenOptions, Share};
use nt::system::{FileAttributes, FileStandard, Files, FsDevice, FsSize};
use nt::{Handle, ObjectAttributes, Result, UnicodeStr};

/// FileStandardInformation may be asked for with any access.
const ANY_ACCESS: Access = Access::empty();

impl Files for &Seam {
    fn open_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle> {
        self.call(
            "NtOpenFile",
            || name("name", attributes.name),
            |executive, thread| {
                executive.open_file(thread, attributes, access, share.bits(), options.bits())
            },
        )
    }

    fn create_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle> {
        let request = CreateRequest {
            access,
            share: share.bits(),
            options: options.bits(),
            disposition: Disposition::OpenIf,
            attributes: FileAttributes::NORMAL,
        };
        self.call(
            "NtCreateFile",
            || name("name", attributes.name),
            |executive, thread| {
                let (file, _) = executive.create_file(thread, attributes, request)?;
                Ok(file)
            },
        )
    }

    fn flush_file(self, file: Handle) -> Result<()> {
        self.call(
            "NtFlushBuffersFile",
            || number("file", file.0),
            |executive, thread| executive.flush_file(thread, file),
        )
    }

    fn mark_volume_dirty(self, volume: Handle) -> Result<()> {
        const FSCTL_MARK_VOLUME_DIRTY: u32 = 0x9_0030;
        self.call(
            "NtFsControlFile",
            || number("file", volume.0),
            |executive, thread| {
                executive
                    .fs_control(thread, volume, FSCTL_MARK_VOLUME_DIRTY, 0)
                    .map(drop)
            },
        )
    }

    fn query_file_id(self, file: Handle) -> Result<u64> {
        self.call(
            "NtQueryInformationFile",
            || number("file", file.0),
            |executive, thread| Ok(executive.query_file(thread, file, ANY_ACCESS)?.file.index),
        )
    }

    fn read_file(self, file: Handle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.call(
            "NtReadFile",
            || number("file", file.0),
            |executive, thread| executive.read_file(thread, file, At::Offset(offset), buffer),
        )
    }

    fn write_file(self, file: Handle, offset: u64, data: &[u8]) -> Result<usize> {
        self.call(
            "NtWriteFile",
            || number("file", file.0),
            |executive, thread| executive.write_file(thread, file, At::Offset(offset), data),
        )
    }

    fn query_attributes(self, attributes: &ObjectAttributes<'_>) -> Result<FileAttributes> {
        self.call(
            "NtQueryAttributesFile",
            || name("name", attributes.name),
            |executive, thread| {
                executive
                    .query_attributes(thread, attributes)
                    .map(|facts| FileAttributes(facts.attributes))
            },
        )
    }

    fn query_standard(self, file: Handle) -> Result<FileStandard> {
        self.call(
            "NtQueryInformationFile",
            || number("file", file.0),
            |executive, thread| {
                let facts = executive.query_file(thread, file, ANY_ACCESS)?.file;
                Ok(FileStandard {
                    allocation_size: facts.allocation,
                    end_of_file: facts.size,
                    directory: facts.directory,
                })
            },
        )
    }

    fn set_delete(self, file: Handle) -> Result<()> {
        self.call(
            "NtSetInformationFile",
            || number("file", file.0),
            |executive, thread| executive.set_delete(thread, file, true),
        )
    }

    fn rename(self, file: Handle, target: UnicodeStr<'_>, replace: bool) -> Result<()> {
        self.call(
            "NtSetInformationFile",
            || name("target", target),
            |executive, thread| executive.rename(thread, file, Handle::NULL, target, replace),
        )
    }

    fn set_attributes(self, file: Handle, attributes: FileAttributes) -> Result<()> {
        self.call(
            "NtSetInformationFile",
            || number("attributes", u64::from(attributes.0)),
            |executive, thread| executive.set_basic(thread, file, attributes.0, [0; 3]),
        )
    }

    fn set_end_of_file(self, file: Handle, bytes: u64) -> Result<()> {
        self.call(
            "NtSetInformationFile",
            || number("end", bytes),
            |executive, thread| executive.set_end_of_file(thread, file, bytes),
        )
    }

    fn query_fs_size(self, file: Handle) -> Result<FsSize> {
        self.call(
            "NtQueryVolumeInformationFile",
            || number("file", file.0),
            |executive, thread| {
                let facts = executive.query_volume(thread, file)?;
                Ok(FsSize {
                    total_units: facts.total_units,
                    available_units: facts.free_units,
                    sectors_per_unit: facts.sectors_per_unit,
                    bytes_per_sector: facts.bytes_per_sector,
                })
            },
        )
    }

    fn query_fs_device(self, file: Handle) -> Result<FsDevice> {
        self.call(
            "NtQueryVolumeInformationFile",
            || number("file", file.0),
            |executive, thread| {
                let (device_type, characteristics) = executive.query_device(thread, file)?;
                Ok(FsDevice {
                    device_type,
                    characteristics,
                })
            },
        )
    }

    fn create_paging_file(self, file: UnicodeStr<'_>, minimum: u64, maximum: u64) -> Result<()> {
        self.call(
            "NtCreatePagingFile",
            || name("name", file),
            |executive, thread| executive.create_paging_file(thread, file, minimum, maximum),
        )
    }
}
