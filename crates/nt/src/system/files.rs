// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, files and volumes.

use crate::access::{Access, OpenOptions, Share};
use crate::{Handle, ObjectAttributes, Result, UnicodeStr};

/// FILE_ATTRIBUTE_ bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileAttributes(pub u32);

impl FileAttributes {
    /// `FILE_ATTRIBUTE_READONLY`.
    pub const READONLY: u32 = 0x01;
    /// `FILE_ATTRIBUTE_HIDDEN`.
    pub const HIDDEN: u32 = 0x02;
    /// `FILE_ATTRIBUTE_SYSTEM`.
    pub const SYSTEM: u32 = 0x04;
    /// `FILE_ATTRIBUTE_DIRECTORY`.
    pub const DIRECTORY: u32 = 0x10;
    /// `FILE_ATTRIBUTE_ARCHIVE`.
    pub const ARCHIVE: u32 = 0x20;
    /// `FILE_ATTRIBUTE_NORMAL`.
    pub const NORMAL: u32 = 0x80;
}

/// FileStandardInformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStandard {
    /// Bytes the file occupies on its volume.
    pub allocation_size: u64,
    /// Bytes in the file.
    pub end_of_file: u64,
    /// Whether it is a directory.
    pub directory: bool,
}

/// FileFsSizeInformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FsSize {
    /// All allocation units.
    pub total_units: u64,
    /// Free allocation units.
    pub available_units: u64,
    /// Sectors in a unit.
    pub sectors_per_unit: u32,
    /// Bytes in a sector.
    pub bytes_per_sector: u32,
}

/// FileFsDeviceInformation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FsDevice {
    /// `FILE_DEVICE_` type.
    pub device_type: u32,
    /// `FILE_REMOVABLE_MEDIA` 1, `FILE_READ_ONLY_DEVICE` 2, `FILE_FLOPPY_DISKETTE` 4,
    /// `FILE_REMOTE_DEVICE` 0x10.
    pub characteristics: u32,
}

/// Requests about files. Files opened here are synchronous, so these calls may block on the disk.
pub trait Files: Copy {
    /// NtOpenFile.
    fn open_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle>;

    /// NtCreateFile with `FILE_OPEN_IF`: the file, made or opened.
    fn create_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle>;

    /// NtReadFile at a byte offset: how many bytes were read. `END_OF_FILE` at or past the end.
    fn read_file(self, file: Handle, offset: u64, buffer: &mut [u8]) -> Result<usize>;

    /// NtWriteFile at a byte offset: how many bytes were written.
    fn write_file(self, file: Handle, offset: u64, data: &[u8]) -> Result<usize>;

    /// NtFlushBuffersFile: what is kept back of the file, or of the whole volume if its own handle
    /// is given, is on the disk afterwards. The handle must have [`Access::FILE_WRITE_DATA`].
    fn flush_file(self, file: Handle) -> Result<()>;

    /// NtFsControlFile, FSCTL_MARK_VOLUME_DIRTY, of a volume's own handle.
    fn mark_volume_dirty(self, volume: Handle) -> Result<()>;

    /// NtQueryAttributesFile: the attributes of the named file, without opening it.
    fn query_attributes(self, attributes: &ObjectAttributes<'_>) -> Result<FileAttributes>;

    /// NtQueryInformationFile, FileStandardInformation.
    fn query_standard(self, file: Handle) -> Result<FileStandard>;

    /// NtQueryInformationFile, FileInternalInformation: the file's number on its volume. ReactOS'
    /// FAT driver gives the place of its first cluster, and 0 for a file without one.
    fn query_file_id(self, file: Handle) -> Result<u64>;

    /// NtSetInformationFile, FileDispositionInformation: delete on last close.
    fn set_delete(self, file: Handle) -> Result<()>;

    /// NtSetInformationFile, FileRenameInformation with an absolute NT path.
    fn rename(self, file: Handle, target: UnicodeStr<'_>, replace: bool) -> Result<()>;

    /// NtSetInformationFile, FileBasicInformation: attributes only, all times unchanged.
    fn set_attributes(self, file: Handle, attributes: FileAttributes) -> Result<()>;

    /// NtSetInformationFile, FileEndOfFileInformation.
    fn set_end_of_file(self, file: Handle, bytes: u64) -> Result<()>;

    /// NtQueryVolumeInformationFile, FileFsSizeInformation.
    fn query_fs_size(self, file: Handle) -> Result<FsSize>;

    /// NtQueryVolumeInformationFile, FileFsDeviceInformation.
    fn query_fs_device(self, file: Handle) -> Result<FsDevice>;

    /// NtCreatePagingFile; sizes in bytes (spec 4.7).
    fn create_paging_file(self, name: UnicodeStr<'_>, minimum: u64, maximum: u64) -> Result<()>;
}
