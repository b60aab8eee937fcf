// SPDX-License-Identifier: GPL-2.0-or-later
//! Descriptor tables, with the selectors of NT x64, and the registers that system calls go by.
//!
//! Ring 3 code runs with CS 0x33, SS, DS, ES and GS 0x2b and FS 0x53, because programs and their
//! debuggers look at them. The thread environment block is reached through the GS base.

use super::fast_call;
use core::arch::x86_64::{__cpuid, __cpuid_count};
use core::cell::UnsafeCell;
use executive::layout::context::selectors;
use executive::machine::Architecture;
use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::instructions::tables::{lgdt, lidt, load_tss};
use x86_64::registers::control::{Cr4, Cr4Flags};
use x86_64::registers::model_specific::{Efer, EferFlags, GsBase, LStar, Msr, SFMask};
use x86_64::registers::rflags::RFlags;
use x86_64::structures::DescriptorTablePointer;
use x86_64::structures::gdt::SegmentSelector;

core::arch::global_asm!(include_str!("trap.s"));

/// The kernel's code segment; behind it stands what `sysenter` takes for its stack's.
pub const KERNEL_CODE: u16 = 0x10;
const KERNEL_DATA: u16 = 0x18;
const KERNEL_DATA_I386: u16 = 0x08;
const TASK_STATE: u16 = 0x40;
const STAR: u32 = 0xc000_0081;

unsafe extern "C" {
    static trap_stubs: u8;
    static user_frame_end: u8;
    fn system_call_entry();
}

/// The 64-bit task state segment: only the stacks matter.
#[repr(C, packed(4))]
struct TaskState {
    reserved: u32,
    stacks: [u64; 3],
    reserved1: u64,
    interrupt_stacks: [u64; 7],
    reserved2: u64,
    reserved3: u16,
    io_map: u16,
}

const _: () = assert!(size_of::<TaskState>() == 104);

#[repr(C, align(16))]
struct Tables {
    gdt: [u64; 12],
    idt: [[u64; 2]; 256],
    task: TaskState,
    double_fault: [u64; 1024],
    non_maskable: [u64; 1024],
}

struct Once(UnsafeCell<Tables>);

// SAFETY: written by `initialize` alone, which runs once on the only processor before anything else
// reads it.
unsafe impl Sync for Once {}

static TABLES: Once = Once(UnsafeCell::new(Tables {
    gdt: [
        0,
        0,
        0x0020_9b00_0000_0000,
        0x00cf_9300_0000_ffff,
        0x00cf_fb00_0000_ffff,
        0x00cf_f300_0000_ffff,
        0x0020_fb00_0000_0000,
        0,
        0,
        0,
        0x0040_f300_0000_3c00,
        0,
    ],
    idt: [[0; 2]; 256],
    task: TaskState {
        reserved: 0,
        stacks: [0; 3],
        reserved1: 0,
        interrupt_stacks: [0; 7],
        reserved2: 0,
        reserved3: 0,
        io_map: 104,
    },
    double_fault: [0; 1024],
    non_maskable: [0; 1024],
}));

/// The vector of an i386 program's system calls.
pub const SYSTEM_CALL_I386: usize = 0x2e;

/// Vectors that a program may raise itself: `int 3`, `int 0x29` (fail fast), `int 0x2c`
/// (assertion), `int 0x2d` (debug service).
const FROM_RING_3: [usize; 5] = [3, 4, 0x29, 0x2c, 0x2d];

/// Segments of ring 3 of an i386 NT, by their places in the table: code, data, the TEB, which is
/// moved with each switch. The kernel's own data segment makes room for them, and 64-bit code, which
/// there is none of, has none.
const I386_SEGMENTS: [(usize, u64); 7] = [
    (KERNEL_DATA_I386 as usize / 8, 0x00cf_9300_0000_ffff),
    (0x18 / 8, 0x00cf_fb00_0000_ffff),
    (0x20 / 8, 0x00cf_f300_0000_ffff),
    (0x28 / 8, 0),
    (0x30 / 8, 0),
    (TEB_SEGMENT, TEB),
    (0x50 / 8, 0),
];
/// Where the segment of an i386 TEB stands, and what it is at address 0: a page of data.
const TEB_SEGMENT: usize = 0x38 / 8;
const TEB: u64 = 0x0040_f300_0000_0fff;

fn fill(tables: &mut Tables, architecture: Architecture) {
    if architecture == Architecture::I386 {
        for (place, segment) in I386_SEGMENTS {
            tables.gdt[place] = segment;
        }
    }
    let stubs = &raw const trap_stubs as u64;
    tables.task.stacks[0] = &raw const user_frame_end as u64;
    tables.task.interrupt_stacks[0] = tables.double_fault.as_ptr_range().end as u64;
    tables.task.interrupt_stacks[1] = tables.non_maskable.as_ptr_range().end as u64;
    for (vector, gate) in tables.idt.iter_mut().enumerate() {
        let at = stubs + 16 * vector as u64;
        let stack = match vector {
            8 => 1,
            2 | 18 => 2,
            _ => 0,
        };
        let raised = FROM_RING_3.contains(&vector)
            || architecture == Architecture::I386 && vector == SYSTEM_CALL_I386;
        let level = if raised { 3 } else { 0 };
        let kind = 0x8e00 | level << 13 | stack;
        *gate = [
            at & 0xffff | u64::from(KERNEL_CODE) << 16 | kind << 32 | (at & 0xffff_0000) << 32,
            at >> 32,
        ];
    }
    let task = &raw const tables.task as u64;
    tables.gdt[8] = 103 | (task & 0xff_ffff) << 16 | 0x89 << 40 | (task & 0xff00_0000) << 32;
    tables.gdt[9] = task >> 32;
}

