// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, files and volumes.

use crate::Native;
use crate::convert::{Named, counted, done, handle, length, raw, status};
use crate::imports::{
    NtCreateFile, NtCreatePagingFile, NtFlushBuffersFile, NtFsControlFile, NtOpenFile,
    NtQueryAttributesFile, NtQueryInformationFile, NtQueryVolumeInformationFile, NtReadFile,
    NtSetInformationFile, NtWaitForSingleObject, NtWriteFile,
};
use crate::layout::Plain;
use crate::scratch::{Buffer, Scratch};
use nt::access::{Access, OpenOptions, Share};
use nt::system::{FileAttributes, FileStandard, Files, FsDevice, FsSize};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use ntapi::ntioapi::{
    FILE_BASIC_INFORMATION, FILE_DISPOSITION_INFORMATION, FILE_FS_DEVICE_INFORMATION,
    FILE_FS_SIZE_INFORMATION, FILE_OPEN_IF, FILE_STANDARD_INFORMATION, FileBasicInformation,
    FileDispositionInformation, FileEndOfFileInformation, FileFsDeviceInformation,
    FileFsSizeInformation, FileInternalInformation, FileRenameInformation, FileStandardInformation,
    IO_STATUS_BLOCK,
};
use winapi::shared::ntdef::{LARGE_INTEGER, NTSTATUS};
use zerocopy::IntoBytes;

/// FILE_RENAME_INFORMATION; its root directory stays null.
mod rename {
    use abi::file::FileRename;
    use core::mem::offset_of;

    type Rename = FileRename<abi::Native>;

    pub(super) const REPLACE: usize = offset_of!(Rename, replace);
    pub(super) const NAME_LENGTH: usize = offset_of!(Rename, name_length);
    pub(super) const NAME: usize = size_of::<Rename>();
    /// The structure's own size, a unit of the name and its padding included: the kernel wants that
    /// at least.
    pub(super) const SIZE: usize =
        (NAME + size_of::<u16>()).next_multiple_of(align_of::<abi::Native>());
}

/// A 64-bit quantity as the calls take it.
fn large(value: u64) -> LARGE_INTEGER {
    let mut large = LARGE_INTEGER::zero();
    // SAFETY: writes the field that covers the whole union.
    *unsafe { large.QuadPart_mut() } = value.cast_signed();
    large
}

/// A 64-bit quantity as a call gave it; what is negative is 0.
fn unsigned(large: &LARGE_INTEGER) -> u64 {
    // SAFETY: reads the field that covers the whole union, and any bits are one.
    u64::try_from(*unsafe { large.QuadPart() }).unwrap_or(0)
}

/// NtSetInformationFile with the structure in `information`.
fn set(file: Handle, class: u32, information: &[u8]) -> Result<()> {
    let mut io = IO_STATUS_BLOCK::zero();
    // SAFETY: the structure is as long as said and only read; the status block is a live local.
    done(unsafe {
        NtSetInformationFile(
            raw(file),
            &raw mut io,
            information.as_ptr().cast_mut().cast(),
            length(information.len())?,
            class,
        )
    })
}

/// The bytes of a structure without padding that matters.
fn bytes_of<T: Plain>(value: &T) -> &[u8] {
    // SAFETY: `value` was made by `T::zero`, so that its padding is initialised as well, and it is
    // borrowed for as long as the bytes.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(value).cast(), size_of::<T>()) }
}

/// NtQueryInformationFile of a fixed structure.
fn query<T: Plain>(file: Handle, class: u32) -> Result<T> {
    let mut io = IO_STATUS_BLOCK::zero();
    let mut information = T::zero();
    // SAFETY: the structure is as long as said; both out-pointers are live locals.
    done(unsafe {
        NtQueryInformationFile(
            raw(file),
            &raw mut io,
            (&raw mut information).cast(),
            T::SIZE,
            class,
        )
    })?;
    Ok(information)
}

/// NtQueryVolumeInformationFile of a fixed structure.
fn query_volume<T: Plain>(file: Handle, class: u32) -> Result<T> {
    let mut io = IO_STATUS_BLOCK::zero();
    let mut information = T::zero();
    // SAFETY: the structure is as long as said; both out-pointers are live locals.
    done(unsafe {
        NtQueryVolumeInformationFile(
            raw(file),
            &raw mut io,
            (&raw mut information).cast(),
            T::SIZE,
            class,
        )
    })?;
    Ok(information)
}

