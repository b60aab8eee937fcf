// SPDX-License-Identifier: GPL-2.0-or-later
//! The loaded modules: this DLL's own list, and the lists of the PEB that debuggers read.

use super::image::Image;
use crate::rtl::upcase;
use crate::support::{LoaderData, LoaderEntry, peb};
use alloc::boxed::Box;
use alloc::vec::Vec;
use nt::UnicodeStr;
use nt::lock::Mutex;
use winapi::ctypes::c_void;
use winapi::shared::ntdef::{LIST_ENTRY, UNICODE_STRING};

const IMAGE_DLL: u32 = 0x4;
const ENTRY_PROCESSED: u32 = 0x4000;
/// A load count that is never counted down: nothing is unloaded here.
const PINNED: u16 = 0xFFFF;

/// One module.
#[derive(Clone, Copy)]
pub(crate) struct Module {
    /// The mapped image.
    pub(crate) image: Image,
    /// File name without its directory.
    pub(crate) name: UnicodeStr<'static>,
    /// Its imports are bound.
    pub(crate) bound: bool,
    /// Its entry point has been called, or need not be.
    pub(crate) started: bool,
}

static MODULES: Mutex<Vec<Module>> = Mutex::new(Vec::new());

/// The structures of the PEB, made once and never freed. They are reached by pointers that were made
/// with them, and never by a reference, which would end the pointers' right to them.
struct Lists(*mut LoaderData);
// SAFETY: an address; what lies there is changed under the lock of MODULES only.
unsafe impl Send for Lists {}
static LISTS: Mutex<Lists> = Mutex::new(Lists(core::ptr::null_mut()));

const EMPTY: LIST_ENTRY = LIST_ENTRY {
    Flink: core::ptr::null_mut(),
    Blink: core::ptr::null_mut(),
};

/// Makes the PEB's lists, empty.
pub(crate) fn initialize() {
    let data = Box::into_raw(Box::new(LoaderData {
        length: size_of::<LoaderData>() as u32,
        initialized: 1,
        handle: core::ptr::null_mut(),
        in_load_order: EMPTY,
        in_memory_order: EMPTY,
        in_initialization_order: EMPTY,
        in_progress: core::ptr::null_mut(),
    }));
    #[allow(
        clippy::multiple_unsafe_ops_per_block,
        reason = "three times the same operation"
    )]
    // SAFETY: fields of a structure that is never freed and that nobody else knows yet.
    unsafe {
        circle(&raw mut (*data).in_load_order);
        circle(&raw mut (*data).in_memory_order);
        circle(&raw mut (*data).in_initialization_order);
    }
    LISTS.lock().0 = data;
    // SAFETY: the PEB of this process, in its first thread.
    unsafe { (*peb()).Ldr = data.cast() };
}

/// Makes an entry the only one of its list.
///
/// # Safety
/// It is never freed, and nobody else uses it.
unsafe fn circle(entry: *mut LIST_ENTRY) {
    // SAFETY: the caller's promise.
    unsafe {
        entry.write(LIST_ENTRY {
            Flink: entry,
            Blink: entry,
        })
    };
}

/// Appends `entry` to the list of `head`.
///
/// # Safety
/// Both must be linked or fresh LIST_ENTRYs that are never freed.
unsafe fn append(head: *mut LIST_ENTRY, entry: *mut LIST_ENTRY) {
    // SAFETY: a linked head has a last entry, perhaps itself.
    let last = unsafe { (*head).Blink };
    // SAFETY: the caller's promise.
    unsafe {
        entry.write(LIST_ENTRY {
            Flink: head,
            Blink: last,
        })
    };
    // SAFETY: the last entry of a linked list, or its head, is never freed.
    unsafe { (*last).Flink = entry };
    // SAFETY: the head is never freed, by the caller's promise.
    unsafe { (*head).Blink = entry };
}

fn string(text: UnicodeStr<'static>) -> UNICODE_STRING {
    let length = u16::try_from(text.byte_len()).unwrap_or(0xFFFE);
    UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: text.units().as_ptr().cast_mut(),
    }
}

/// Adds a module at the end of every list.
pub(crate) fn add(
    image: Image,
    full_name: UnicodeStr<'static>,
    name: UnicodeStr<'static>,
) -> usize {
    let headers = image.headers().ok();
    let dll = headers.is_some_and(|headers| headers.is_dll());
    let entry = Box::into_raw(Box::new(LoaderEntry {
        in_load_order: EMPTY,
        in_memory_order: EMPTY,
        in_initialization_order: EMPTY,
        base: image.base(),
        entry_point: image.entry_point().ok().flatten().unwrap_or_default(),
        size: image.size() as u32,
        full_name: string(full_name),
        base_name: string(name),
        flags: ENTRY_PROCESSED | if dll { IMAGE_DLL } else { 0 },
        load_count: PINNED,
        tls_index: 0,
        hash_links: EMPTY,
        time_stamp: headers.map_or(0, |headers| headers.time_stamp),
        activation_context: core::ptr::null_mut(),
        patch: core::ptr::null_mut(),
    }));
    // SAFETY: only the address of a field of a structure that is never freed.
    let hash_links = unsafe { &raw mut (*entry).hash_links };
    // SAFETY: nobody else knows the structure yet.
    unsafe { circle(hash_links) };
    let mut modules = MODULES.lock();
    let lists = LISTS.lock().0;
    if !lists.is_null() {
        #[allow(
            clippy::multiple_unsafe_ops_per_block,
            reason = "three times the same operation"
        )]
        // SAFETY: structures that are never freed, and linked under the lock only.
        unsafe {
            append(
                &raw mut (*lists).in_load_order,
                &raw mut (*entry).in_load_order,
            );
            append(
                &raw mut (*lists).in_memory_order,
                &raw mut (*entry).in_memory_order,
            );
            if dll {
                append(
                    &raw mut (*lists).in_initialization_order,
                    &raw mut (*entry).in_initialization_order,
                );
            }
        }
    }
    modules.push(Module {
        image,
        name,
        bound: false,
        started: !dll,
    });
    modules.len() - 1
}

/// The module at this index.
pub(crate) fn get(index: usize) -> Option<Module> {
    MODULES.lock().get(index).copied()
}

/// Changes the module at this index.
pub(crate) fn update(index: usize, change: impl FnOnce(&mut Module)) {
    if let Some(module) = MODULES.lock().get_mut(index) {
        change(module);
    }
}

/// The module with this file name, without regard to case.
pub(crate) fn find(name: UnicodeStr<'_>) -> Option<usize> {
    let same = |other: UnicodeStr<'_>| {
        other.len() == name.len()
            && other
                .units()
                .iter()
                .zip(name.units())
                .all(|(&a, &b)| upcase(a) == upcase(b))
    };
    MODULES.lock().iter().position(|module| same(module.name))
}

/// The module mapped at this address.
pub(crate) fn find_base(base: *mut c_void) -> Option<usize> {
    MODULES
        .lock()
        .iter()
        .position(|module| module.image.base() == base)
}
