// SPDX-License-Identifier: GPL-2.0-or-later
//! Files, registry and memory: the server side needs almost none of these, and the rest are
//! refused.

use super::Kernel;
use nt::access::{Access, OpenOptions, Share};
use nt::system::*;
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use test_support::Pages;

impl Files for &Kernel {
    fn query_attributes(self, attributes: &ObjectAttributes<'_>) -> Result<FileAttributes> {
        drop(self.enter()?);
        let name = attributes.name.to_string();
        if name.contains("nosuch") {
            Err(Status::OBJECT_NAME_NOT_FOUND)
        } else {
            Ok(FileAttributes(FileAttributes::NORMAL))
        }
    }

    fn open_file(
        self,
        _: &ObjectAttributes<'_>,
        _: Access,
        _: Share,
        _: OpenOptions,
    ) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn create_file(
        self,
        _: &ObjectAttributes<'_>,
        _: Access,
        _: Share,
        _: OpenOptions,
    ) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn flush_file(self, _: Handle) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn mark_volume_dirty(self, _: Handle) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_file_id(self, _: Handle) -> Result<u64> {
        Err(Status::NOT_SUPPORTED)
    }

    fn read_file(self, _: Handle, _: u64, _: &mut [u8]) -> Result<usize> {
        Err(Status::NOT_SUPPORTED)
    }

    fn write_file(self, _: Handle, _: u64, _: &[u8]) -> Result<usize> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_standard(self, _: Handle) -> Result<FileStandard> {
        Err(Status::NOT_SUPPORTED)
    }

    fn set_delete(self, _: Handle) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn rename(self, _: Handle, _: UnicodeStr<'_>, _: bool) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn set_attributes(self, _: Handle, _: FileAttributes) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn set_end_of_file(self, _: Handle, _: u64) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_fs_size(self, _: Handle) -> Result<FsSize> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_fs_device(self, _: Handle) -> Result<FsDevice> {
        Err(Status::NOT_SUPPORTED)
    }

    fn create_paging_file(self, _: UnicodeStr<'_>, _: u64, _: u64) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }
}

impl Registry for &Kernel {
    fn open_key(self, _: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn create_volatile_key(self, _: &ObjectAttributes<'_>, _: Access) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn query_value(self, _: Handle, _: UnicodeStr<'_>, _: &mut [u8]) -> Result<ValueInformation> {
        Err(Status::NOT_SUPPORTED)
    }

    fn enumerate_value(
        self,
        _: Handle,
        _: u32,
        _: &mut [u16],
        _: &mut [u8],
    ) -> Result<ValueInformation> {
        Err(Status::NOT_SUPPORTED)
    }

    fn set_value(self, _: Handle, _: UnicodeStr<'_>, _: ValueType, _: &[u8]) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn delete_value(self, _: Handle, _: UnicodeStr<'_>) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn flush_key(self, _: Handle) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }

    fn initialize_registry(self, _: RegistryBoot) -> Result<()> {
        Err(Status::NOT_SUPPORTED)
    }
}

impl Memory for &Kernel {
    type Pages = Pages;
    type View = Vec<u8>;

    fn allocate_pages(self, bytes: usize) -> Result<Pages> {
        Ok(Pages::zeroed(bytes))
    }

    fn create_image_section(
        self,
        _: &ObjectAttributes<'_>,
        _: Access,
        _: Handle,
    ) -> Result<Handle> {
        Err(Status::NOT_SUPPORTED)
    }

    fn map_view(self, _: Handle) -> Result<Vec<u8>> {
        Err(Status::NOT_SUPPORTED)
    }
}