/// Loads the tables and turns system calls on, as programs of this kind make them. Once, at start.
pub fn initialize(architecture: Architecture) {
    let tables = TABLES.0.get();
    // SAFETY: called once, on the only processor, with interrupts off: this is the only reference
    // there ever is.
    fill(unsafe { &mut *tables }, architecture);
    // SAFETY: only the address of the field is taken.
    let gdt = unsafe { &raw const (*tables).gdt } as u64;
    // SAFETY: only the address of the field is taken; nothing is read.
    let idt = unsafe { &raw const (*tables).idt } as u64;
    let pointer = DescriptorTablePointer {
        limit: size_of::<[u64; 12]>() as u16 - 1,
        base: VirtAddr::new(gdt),
    };
    // SAFETY: a static table, filled in above, with the selectors loaded below.
    unsafe { lgdt(&pointer) };
    // SAFETY: selector 0x10 is a 64-bit ring 0 code segment.
    unsafe { CS::set_reg(SegmentSelector(KERNEL_CODE)) };
    let kernel_data = match architecture {
        Architecture::Amd64 => KERNEL_DATA,
        Architecture::I386 => KERNEL_DATA_I386,
    };
    // SAFETY: a ring 0 data segment of the loaded table.
    unsafe { SS::set_reg(SegmentSelector(kernel_data)) };
    set_user_segments(architecture);
    let pointer = DescriptorTablePointer {
        limit: size_of::<[[u64; 2]; 256]>() as u16 - 1,
        base: VirtAddr::new(idt),
    };
    // SAFETY: a static table whose gates all lead to the stubs.
    unsafe { lidt(&pointer) };
    // SAFETY: selector 0x40 is the task state segment, filled in above.
    unsafe { load_tss(SegmentSelector(TASK_STATE)) };

    if architecture == Architecture::I386 {
        // `syscall` out of 32-bit code would enter the kernel where nothing is: it is no instruction.
        // SAFETY: nothing else depends on the flag.
        unsafe { Efer::update(|flags| flags.remove(EferFlags::SYSTEM_CALL_EXTENSIONS)) };
        fast_call::install();
    }
    LStar::write(VirtAddr::new(system_call_entry as *const () as u64));
    // The trap, direction, interrupt, alignment and nested-task flags are off in the kernel.
    SFMask::write(
        RFlags::TRAP_FLAG
            | RFlags::DIRECTION_FLAG
            | RFlags::INTERRUPT_FLAG
            | RFlags::ALIGNMENT_CHECK
            | RFlags::NESTED_TASK,
    );
    let mut star = Msr::new(STAR);
    // SAFETY: kernel CS 0x10 and SS 0x18, user SS 0x2b and CS 0x33 as in the table above.
    unsafe { star.write(0x23 << 48 | u64::from(KERNEL_CODE) << 32) };
    // Ring 3 must not set its own GS base behind the kernel's back; and the kernel, which finds
    // user memory through the direct map only, must neither run nor touch it by mistake.
    let extended = if __cpuid(0).eax >= 7 {
        __cpuid_count(7, 0).ebx
    } else {
        0
    };
    let guards = [
        (7, Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION),
        (20, Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION),
    ];
    let found = guards
        .into_iter()
        .filter(|(bit, _)| extended >> bit & 1 != 0)
        .fold(Cr4Flags::empty(), |all, (_, flag)| all | flag);
    // SAFETY: clears a feature that the kernel does not use and sets guards that the processor has
    // and the kernel keeps to.
    unsafe { Cr4::update(|flags| *flags = (*flags - Cr4Flags::FSGSBASE) | found) };
}

/// Loads the segment registers that ring 3 has in every thread.
fn set_user_segments(architecture: Architecture) {
    let selectors = selectors(architecture);
    // SAFETY: 64-bit code uses no data segments; the selector is one of the loaded table, for ring 3.
    unsafe { DS::set_reg(SegmentSelector(selectors.data)) };
    // SAFETY: 64-bit code ignores ES; the selector is one of the loaded table.
    unsafe { ES::set_reg(SegmentSelector(selectors.data)) };
    // SAFETY: the kernel uses no FS; the selector is one of the loaded table.
    unsafe { FS::set_reg(SegmentSelector(selectors.fs)) };
    // SAFETY: the kernel uses no GS; a selector of the loaded table or none.
    unsafe { GS::set_reg(SegmentSelector(selectors.gs)) };
}

/// Sets where ring 3 finds its thread environment block: with the base of GS on x86-64, with the
/// segment that FS is loaded with on i386, whose program may have changed its segment registers.
pub fn set_user_teb(architecture: Architecture, base: u64) {
    match architecture {
        Architecture::Amd64 => GsBase::write(VirtAddr::new_truncate(base)),
        Architecture::I386 => {
            let moved = TEB | (base & 0xff_ffff) << 16 | (base & 0xff00_0000) << 32;
            // SAFETY: only the address of the entry is taken.
            let entry = unsafe { &raw mut (*TABLES.0.get()).gdt[TEB_SEGMENT] };
            // SAFETY: an entry of the static table, on the only processor, which reads it with the
            // next load of FS; no reference to the table exists.
            unsafe { entry.write(moved) };
            set_user_segments(architecture);
        }
    }
}
