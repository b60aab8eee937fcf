// SPDX-License-Identifier: GPL-2.0-or-later
//! Process parameters: one block, whose strings are offsets while it travels and pointers while it
//! is used (spec 8.3, 13.4).

use crate::heap::{RtlAllocateHeap, RtlFreeHeap, handle};
use crate::support::{PARAMETERS_SIZE, peb, status};
use nt::Status;
use ntapi::ntrtl::{RTL_USER_PROC_PARAMS_NORMALIZED, RTL_USER_PROCESS_PARAMETERS};
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{NTSTATUS, UNICODE_STRING};
use winapi::um::winnt::HEAP_ZERO_MEMORY;

/// Room for the current directory: MAX_PATH units.
const DIRECTORY_BYTES: usize = 260 * 2;

type Block = *mut RTL_USER_PROCESS_PARAMETERS;

/// The block's eight strings.
///
/// # Safety
/// `block` must be a parameter block.
unsafe fn strings(block: Block) -> [*mut UNICODE_STRING; 8] {
    #[allow(
        clippy::multiple_unsafe_ops_per_block,
        reason = "eight times the same operation"
    )]
    // SAFETY: addresses of fields of the caller's block.
    unsafe {
        [
            &raw mut (*block).CurrentDirectory.DosPath,
            &raw mut (*block).DllPath,
            &raw mut (*block).ImagePathName,
            &raw mut (*block).CommandLine,
            &raw mut (*block).WindowTitle,
            &raw mut (*block).DesktopInfo,
            &raw mut (*block).ShellInfo,
            &raw mut (*block).RuntimeData,
        ]
    }
}

/// # Safety
/// `block` must be null or a parameter block.
unsafe fn rebase(block: Block, normalize: bool) -> Block {
    if block.is_null() {
        return block;
    }
    // SAFETY: a field of the caller's block.
    let flags = unsafe { &mut (*block).Flags };
    if (*flags & RTL_USER_PROC_PARAMS_NORMALIZED != 0) == normalize {
        return block;
    }
    *flags ^= RTL_USER_PROC_PARAMS_NORMALIZED;
    // SAFETY: a parameter block.
    for string in unsafe { strings(block) } {
        // SAFETY: a field of it.
        let buffer = unsafe { &mut (*string).Buffer };
        if !buffer.is_null() {
            let address = if normalize {
                block.addr().wrapping_add(buffer.addr())
            } else {
                buffer.addr().wrapping_sub(block.addr())
            };
            *buffer = if normalize {
                block.with_addr(address).cast()
            } else {
                core::ptr::without_provenance_mut(address)
            };
        }
    }
    block
}

