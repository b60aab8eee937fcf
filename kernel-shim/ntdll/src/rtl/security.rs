// SPDX-License-Identifier: GPL-2.0-or-later
//! SIDs, ACLs and security descriptors, as bytes in the caller's memory.

use crate::heap::{RtlAllocateHeap, RtlFreeHeap, handle};
use nt::Status;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{BOOLEAN, NTSTATUS, ULONG};
use winapi::um::winnt::{
    ACCESS_ALLOWED_ACE_TYPE, ACL, SE_DACL_DEFAULTED, SE_DACL_PRESENT, SECURITY_DESCRIPTOR,
};

/// Revisions of a SID, of an ACL without and with object ACEs, of a descriptor.
const SID_REVISION: u8 = 1;
const ACL_REVISIONS: core::ops::RangeInclusive<u8> = 2..=4;
const DESCRIPTOR_REVISION: u8 = 1;
const MAXIMUM_SUB_AUTHORITIES: u8 = 15;
/// Header of an ACE and its access mask, before the SID.
const ACE_FIXED: usize = 8;

const REVISION_MISMATCH: Status = Status::new(0xC000_0059);
const ALLOTTED_SPACE_EXCEEDED: Status = Status::new(0xC000_0099);
const UNKNOWN_REVISION: Status = Status::new(0xC000_0058);

const _: () = assert!(size_of::<ACL>() == 8);
const _: () = assert!(size_of::<SECURITY_DESCRIPTOR>() == nt::by_width(0x28, 0x14));

fn answer(status: Status) -> NTSTATUS {
    status.code().cast_signed()
}

