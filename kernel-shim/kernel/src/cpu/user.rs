// SPDX-License-Identifier: GPL-2.0-or-later
//! Ring 3 as a function: run these registers until the next trap, then say what it was.
//!
//! Invariant: [`Registers`] never lets ring 3 run with ring 0 selectors, with interrupts off or
//! with I/O rights; [`run`] forces them.

use super::tables::{SYSTEM_CALL_I386, set_user_teb};
use core::cell::UnsafeCell;
use core::fmt;
use executive::layout::context::selectors;
use executive::machine::Architecture;
use x86_64::registers::control::Cr2;

/// The registers of ring 3, in the order in which `trap.s` stores them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Registers {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub rdx: u64,
    pub rcx: u64,
    pub rax: u64,
    vector: u64,
    error: u64,
    pub rip: u64,
    cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    ss: u64,
}

const _: () = assert!(size_of::<Registers>() == 22 * 8);

/// Names of the general registers in [`Registers`], in order.
pub const NAMES: [&str; 15] = [
    "r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8", "rdi", "rsi", "rbp", "rbx", "rdx", "rcx",
    "rax",
];

impl fmt::Display for Registers {
    /// One line, `name=value` each.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "rip={:#x} rsp={:#x} rflags={:#x}",
            self.rip, self.rsp, self.rflags
        )?;
        write!(
            out,
            " rax={:#x} rbx={:#x} rcx={:#x} rdx={:#x}",
            self.rax, self.rbx, self.rcx, self.rdx
        )?;
        write!(
            out,
            " rsi={:#x} rdi={:#x} rbp={:#x}",
            self.rsi, self.rdi, self.rbp
        )?;
        write!(
            out,
            " r8={:#x} r9={:#x} r10={:#x} r11={:#x}",
            self.r8, self.r9, self.r10, self.r11
        )?;
        write!(
            out,
            " r12={:#x} r13={:#x} r14={:#x} r15={:#x}",
            self.r12, self.r13, self.r14, self.r15
        )
    }
}

/// The x87 and SSE state, as FXSAVE stores it.
#[derive(Clone, Debug)]
#[repr(C, align(16))]
pub struct Vectors(pub [u8; 512]);

const _: () = assert!(size_of::<Vectors>() == 512);

impl Default for Vectors {
    /// The state a new thread starts with: FCW 0x27f, MXCSR 0x1f80, everything else 0.
    fn default() -> Self {
        let mut bytes = [0; 512];
        bytes[0..2].copy_from_slice(&0x27f_u16.to_le_bytes());
        bytes[24..28].copy_from_slice(&0x1f80_u32.to_le_bytes());
        Self(bytes)
    }
}

impl Vectors {
    /// The SSE control and status register.
    pub fn mxcsr(&self) -> u32 {
        let [.., a, b, c, d] = *self.0.first_chunk::<28>().unwrap_or(&[0; 28]);
        u32::from_le_bytes([a, b, c, d])
    }

    /// Sets the SSE control and status register; reserved bits must be 0.
    pub fn set_mxcsr(&mut self, value: u32) {
        self.0[24..28].copy_from_slice(&value.to_le_bytes());
    }
}

/// Why ring 3 stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// `syscall`, or `int 2Eh` of an i386 program.
    SystemCall,
    /// A hardware interrupt.
    Interrupt(u8),
    /// Vector 14.
    PageFault {
        /// The address.
        address: u64,
        /// Bit 0: the page was present; bit 1: a write; bit 4: an instruction fetch.
        error: u64,
    },
    /// Any other exception, or a software interrupt.
    Exception {
        /// The vector.
        vector: u8,
        /// The processor's error code, or 0.
        error: u64,
    },
}

