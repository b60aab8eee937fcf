// SPDX-License-Identifier: GPL-2.0-or-later
//! The seam, objects.

use crate::Native;
use crate::convert::{Named, counted, done, handle, length, raw, status};
use crate::imports::{
    NtClose, NtCreateDirectoryObject, NtCreateEvent, NtCreateSymbolicLinkObject, NtDelayExecution,
    NtDuplicateObject, NtMakeTemporaryObject, NtOpenDirectoryObject, NtOpenSymbolicLinkObject,
    NtQueryDirectoryObject, NtQuerySymbolicLinkObject, NtSetEvent, NtWaitForMultipleObjects,
    NtWaitForSingleObject, NtYieldExecution,
};
use crate::layout::Plain;
use crate::scratch::{Buffer, Scratch};
use nt::access::Access;
use nt::system::{Created, DirectoryEntry, Objects, Timeout, Wait};
use nt::{Handle, ObjectAttributes, Result, Status, UnicodeStr};
use ntapi::ntobapi::OBJECT_DIRECTORY_INFORMATION;
use winapi::shared::ntdef::{
    HANDLE, LARGE_INTEGER, NTSTATUS, NotificationEvent, OBJECT_ATTRIBUTES, UNICODE_STRING, WaitAny,
};

/// `STATUS_MORE_ENTRIES`: the directory goes on where the buffer ended.
const MORE_ENTRIES: Status = Status::new(0x105);
/// NtWaitForMultipleObjects answers with an index from here on for a mutant whose owner died.
const ABANDONED: u32 = 0x80;
const MAXIMUM_WAIT_OBJECTS: usize = 64;

/// A service that opens or creates a named object: handle out, access, attributes in.
pub(crate) type Opener =
    unsafe extern "system" fn(*mut HANDLE, u32, *mut OBJECT_ATTRIBUTES) -> NTSTATUS;

/// Calls an [`Opener`].
///
/// # Safety
/// `service` must be a system service that writes nothing but the handle and keeps none of its
/// pointers.
pub(crate) unsafe fn open(
    service: Opener,
    attributes: &ObjectAttributes<'_>,
    access: Access,
) -> Result<Created> {
    let mut named = Named::new(attributes);
    let mut object = core::ptr::null_mut();
    // SAFETY: the out-pointer is a live local, the attributes borrow from the caller for the call;
    // the rest is the caller's promise.
    let answer = status(unsafe { service(&raw mut object, access.bits(), named.pointer()?) });
    answer.ok()?;
    Ok(Created {
        handle: handle(object),
        existed: answer == Status::OBJECT_NAME_EXISTS,
    })
}

/// A time out as the waits take it: relative, in units of 100 ns, negative; no pointer for ever.
struct Interval(LARGE_INTEGER);

impl Interval {
    fn milliseconds(milliseconds: u32) -> Self {
        let mut units = LARGE_INTEGER::zero();
        // SAFETY: writes the field that covers the whole union.
        *unsafe { units.QuadPart_mut() } = -10_000 * i64::from(milliseconds);
        Self(units)
    }
}

fn interval(timeout: Timeout) -> Option<Interval> {
    match timeout {
        Timeout::Never => None,
        Timeout::Milliseconds(milliseconds) => Some(Interval::milliseconds(milliseconds)),
    }
}

fn pointer(interval: &mut Option<Interval>) -> *mut LARGE_INTEGER {
    interval
        .as_mut()
        .map_or(core::ptr::null_mut(), |interval| &raw mut interval.0)
}

/// How a wait for `count` objects ended.
fn waited(answer: Status, count: usize) -> Result<Wait> {
    answer.ok()?;
    if answer == Status::TIMEOUT {
        return Ok(Wait::Timeout);
    }
    let index = if answer.code() >= ABANDONED {
        answer.code().wrapping_sub(ABANDONED)
    } else {
        answer.code()
    };
    if (index as usize) < count {
        Ok(Wait::Object(index as usize))
    } else {
        // It was not alertable, and an error must not be a code of success.
        Err(Status::UNSUCCESSFUL)
    }
}

