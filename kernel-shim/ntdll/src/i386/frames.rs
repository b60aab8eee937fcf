// SPDX-License-Identifier: GPL-2.0-or-later
//! Frame-based exception handling: the chain of registrations that begins at FS:0.
//!
//! A registration lies in the frame of the function that made it: the address of the next one, farther
//! up the stack, and that of its handler. A handler is asked whether it takes an exception, and once more,
//! with a flag, when its frame is given up ([`RtlUnwind`]). Each call of one is made under a registration
//! of this DLL's own, so that an exception in a handler is known for what it is.
//!
//! Invariant: no registration is read that is not whole in the thread's stack.

use super::capture::{RtlCaptureContext, callers_context};
use super::teb;
use crate::exception::{raise_behind, raise_status};
use core::arch::naked_asm;
use core::mem::offset_of;
use nt::Status;
use ntapi::ntxcapi::{NtContinue, NtRaiseException};
use winapi::ctypes::c_void;
use winapi::um::winnt::{CONTEXT, EXCEPTION_NONCONTINUABLE, EXCEPTION_RECORD};

/// Flags of a record beside EXCEPTION_NONCONTINUABLE.
const UNWINDING: u32 = 2;
const EXIT_UNWIND: u32 = 4;
const STACK_INVALID: u32 = 8;
const NESTED_CALL: u32 = 0x10;

/// What a handler answers (EXCEPTION_DISPOSITION).
const CONTINUE_EXECUTION: u32 = 0;
const CONTINUE_SEARCH: u32 = 1;
const NESTED: u32 = 2;
const COLLIDED: u32 = 3;

/// What is raised about the handling itself.
const INVALID_DISPOSITION: Status = Status::new(0xC000_0026);
const BAD_STACK: Status = Status::new(0xC000_0028);
const INVALID_UNWIND_TARGET: Status = Status::new(0xC000_0029);
/// The code of an unwinding that nothing was the reason of.
const UNWIND: Status = Status::new(0xC000_0027);

/// Where the chain ends.
const END: usize = usize::MAX;
/// Bytes of RtlUnwind's arguments.
const ARGUMENTS: u32 = 16;

/// What stands in a frame: the next registration, and the handler.
#[derive(Clone, Copy)]
#[repr(C)]
struct Registration {
    next: usize,
    handler: usize,
}

/// Raises `code` about the handling of another exception.
fn raise_about(code: Status, other: &mut EXCEPTION_RECORD) -> ! {
    raise_behind(code.code().cast_signed(), other)
}

/// The registration at `frame`; none where no stack is.
fn registration(frame: usize) -> Option<Registration> {
    // SAFETY: a thread's TEB is there for as long as it runs.
    let stack = unsafe { &raw const (*teb()).NtTib };
    // SAFETY: the same; the kernel moves the limit alone.
    let stack = unsafe { stack.read() };
    let (low, high) = (stack.StackLimit.addr(), stack.StackBase.addr());
    let end = frame.checked_add(size_of::<Registration>())?;
    if frame < low || end > high || !frame.is_multiple_of(size_of::<usize>()) {
        return None;
    }
    let place = core::ptr::with_exposed_provenance::<Registration>(frame);
    // SAFETY: inside this thread's stack, which is committed from its limit on.
    Some(unsafe { place.read() })
}

/// The first registration's address.
fn first() -> usize {
    // SAFETY: as above.
    unsafe { (*teb()).NtTib.ExceptionList.addr() }
}

/// What the handler of `frame` answers; for `collision`, also the frame that the other exception or unwinding
/// had come to.
fn answer(
    record: &mut EXCEPTION_RECORD,
    frame: usize,
    context: &mut CONTEXT,
    registration: Registration,
    collision: u32,
) -> (u32, usize) {
    let mut other = 0;
    let handler = registration.handler;
    // SAFETY: the handler of a registration in this thread's stack; record and context live for the
    // call.
    let answer = unsafe { ask(record, frame, context, &mut other, handler, collision) };
    (answer, other)
}

/// Asks the handlers from the innermost frame on whether one takes the exception; then the thread goes on
/// in `context`.
pub(crate) fn dispatch(record: &mut EXCEPTION_RECORD, context: &mut CONTEXT) -> bool {
    let mut frame = first();
    // The outermost frame whose handler is being asked about an exception that this one came in.
    let mut nested = 0;
    while frame != END {
        let Some(registration) = registration(frame) else {
            record.ExceptionFlags |= STACK_INVALID;
            return false;
        };
        let (answer, other) = answer(record, frame, context, registration, NESTED);
        if frame == nested {
            record.ExceptionFlags &= !NESTED_CALL;
            nested = 0;
        }
        match answer {
            CONTINUE_EXECUTION if record.ExceptionFlags & EXCEPTION_NONCONTINUABLE != 0 => {
                raise_about(Status::NONCONTINUABLE_EXCEPTION, record)
            }
            CONTINUE_EXECUTION => return true,
            CONTINUE_SEARCH if record.ExceptionFlags & STACK_INVALID != 0 => return false,
            CONTINUE_SEARCH => {}
            NESTED => {
                record.ExceptionFlags |= NESTED_CALL;
                nested = nested.max(other);
            }
            _ => raise_about(INVALID_DISPOSITION, record),
        }
        frame = registration.next;
    }
    false
}