/// Flags ring 3 may set: carry, parity, adjust, zero, sign, trap, direction, overflow, resume,
/// alignment, identification.
const USER_FLAGS: u64 = 0x0021_0dd5 | 0x4_0000;
const ALWAYS_FLAGS: u64 = 0x202;
/// The I/O privilege level of ring 3, which only [`Registers::set_port_access`] sets.
const PORT_ACCESS: u64 = 0x3000;
/// The trap flag: an exception after the next instruction.
const TRAP_FLAG: u64 = 0x100;

impl Registers {
    /// Whether ring 3 may use the ports of the machine.
    pub fn set_port_access(&mut self, allowed: bool) {
        self.rflags = self.rflags & !PORT_ACCESS | if allowed { PORT_ACCESS } else { 0 };
    }

    /// Whether ring 3 stops after one instruction.
    pub fn set_stepping(&mut self, stepping: bool) {
        self.rflags = self.rflags & !TRAP_FLAG | if stepping { TRAP_FLAG } else { 0 };
    }
}

unsafe extern "C" {
    static user_frame: UnsafeCell<Registers>;
    static user_entered: UnsafeCell<u64>;
    static user_left: UnsafeCell<u64>;
    fn user_run();
}

/// Instructions of `trap.s` between the two readings of the time stamp counter around ring 3: 20 on
/// the way out, the reading included, and 25 on the way in by a system call. Another trap has some three
/// less.
pub const WAY: u64 = 45;

/// How far the time stamp counter went while ring 3 ran last.
pub fn last_ticks() -> u64 {
    // SAFETY: a static that `trap.s` writes while ring 3 begins, and nobody now.
    let entered = unsafe { user_entered.get().read() };
    // SAFETY: a static that `trap.s` writes while ring 3 ends, and nobody now.
    let left = unsafe { user_left.get().read() };
    left.wrapping_sub(entered)
}

/// Runs ring 3 with these registers, for whose port access the caller answers, and this thread environment block, in the address space that is
/// active.
pub fn run(
    architecture: Architecture,
    registers: &mut Registers,
    vectors: &mut Vectors,
    teb: u64,
) -> Trap {
    let selectors = selectors(architecture);
    registers.cs = selectors.code.into();
    registers.ss = selectors.data.into();
    registers.rflags = registers.rflags & (USER_FLAGS | PORT_ACCESS) | ALWAYS_FLAGS;
    // A return address outside the lower half would fault in ring 0, on the way out.
    registers.rip &= 0x7fff_ffff_ffff;
    set_user_teb(architecture, teb);
    let frame = (&raw const user_frame).cast::<Registers>().cast_mut();
    // SAFETY: the frame is a static of this size that only `user_run` uses, below; there is one
    // processor and no re-entry.
    unsafe { frame.write(*registers) };
    // SAFETY: 512 bytes, 16-byte aligned, and a state that FXSAVE or `default` made: reserved MXCSR
    // bits are masked by the code that sets it.
    unsafe { core::arch::asm!("fxrstor64 [{}]", in(reg) &raw const vectors.0, options(nostack)) };
    // SAFETY: the frame holds ring 3 selectors and flags, so that nothing of the kernel is
    // reachable; it comes back with every callee-saved register restored by `from_user`.
    unsafe { user_run() };
    // SAFETY: 512 writable bytes, 16-byte aligned.
    unsafe { core::arch::asm!("fxsave64 [{}]", in(reg) &raw mut vectors.0, options(nostack)) };
    // SAFETY: as with the write above; `from_user` filled it in.
    *registers = unsafe { frame.read() };
    let i386 = architecture == Architecture::I386;
    match registers.vector {
        0x100 => Trap::SystemCall,
        vector if i386 && vector == SYSTEM_CALL_I386 as u64 => Trap::SystemCall,
        14 => Trap::PageFault {
            address: Cr2::read_raw(),
            error: registers.error,
        },
        vector @ 0x40..=0xff => Trap::Interrupt(vector as u8),
        vector => Trap::Exception {
            vector: vector as u8,
            error: registers.error,
        },
    }
}