/// How a request ended, whose buffer and `io` are the caller's until this returns.
///
/// Every file that [`Files::open_file`] and [`Files::create_file`] give is synchronous, and of such a
/// file the kernel answers no request before its end. If one says PENDING all the same, its end is waited for; a
/// request that can neither be ended nor waited for would go on writing into a stack that is no
/// longer its own, so that the process ends instead.
fn ended(file: Handle, answer: NTSTATUS, io: *const IO_STATUS_BLOCK) -> Result<()> {
    if status(answer) != Status::PENDING {
        return done(answer);
    }
    // SAFETY: no time out is given, and nothing else is a pointer.
    let waited = status(unsafe { NtWaitForSingleObject(raw(file), 0, core::ptr::null_mut()) });
    if waited != Status::SUCCESS {
        crate::exception::terminate(waited);
    }
    // SAFETY: the caller's live block, which the kernel has filled behind the compiler's back.
    let io = unsafe { io.read_volatile() };
    // SAFETY: both parts of the union are numbers to this program, and the kernel wrote a status.
    done(unsafe { io.u.Status })
}

/// `INVALID_PARAMETER` for options that do not make every request of the file wait until it is done:
/// nothing here could end a request of such a file.
fn synchronous(options: OpenOptions) -> Result<()> {
    if options.contains(OpenOptions::SYNCHRONOUS_IO_NONALERT) {
        Ok(())
    } else {
        Err(Status::INVALID_PARAMETER)
    }
}

impl Files for Native {
    fn open_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle> {
        synchronous(options)?;
        let mut named = Named::new(attributes);
        let mut io = IO_STATUS_BLOCK::zero();
        let mut file = core::ptr::null_mut();
        // SAFETY: both out-pointers are live locals; the attributes borrow from the caller for the
        // call.
        done(unsafe {
            NtOpenFile(
                &raw mut file,
                access.bits(),
                named.pointer()?,
                &raw mut io,
                share.bits(),
                options.bits(),
            )
        })?;
        Ok(handle(file))
    }

    fn create_file(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        share: Share,
        options: OpenOptions,
    ) -> Result<Handle> {
        synchronous(options)?;
        let mut named = Named::new(attributes);
        let mut io = IO_STATUS_BLOCK::zero();
        let mut file = core::ptr::null_mut();
        // SAFETY: both out-pointers are live locals; the attributes borrow from the caller for the
        // call; no allocation size and no extended attributes are given.
        done(unsafe {
            NtCreateFile(
                &raw mut file,
                access.bits(),
                named.pointer()?,
                &raw mut io,
                core::ptr::null_mut(),
                FileAttributes::NORMAL,
                share.bits(),
                FILE_OPEN_IF,
                options.bits(),
                core::ptr::null_mut(),
                0,
            )
        })?;
        Ok(handle(file))
    }

    fn read_file(self, file: Handle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut io = IO_STATUS_BLOCK::zero();
        let mut offset = large(offset);
        // SAFETY: the buffer is as long as said and borrowed for writing; `ended` waits for the
        // request's end before the buffer and the two locals go.
        let answer = unsafe {
            NtReadFile(
                raw(file),
                core::ptr::null_mut(),
                None,
                core::ptr::null_mut(),
                &raw mut io,
                buffer.as_mut_ptr().cast(),
                length(buffer.len())?,
                &raw mut offset,
                core::ptr::null_mut(),
            )
        };
        ended(file, answer, &raw const io)?;
        Ok(io.Information.min(buffer.len()))
    }

    fn write_file(self, file: Handle, offset: u64, data: &[u8]) -> Result<usize> {
        let mut io = IO_STATUS_BLOCK::zero();
        let mut offset = large(offset);
        // SAFETY: the data is as long as said and only read; `ended` waits for the request's end
        // before the locals go.
        let answer = unsafe {
            NtWriteFile(
                raw(file),
                core::ptr::null_mut(),
                None,
                core::ptr::null_mut(),
                &raw mut io,
                data.as_ptr().cast_mut().cast(),
                length(data.len())?,
                &raw mut offset,
                core::ptr::null_mut(),
            )
        };
        ended(file, answer, &raw const io)?;
        Ok(io.Information.min(data.len()))
    }

    fn flush_file(self, file: Handle) -> Result<()> {
        let mut io = IO_STATUS_BLOCK::zero();
        // SAFETY: the status block is a live local; `ended` waits for the request's end before it
        // goes.
        let answer = unsafe { NtFlushBuffersFile(raw(file), &raw mut io) };
        ended(file, answer, &raw const io)
    }