/// Gives up the frames below `target`, or all without one, and returns `value` to the caller. `_place`
/// has no meaning on this machine.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "system" fn RtlUnwind(
    target: *mut c_void,
    _place: *mut c_void,
    record: *mut EXCEPTION_RECORD,
    value: *mut c_void,
) {
    naked_asm!(
        callers_context!(),
        "mov eax, [ebp + 20]",
        "mov [edx + {eax}], eax",
        "push edx",
        "push dword ptr [ebp + 16]",
        "push dword ptr [ebp + 8]",
        "call {unwind}",
        "int3",
        ".cfi_endproc",
        context = const size_of::<CONTEXT>(),
        capture = sym RtlCaptureContext,
        unwind = sym unwind,
        arguments = const ARGUMENTS,
        eax = const offset_of!(CONTEXT, Eax),
        ebp = const offset_of!(CONTEXT, Ebp),
        esp = const offset_of!(CONTEXT, Esp),
        eip = const offset_of!(CONTEXT, Eip),
    )
}

/// The same, with the context to go on in.
unsafe extern "system" fn unwind(
    target: usize,
    given: *mut EXCEPTION_RECORD,
    context: *mut CONTEXT,
) -> ! {
    // SAFETY: the context is that of RtlUnwind's frame, which is not left.
    let context = unsafe { &mut *context };
    let mut own = EXCEPTION_RECORD {
        ExceptionCode: UNWIND.code(),
        ExceptionFlags: 0,
        ExceptionRecord: core::ptr::null_mut(),
        ExceptionAddress: core::ptr::with_exposed_provenance_mut(context.Eip as usize),
        NumberParameters: 0,
        ExceptionInformation: [0; 15],
    };
    // SAFETY: the caller's record lives for the call; only handlers write it meanwhile.
    let record = unsafe { given.as_mut() }.unwrap_or(&mut own);
    record.ExceptionFlags |= UNWINDING | if target == 0 { EXIT_UNWIND } else { 0 };
    loop {
        let mut frame = first();
        if frame == target || frame == END {
            break;
        }
        if target != 0 && frame > target {
            raise_about(INVALID_UNWIND_TARGET, record);
        }
        let Some(mut registration) = registration(frame) else {
            raise_about(BAD_STACK, record)
        };
        let (answer, other) = answer(record, frame, context, registration, COLLIDED);
        match answer {
            CONTINUE_SEARCH => {}
            COLLIDED => {
                // Another unwinding had come as far as there.
                frame = other;
                if let Some(at) = self::registration(frame) {
                    registration = at;
                }
            }
            _ => raise_about(INVALID_DISPOSITION, record),
        }
        let next = core::ptr::with_exposed_provenance_mut(registration.next);
        // SAFETY: this thread's own list, from which its first frame goes.
        unsafe { (*teb()).NtTib.ExceptionList = next };
    }
    let answer = if first() == target || target == 0 {
        // SAFETY: a captured context, possibly changed by a handler that answers for it.
        unsafe { NtContinue(context, 0) }
    } else {
        // There is no such frame: nobody can take what led here.
        // SAFETY: the same, and the record of the caller or of this frame.
        unsafe { NtRaiseException(record, context, 0) }
    };
    // Neither returns when it succeeds.
    raise_status(answer)
}

/// Calls a handler, under a registration that answers `collision` to an exception, or to an unwinding, that
/// happens in it, with the frame that the handler serves.
#[unsafe(naked)]
unsafe extern "system" fn ask(
    record: *mut EXCEPTION_RECORD,
    frame: usize,
    context: *mut CONTEXT,
    other: *mut usize,
    handler: usize,
    collision: u32,
) -> u32 {
    naked_asm!(
        frame_pointer_begins!(),
        "push ebx",
        "push esi",
        "push edi",
        ".cfi_offset ebx, -12",
        ".cfi_offset esi, -16",
        ".cfi_offset edi, -20",
        "push dword ptr [ebp + 28]",
        "push dword ptr [ebp + 12]",
        "mov eax, offset {inside}",
        "push eax",
        "push dword ptr fs:[0]",
        "mov fs:[0], esp",
        "push dword ptr [ebp + 20]",
        "push dword ptr [ebp + 16]",
        "push dword ptr [ebp + 12]",
        "push dword ptr [ebp + 8]",
        "call dword ptr [ebp + 24]",
        // Whatever the handler has left there.
        "mov esp, fs:[0]",
        "pop dword ptr fs:[0]",
        "lea esp, [ebp - 12]",
        "pop edi",
        "pop esi",
        "pop ebx",
        "pop ebp",
        "ret 24",
        ".cfi_endproc",
        inside = sym inside,
    )
}

/// The handler of that registration: it answers with what is behind it, if the record is of the kind that
/// this tells of, and lets the others pass.
#[unsafe(naked)]
unsafe extern "C" fn inside() {
    naked_asm!(
        "mov eax, [esp + 4]",
        "mov ecx, [esp + 8]",
        "xor edx, edx",
        "test dword ptr [eax + {flags}], {unwinding}",
        "setnz dl",
        // 2 to an exception, 3 to an unwinding.
        "add edx, 2",
        "mov eax, {search}",
        "cmp edx, [ecx + 12]",
        "jne 2f",
        "mov eax, edx",
        "mov edx, [esp + 16]",
        "mov ecx, [ecx + 8]",
        "mov [edx], ecx",
        "2:",
        "ret",
        flags = const offset_of!(EXCEPTION_RECORD, ExceptionFlags),
        unwinding = const UNWINDING | EXIT_UNWIND,
        search = const CONTINUE_SEARCH,
    )
}

const _: () = assert!(NESTED == 2 && COLLIDED == 3);