/// Gives up the processor, for [`nt::lock`].
pub(crate) fn yield_processor() {
    // SAFETY: takes nothing and touches no memory. That no other thread wanted to run is no error.
    let _ = unsafe { NtYieldExecution() };
}

impl Objects for Native {
    fn close(self, handle: Handle) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtClose(raw(handle)) })
    }

    fn duplicate(
        self,
        source: Handle,
        object: Handle,
        target: Handle,
        access: Access,
    ) -> Result<Handle> {
        let mut copy = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local.
        done(unsafe {
            NtDuplicateObject(
                raw(source),
                raw(object),
                raw(target),
                &raw mut copy,
                access.bits(),
                0,
                0,
            )
        })?;
        Ok(handle(copy))
    }

    fn make_temporary(self, handle: Handle) -> Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { NtMakeTemporaryObject(raw(handle)) })
    }

    fn create_directory(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Created> {
        // SAFETY: an opener.
        unsafe { open(NtCreateDirectoryObject, attributes, access) }
    }

    fn open_directory(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle> {
        // SAFETY: an opener.
        Ok(unsafe { open(NtOpenDirectoryObject, attributes, access) }?.handle)
    }

    fn query_directory(
        self,
        directory: Handle,
        visit: &mut dyn FnMut(DirectoryEntry<'_>) -> bool,
    ) -> Result<()> {
        // One entry is at most two strings of 64 KiB; that much is asked for only when a page's
        // quarter does not hold a single one.
        const LARGEST: usize = 0x2_0100;
        let mut near = Scratch::<0x400>::new();
        let mut storage = Buffer::new(&mut near, 0)?;
        let mut context = 0;
        loop {
            let bytes = storage.bytes();
            let first = bytes.as_mut_ptr();
            // SAFETY: the buffer is as long as said, aligned to 8, and outlives the call; the
            // context is a live local.
            let answer = status(unsafe {
                NtQueryDirectoryObject(
                    raw(directory),
                    first.cast(),
                    length(bytes.len())?,
                    0,
                    0,
                    &raw mut context,
                    core::ptr::null_mut(),
                )
            });
            if answer == Status::NO_MORE_ENTRIES {
                return Ok(());
            }
            answer.ok()?;
            let mut seen = 0_usize;
            while let Some((entry, next)) = entry_at(bytes, seen)? {
                seen = next;
                if !visit(entry) {
                    return Ok(());
                }
            }
            if answer != MORE_ENTRIES {
                return Ok(());
            }
            if seen == 0 {
                match storage {
                    Buffer::Stack(_) => storage = Buffer::Pages(crate::Pages::allocate(LARGEST)?),
                    Buffer::Pages(_) => return Err(Status::BUFFER_TOO_SMALL),
                }
            }
        }
    }

    fn create_symbolic_link(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
        target: UnicodeStr<'_>,
    ) -> Result<Created> {
        let mut named = Named::new(attributes);
        let mut target = counted(target)?;
        let mut link = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local; attributes and target borrow from the caller for
        // the call.
        let answer = status(unsafe {
            NtCreateSymbolicLinkObject(
                &raw mut link,
                access.bits(),
                named.pointer()?,
                target.pointer(),
            )
        });
        answer.ok()?;
        Ok(Created {
            handle: handle(link),
            existed: answer == Status::OBJECT_NAME_EXISTS,
        })
    }

    fn open_symbolic_link(
        self,
        attributes: &ObjectAttributes<'_>,
        access: Access,
    ) -> Result<Handle> {
        // SAFETY: an opener.
        Ok(unsafe { open(NtOpenSymbolicLinkObject, attributes, access) }?.handle)
    }

    fn query_symbolic_link<'b>(
        self,
        link: Handle,
        buffer: &'b mut [u16],
    ) -> Result<UnicodeStr<'b>> {
        let maximum = u16::try_from(size_of_val(buffer)).unwrap_or(0xFFFE);
        let mut target = UNICODE_STRING {
            Length: 0,
            MaximumLength: maximum,
            Buffer: buffer.as_mut_ptr(),
        };
        // SAFETY: the string describes no more than the buffer, which is borrowed for writing.
        done(unsafe {
            NtQuerySymbolicLinkObject(raw(link), &raw mut target, core::ptr::null_mut())
        })?;
        buffer
            .get(..usize::from(target.Length) / 2)
            .map(UnicodeStr)
            .ok_or(Status::BUFFER_TOO_SMALL)
    }

    fn create_event(self, attributes: &ObjectAttributes<'_>, access: Access) -> Result<Handle> {
        let mut named = Named::new(attributes);
        let mut event = core::ptr::null_mut();
        // SAFETY: the out-pointer is a live local; the attributes borrow from the caller for the
        // call.
        done(unsafe {
            NtCreateEvent(
                &raw mut event,
                access.bits(),
                named.pointer()?,
                NotificationEvent,
                0,
            )
        })?;
        Ok(handle(event))
    }

    fn set_event(self, event: Handle) -> Result<()> {
        // SAFETY: the out-pointer is optional.
        done(unsafe { NtSetEvent(raw(event), core::ptr::null_mut()) })
    }

    fn wait_one(self, object: Handle, timeout: Timeout) -> Result<Wait> {
        let mut interval = interval(timeout);
        // SAFETY: the time out is null or a live local.
        waited(
            status(unsafe { NtWaitForSingleObject(raw(object), 0, pointer(&mut interval)) }),
            1,
        )
    }

    fn wait_any(self, objects: &[Handle], timeout: Timeout) -> Result<Wait> {
        if objects.is_empty() || objects.len() > MAXIMUM_WAIT_OBJECTS {
            return Err(Status::INVALID_PARAMETER_1);
        }
        let mut interval = interval(timeout);
        // A handle is a transparent 64-bit number, which is what the service reads.
        let first = objects.as_ptr().cast_mut().cast();
        // SAFETY: the array is as long as said and only read; the time out is null or a live local.
        let answer = unsafe {
            NtWaitForMultipleObjects(
                length(objects.len())?,
                first,
                WaitAny,
                0,
                pointer(&mut interval),
            )
        };
        waited(status(answer), objects.len())
    }

    fn delay(self, milliseconds: u32) -> Result<()> {
        let mut interval = Interval::milliseconds(milliseconds);
        // SAFETY: the interval is a live local.
        done(unsafe { NtDelayExecution(0, &raw mut interval.0) })
    }
}