#[unsafe(no_mangle)]
pub(crate) unsafe extern "system" fn RtlNormalizeProcessParams(block: Block) -> Block {
    // SAFETY: the caller's promise.
    unsafe { rebase(block, true) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlDeNormalizeProcessParams(block: Block) -> Block {
    // SAFETY: the caller's promise.
    unsafe { rebase(block, false) }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlDestroyProcessParameters(block: Block) -> NTSTATUS {
    // SAFETY: the caller gives back what RtlCreateProcessParameters gave.
    unsafe { RtlFreeHeap(handle(), 0, block.cast()) };
    0
}

/// A string to be copied into a block: from where, and how much room it gets there.
struct Piece {
    from: UNICODE_STRING,
    room: usize,
}

impl Piece {
    /// # Safety
    /// `from` must be null or a string of the caller's.
    unsafe fn new(from: *const UNICODE_STRING, room: Option<usize>) -> Result<Self, Status> {
        // SAFETY: the caller's promise.
        let from = unsafe { from.as_ref() }.copied();
        let from = from.unwrap_or(UNICODE_STRING {
            Length: 0,
            MaximumLength: 2,
            Buffer: core::ptr::null_mut(),
        });
        let needed = usize::from(from.Length) + 2;
        let room = room.unwrap_or_else(|| usize::from(from.MaximumLength).max(needed));
        if needed > room || needed > 0xFFFE {
            return Err(Status::NAME_TOO_LONG);
        }
        Ok(Self {
            from,
            room: room.next_multiple_of(8),
        })
    }
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlCreateProcessParameters(
    block: &mut Block,
    image: *const UNICODE_STRING,
    dll_path: *const UNICODE_STRING,
    directory: *const UNICODE_STRING,
    command_line: *const UNICODE_STRING,
    environment: *mut c_void,
    title: *const UNICODE_STRING,
    desktop: *const UNICODE_STRING,
    shell: *const UNICODE_STRING,
    runtime: *const UNICODE_STRING,
) -> NTSTATUS {
    // SAFETY: the PEB lives as long as the process.
    let own = unsafe { (*peb()).ProcessParameters };
    if own.is_null() {
        // A process that was made without any has nothing to hand on.
        return status(Err(Status::INVALID_PARAMETER));
    }
    // SAFETY: the process's own block, normalised at start and never freed.
    let own_strings = unsafe { strings(own) };
    let or_own = |given: *const UNICODE_STRING, own: *mut UNICODE_STRING| {
        if given.is_null() {
            own.cast_const()
        } else {
            given
        }
    };
    let [own_directory, own_dll_path, ..] = own_strings;
    let from = [
        or_own(directory, own_directory),
        or_own(dll_path, own_dll_path),
        image,
        command_line,
        title,
        desktop,
        shell,
        runtime,
    ];
    let mut pieces = [const { None }; 8];
    let mut size = PARAMETERS_SIZE;
    for (index, (place, from)) in pieces.iter_mut().zip(from).enumerate() {
        // The directory may change while the process runs and has room for it.
        let room = (index == 0).then_some(DIRECTORY_BYTES);
        // SAFETY: null, or a string of the caller's.
        match unsafe { Piece::new(from, room) } {
            Ok(piece) => {
                size += piece.room;
                *place = Some(piece);
            }
            Err(error) => return status(Err(error)),
        }
    }
    // SAFETY: an allocation like any other.
    let new: Block = unsafe { RtlAllocateHeap(handle(), HEAP_ZERO_MEMORY, size) }.cast();
    if new.is_null() {
        return status(Err(Status::INSUFFICIENT_RESOURCES));
    }
    #[allow(
        clippy::multiple_unsafe_ops_per_block,
        reason = "fields of one new block"
    )]
    // SAFETY: the block is zeroed and at least as long as the structure of NT 5.2, whose fields
    // alone are written.
    unsafe {
        (*new).MaximumLength = size as u32;
        (*new).Length = size as u32;
        (*new).Flags = RTL_USER_PROC_PARAMS_NORMALIZED;
        (*new).Environment = if environment.is_null() {
            (*own).Environment
        } else {
            environment
        };
        (*new).CurrentDirectory.Handle = (*own).CurrentDirectory.Handle;
        (*new).ConsoleHandle = (*own).ConsoleHandle;
        (*new).ConsoleFlags = (*own).ConsoleFlags;
    }
    let mut at = PARAMETERS_SIZE;
    // SAFETY: a parameter block.
    for (string, piece) in unsafe { strings(new) }
        .into_iter()
        .zip(pieces.into_iter().flatten())
    {
        let buffer = new.cast::<u8>().wrapping_add(at).cast::<u16>();
        let bytes = usize::from(piece.from.Length);
        if bytes != 0 {
            // SAFETY: the piece has room for its bytes and a NUL behind them, which is there
            // already.
            unsafe {
                core::ptr::copy_nonoverlapping(
                    piece.from.Buffer.cast::<u8>(),
                    buffer.cast::<u8>(),
                    bytes,
                )
            };
        }
        // SAFETY: a field of the new block.
        unsafe {
            string.write(UNICODE_STRING {
                Length: piece.from.Length,
                // A string of the greatest length gets a few bytes more than can be said.
                MaximumLength: piece.room.min(0xFFFE) as u16,
                Buffer: buffer,
            })
        };
        at += piece.room;
    }
    // SAFETY: a field of the new block.
    let directory = unsafe { &mut (*new).CurrentDirectory.DosPath };
    // SAFETY: it has the room.
    unsafe { end_directory(directory) };
    // SAFETY: the new block.
    *block = unsafe { rebase(new, false) };
    0
}

/// A directory ends with a backslash.
///
/// # Safety
/// `directory` must be a string with [`DIRECTORY_BYTES`] of room.
unsafe fn end_directory(directory: &mut UNICODE_STRING) {
    let units = usize::from(directory.Length) / 2;
    if units == 0 || units + 1 >= DIRECTORY_BYTES / 2 {
        return;
    }
    // SAFETY: inside the string.
    if unsafe { directory.Buffer.wrapping_add(units - 1).read() } == u16::from(b'\\') {
        return;
    }
    // SAFETY: there is room for one more unit and the NUL, checked above; what follows is zero.
    unsafe { directory.Buffer.wrapping_add(units).write(u16::from(b'\\')) };
    directory.Length += 2;
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlAcquirePebLock() {
    super::thread::PEB_LOCK.acquire();
}

#[unsafe(no_mangle)]
unsafe extern "system" fn RtlReleasePebLock() {
    super::thread::PEB_LOCK.release();
}
