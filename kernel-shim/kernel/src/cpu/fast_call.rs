// SPDX-License-Identifier: GPL-2.0-or-later
//! The fast call of i386 programs: `sysenter`, on processors that have it while the kernel is one of 64
//! bits, which those of AMD have not.
//!
//! The instruction tells the kernel nothing but registers: EDX is the program's stack, with two return
//! addresses below the arguments, and the program goes on at one place of its system DLL, whichever
//! instruction it was ([`set_return`]). `trap.s` makes of it what the interrupt of a system call leaves.

use super::tables::KERNEL_CODE;
use core::arch::x86_64::__cpuid;
use core::sync::atomic::{AtomicU64, Ordering};
use x86_64::registers::model_specific::Msr;

const SYSENTER_CS: u32 = 0x174;
const SYSENTER_ESP: u32 = 0x175;
const SYSENTER_EIP: u32 = 0x176;
/// CPUID leaf 1 EDX: the processor has the instruction.
const HAS_SYSENTER: u32 = 1 << 11;
/// A Pentium Pro sets that bit without having it: its signature is below this one.
const PENTIUM_II: u32 = 0x633;
/// Those whose processors have it outside of long mode only, as CPUID leaf 0 EBX has their names.
const LEGACY_ONLY: [[u8; 4]; 2] = [*b"Auth", *b"Hygo"];

/// The trap flag, and the vector of the exception that it leads to.
const TRAP_FLAG: u64 = 0x100;
const DEBUG: u64 = 1;

/// Where the registers of a trap out of the kernel are, in the order in which `trap.s` stores them.
const R8: usize = 7;
const VECTOR: usize = 15;
const RIP: usize = 17;
const FLAGS: usize = 19;
const SS: usize = 21;

/// Where the program goes on: `trap.s` reads it.
#[unsafe(no_mangle)]
static fast_call_return: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    static fast_call_stack_end: u8;
    fn fast_call_entry();
    fn fast_call_stepped();
}

/// Whether the processor has the instruction.
pub fn is_there() -> bool {
    let (vendor, signature) = (__cpuid(0).ebx.to_le_bytes(), __cpuid(1));
    signature.edx & HAS_SYSENTER != 0
        && signature.eax & 0xfff >= PENTIUM_II
        && !LEGACY_ONLY.contains(&vendor)
}

/// Lets the instruction enter the kernel. Once, at start, after the tables are loaded.
pub fn install() {
    let write = |register: u32, value: u64| {
        let mut register = Msr::new(register);
        // SAFETY: the processor has the three registers ([`is_there`]); they lead to the kernel's own
        // code segment, a stack of its own, and code that expects nothing else.
        unsafe { register.write(value) };
    };
    if !is_there() {
        return;
    }
    write(SYSENTER_CS, KERNEL_CODE.into());
    write(SYSENTER_ESP, &raw const fast_call_stack_end as u64);
    write(SYSENTER_EIP, fast_call_entry as *const () as u64);
}

/// Says where programs go on behind the instruction; with it, they may use it.
pub fn set_return(address: u32) {
    if fast_call_return.swap(address.into(), Ordering::Relaxed) == 0 {
        log::info!("programs call the kernel by sysenter");
    }
}

/// The instruction leaves the trap flag on: one that was stepped over traps at the kernel's first own
/// instruction. Returns whether this is such a trap; then the call goes on and gives the flag back to the
/// program.
pub fn was_stepped(frame: &mut [u64; 22]) -> bool {
    if frame[VECTOR] != DEBUG || frame[RIP] != fast_call_entry as *const () as u64 {
        return false;
    }
    frame[FLAGS] &= !TRAP_FLAG;
    frame[R8] = TRAP_FLAG;
    frame[RIP] = fast_call_stepped as *const () as u64;
    // The instruction's own selector is that of no segment of the kernel's.
    frame[SS] = 0;
    true
}