/// Bytes of a SID with so many sub-authorities.
fn sid_bytes(count: u8) -> usize {
    8 + 4 * usize::from(count)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlLengthRequiredSid(count: ULONG) -> ULONG {
    8u32.wrapping_add(count.wrapping_mul(4))
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlLengthSid(sid: *const u8) -> ULONG {
    // SAFETY: the second byte of the caller's SID is its count.
    sid_bytes(unsafe { sid.wrapping_add(1).read() }) as ULONG
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAllocateAndInitializeSid(
    authority: *const [u8; 6],
    count: u8,
    sub0: ULONG,
    sub1: ULONG,
    sub2: ULONG,
    sub3: ULONG,
    sub4: ULONG,
    sub5: ULONG,
    sub6: ULONG,
    sub7: ULONG,
    sid: &mut *mut c_void,
) -> NTSTATUS {
    let sub = [sub0, sub1, sub2, sub3, sub4, sub5, sub6, sub7];
    if usize::from(count) > sub.len() {
        return answer(Status::INVALID_SID);
    }
    // SAFETY: an allocation like any other.
    let new = unsafe { RtlAllocateHeap(handle(), 0, sid_bytes(count)) }.cast::<u8>();
    if new.is_null() {
        return answer(Status::NO_MEMORY);
    }
    // SAFETY: the new block has room for all of it.
    unsafe { new.cast::<[u8; 2]>().write([SID_REVISION, count]) };
    // SAFETY: the block has room for a SID of `count`; the authority has six bytes.
    unsafe { core::ptr::copy_nonoverlapping(authority.cast(), new.wrapping_add(2), 6) };
    // SAFETY: the block has room for `count` sub-authorities, and `sub` has as many.
    unsafe {
        core::ptr::copy_nonoverlapping(sub.as_ptr(), new.wrapping_add(8).cast(), usize::from(count))
    };
    *sid = new.cast();
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlFreeSid(sid: *mut c_void) -> *mut c_void {
    // SAFETY: the caller gives back what RtlAllocateAndInitializeSid gave.
    unsafe { RtlFreeHeap(handle(), 0, sid) };
    core::ptr::null_mut()
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateAcl(acl: *mut ACL, bytes: ULONG, revision: ULONG) -> NTSTATUS {
    if (bytes as usize) < size_of::<ACL>() {
        return answer(Status::BUFFER_TOO_SMALL);
    }
    let (Ok(revision), Ok(bytes)) = (u8::try_from(revision), u16::try_from(bytes)) else {
        return answer(Status::INVALID_PARAMETER);
    };
    if !ACL_REVISIONS.contains(&revision) {
        return answer(Status::INVALID_PARAMETER);
    }
    // SAFETY: the caller's memory has that many bytes.
    unsafe {
        acl.write(ACL {
            AclRevision: revision,
            Sbz1: 0,
            AclSize: bytes & !3,
            AceCount: 0,
            Sbz2: 0,
        })
    };
    0
}

/// Offset of the ACE with this index, or of the end of the last one.
///
/// # Safety
/// `acl` must be an ACL with as many bytes as it says.
unsafe fn ace_offset(acl: *const ACL, index: u16) -> Option<usize> {
    // SAFETY: the caller's promise.
    let size = usize::from(unsafe { (*acl).AclSize });
    let mut at = size_of::<ACL>();
    for _ in 0..index {
        if at + 4 > size {
            return None;
        }
        // SAFETY: inside the ACL; the third and fourth byte of an ACE are its size.
        let bytes = unsafe {
            acl.cast::<u8>()
                .wrapping_add(at + 2)
                .cast::<u16>()
                .read_unaligned()
        };
        at += usize::from(bytes);
    }
    (at <= size).then_some(at)
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAddAccessAllowedAce(
    acl: *mut ACL,
    revision: ULONG,
    mask: ULONG,
    sid: *const u8,
) -> NTSTATUS {
    // SAFETY: the first two bytes of the caller's SID, of which the second says how many follow.
    let [sid_revision, count] = unsafe { sid.cast::<[u8; 2]>().read() };
    if sid_revision != SID_REVISION || count > MAXIMUM_SUB_AUTHORITIES {
        return answer(Status::INVALID_SID);
    }
    let Some(revision) = u8::try_from(revision)
        .ok()
        .filter(|revision| ACL_REVISIONS.contains(revision))
    else {
        return answer(REVISION_MISMATCH);
    };
    // SAFETY: the caller's ACL, of which this copies the head. What follows it is reached by the
    // caller's pointer alone: a reference to the head would not reach that far.
    let mut head = unsafe { acl.read() };
    // SAFETY: the caller's ACL has as many bytes as it says.
    let Some(at) = (unsafe { ace_offset(acl, head.AceCount) }) else {
        return answer(Status::INVALID_ACL);
    };
    let bytes = ACE_FIXED + sid_bytes(count);
    if at + bytes > usize::from(head.AclSize) {
        return answer(ALLOTTED_SPACE_EXCEEDED);
    }
    let ace = acl.cast::<u8>().wrapping_add(at);
    // SAFETY: the ACL has room for the ACE, checked above.
    unsafe { ace.cast::<[u8; 2]>().write([ACCESS_ALLOWED_ACE_TYPE, 0]) };
    // SAFETY: bytes 2 and 3 of the ACE, for which the ACL has room.
    unsafe {
        ace.wrapping_add(2)
            .cast::<u16>()
            .write_unaligned(bytes as u16)
    };
    // SAFETY: bytes 4 to 7 of the ACE, for which the ACL has room.
    unsafe { ace.wrapping_add(4).cast::<u32>().write_unaligned(mask) };
    // SAFETY: the ACE ends with room for the SID, which is as long as its count says.
    unsafe { core::ptr::copy_nonoverlapping(sid, ace.wrapping_add(ACE_FIXED), sid_bytes(count)) };
    head.AceCount += 1;
    head.AclRevision = head.AclRevision.max(revision);
    // SAFETY: the head of the caller's ACL.
    unsafe { acl.write(head) };
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlGetAce(
    acl: *mut ACL,
    index: ULONG,
    ace: &mut *mut c_void,
) -> NTSTATUS {
    // SAFETY: the head of the caller's ACL.
    let count = unsafe { (*acl).AceCount };
    let Some(index) = u16::try_from(index).ok().filter(|&index| index < count) else {
        return answer(Status::INVALID_PARAMETER);
    };
    // SAFETY: the caller's ACL has as many bytes as it says.
    match unsafe { ace_offset(acl, index) } {
        Some(at) => {
            *ace = acl.cast::<u8>().wrapping_add(at).cast();
            0
        }
        None => answer(Status::INVALID_PARAMETER),
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateSecurityDescriptor(
    descriptor: *mut SECURITY_DESCRIPTOR,
    revision: ULONG,
) -> NTSTATUS {
    if revision != u32::from(DESCRIPTOR_REVISION) {
        return answer(UNKNOWN_REVISION);
    }
    let none = core::ptr::null_mut();
    // SAFETY: the caller's new descriptor.
    unsafe {
        descriptor.write(SECURITY_DESCRIPTOR {
            Revision: DESCRIPTOR_REVISION,
            Sbz1: 0,
            Control: 0,
            Owner: none,
            Group: none,
            Sacl: core::ptr::null_mut(),
            Dacl: core::ptr::null_mut(),
        });
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlSetDaclSecurityDescriptor(
    descriptor: &mut SECURITY_DESCRIPTOR,
    present: BOOLEAN,
    dacl: *mut ACL,
    defaulted: BOOLEAN,
) -> NTSTATUS {
    const SELF_RELATIVE: u16 = 0x8000;
    if descriptor.Revision != DESCRIPTOR_REVISION {
        return answer(UNKNOWN_REVISION);
    }
    if descriptor.Control & SELF_RELATIVE != 0 {
        return answer(Status::INVALID_SECURITY_DESCR);
    }
    descriptor.Control &= !(SE_DACL_PRESENT | SE_DACL_DEFAULTED);
    if present != 0 {
        descriptor.Control |= SE_DACL_PRESENT | if defaulted != 0 { SE_DACL_DEFAULTED } else { 0 };
        descriptor.Dacl = dacl;
    }
    0
}