    fn mark_volume_dirty(self, volume: Handle) -> Result<()> {
        const FSCTL_MARK_VOLUME_DIRTY: u32 = 0x9_0030;
        let mut io = IO_STATUS_BLOCK::zero();
        // SAFETY: the status block is a live local, and nothing goes in or out; `ended` waits for the
        // request's end before the block goes.
        let answer = unsafe {
            NtFsControlFile(
                raw(volume),
                core::ptr::null_mut(),
                None,
                core::ptr::null_mut(),
                &raw mut io,
                FSCTL_MARK_VOLUME_DIRTY,
                core::ptr::null_mut(),
                0,
                core::ptr::null_mut(),
                0,
            )
        };
        ended(volume, answer, &raw const io)
    }

    fn query_attributes(self, attributes: &ObjectAttributes<'_>) -> Result<FileAttributes> {
        let mut named = Named::new(attributes);
        let mut basic = FILE_BASIC_INFORMATION::zero();
        // SAFETY: the out-pointer is a live local of the structure's type; the attributes borrow
        // from the caller for the call.
        done(unsafe { NtQueryAttributesFile(named.pointer()?, &raw mut basic) })?;
        Ok(FileAttributes(basic.FileAttributes))
    }

    fn query_standard(self, file: Handle) -> Result<FileStandard> {
        let standard: FILE_STANDARD_INFORMATION = query(file, FileStandardInformation)?;
        Ok(FileStandard {
            allocation_size: unsigned(&standard.AllocationSize),
            end_of_file: unsigned(&standard.EndOfFile),
            directory: standard.Directory != 0,
        })
    }

    fn query_file_id(self, file: Handle) -> Result<u64> {
        // FILE_INTERNAL_INFORMATION is one number.
        let number: LARGE_INTEGER = query(file, FileInternalInformation)?;
        Ok(unsigned(&number))
    }

    fn set_delete(self, file: Handle) -> Result<()> {
        let mut disposition = FILE_DISPOSITION_INFORMATION::zero();
        disposition.DeleteFileA = 1;
        set(file, FileDispositionInformation, bytes_of(&disposition))
    }

    fn rename(self, file: Handle, target: UnicodeStr<'_>, replace: bool) -> Result<()> {
        let mut near = Scratch::<0x400>::new();
        // A counted string bounds the name: 64 KiB, so the sum cannot overflow.
        let length = counted(target)?.length();
        let used = (rename::NAME + target.byte_len()).max(rename::SIZE);
        let mut storage = Buffer::new(&mut near, used)?;
        let bytes = storage.bytes().get_mut(..used).unwrap_or_default();
        let mut put = |at: usize, field: &[u8]| {
            let place = bytes
                .get_mut(at..)
                .and_then(|rest| rest.get_mut(..field.len()));
            place.unwrap_or_default().copy_from_slice(field);
        };
        put(rename::REPLACE, &[u8::from(replace)]);
        put(rename::NAME_LENGTH, &length.to_le_bytes());
        put(rename::NAME, target.units().as_bytes());
        set(file, FileRenameInformation, bytes)
    }

    fn set_attributes(self, file: Handle, attributes: FileAttributes) -> Result<()> {
        let mut basic = FILE_BASIC_INFORMATION::zero();
        // Zero would mean "leave them"; no attribute at all is written NORMAL.
        basic.FileAttributes = if attributes.0 == 0 {
            FileAttributes::NORMAL
        } else {
            attributes.0
        };
        set(file, FileBasicInformation, bytes_of(&basic))
    }

    fn set_end_of_file(self, file: Handle, bytes: u64) -> Result<()> {
        set(file, FileEndOfFileInformation, &bytes.to_le_bytes())
    }

    fn query_fs_size(self, file: Handle) -> Result<FsSize> {
        let size: FILE_FS_SIZE_INFORMATION = query_volume(file, FileFsSizeInformation)?;
        Ok(FsSize {
            total_units: unsigned(&size.TotalAllocationUnits),
            available_units: unsigned(&size.AvailableAllocationUnits),
            sectors_per_unit: size.SectorsPerAllocationUnit,
            bytes_per_sector: size.BytesPerSector,
        })
    }

    fn query_fs_device(self, file: Handle) -> Result<FsDevice> {
        let device: FILE_FS_DEVICE_INFORMATION = query_volume(file, FileFsDeviceInformation)?;
        Ok(FsDevice {
            device_type: device.DeviceType,
            characteristics: device.Characteristics,
        })
    }

    fn create_paging_file(self, name: UnicodeStr<'_>, minimum: u64, maximum: u64) -> Result<()> {
        let mut name = counted(name)?;
        let mut minimum = large(minimum);
        let mut maximum = large(maximum);
        // SAFETY: all three are live locals, and the name borrows from the caller for the call.
        done(unsafe { NtCreatePagingFile(name.pointer(), &raw mut minimum, &raw mut maximum, 0) })
    }
}