/// The entry at byte `at` of what NtQueryDirectoryObject wrote, and where the next one is; `None`
/// at the empty entry that ends the array.
fn entry_at(bytes: &[u8], at: usize) -> Result<Option<(DirectoryEntry<'_>, usize)>> {
    let Some(end) = at.checked_add(size_of::<OBJECT_DIRECTORY_INFORMATION>()) else {
        return Ok(None);
    };
    let Some(entry) = bytes.get(at..end) else {
        return Ok(None);
    };
    // SAFETY: as many bytes as the structure has, and any bytes are one.
    let entry = unsafe {
        entry
            .as_ptr()
            .cast::<OBJECT_DIRECTORY_INFORMATION>()
            .read_unaligned()
    };
    if entry.Name.Buffer.is_null() {
        return Ok(None);
    }
    let name = text_in(bytes, &entry.Name)?;
    let type_name = text_in(bytes, &entry.TypeName)?;
    Ok(Some((DirectoryEntry { name, type_name }, end)))
}

/// The units of a string that the kernel says lies inside `bytes`.
fn text_in<'a>(bytes: &'a [u8], text: &UNICODE_STRING) -> Result<UnicodeStr<'a>> {
    let start = text.Buffer.addr().wrapping_sub(bytes.as_ptr().addr());
    let end = start
        .checked_add(usize::from(text.Length))
        .ok_or(Status::INVALID_PARAMETER)?;
    let inside = bytes.get(start..end).ok_or(Status::INVALID_PARAMETER)?;
    // SAFETY: any bytes are units; what is not aligned comes out as a head and is refused.
    let (head, units, tail) = unsafe { inside.align_to::<u16>() };
    if head.is_empty() && tail.is_empty() {
        Ok(UnicodeStr(units))
    } else {
        Err(Status::DATATYPE_MISALIGNMENT)
    }
}
