// SPDX-License-Identifier: GPL-2.0-or-later
//! Frames of i386 functions.
//!
//! They have no frame pointers. The compiler describes their frames as DWARF does, in the section
//! `.debug_frame` of the debug file, and so does assembly that calls something, with the assembler's
//! directives; at any other code without an entry the walk ends, for nothing says where its return
//! address is.

use super::{Memory, State};
use addr2line::gimli::{
    BaseAddresses, CfaRule, DebugFrame, LittleEndian, Register, RegisterRule, UnwindContext,
    UnwindSection,
};
use object::read::pe::PeFile32;
use object::{Object, ObjectSection};

/// DWARF numbers the registers as the processor does, EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI, and has
/// the return address behind them.
const ESP: usize = super::SP;
const RETURN_ADDRESS: Register = Register(8);
const REGISTERS: usize = 8;

/// Where CONTEXT keeps the registers in their order, and EIP.
const CONTEXT_REGISTERS: [u64; REGISTERS] = [0xB0, 0xAC, 0xA8, 0xA4, 0xC4, 0xB4, 0xA0, 0x9C];
const CONTEXT_EIP: u64 = 0xB8;

/// The section of an image; empty if it has none.
pub struct Rules(Vec<u8>);

impl Rules {
    /// Those of an image.
    pub fn of(pe: &PeFile32<'_>) -> Self {
        let section = pe.section_by_name(".debug_frame");
        Self(section.map_or_else(Vec::new, |section| {
            section.data().unwrap_or_default().to_vec()
        }))
    }

    /// The frame that the function with the instruction at `address`, as it was linked, goes back to.
    pub fn caller(&self, address: u64, state: &State, memory: Memory<'_>) -> Option<State> {
        let mut section = DebugFrame::new(&self.0, LittleEndian);
        section.set_address_size(4);
        let mut context = UnwindContext::new();
        let row = section
            .unwind_info_for_address(
                &BaseAddresses::default(),
                &mut context,
                address,
                DebugFrame::cie_from_offset,
            )
            .ok()?;
        let register = |Register(number)| {
            let number = usize::from(number);
            (number < REGISTERS).then(|| state.registers[number])
        };
        // The address of a frame is its stack pointer where it was called from.
        let frame = match *row.cfa() {
            CfaRule::RegisterAndOffset {
                register: base,
                offset,
            } => moved(register(base)?, offset),
            CfaRule::Expression(_) => return None,
        };
        let before = |number: Register, now: Option<u64>| match row.register(number) {
            RegisterRule::Undefined | RegisterRule::SameValue => now,
            RegisterRule::Offset(offset) => word(moved(frame, offset), memory),
            RegisterRule::ValOffset(offset) => Some(moved(frame, offset)),
            RegisterRule::Register(other) => register(other),
            _ => None,
        };
        let mut next = State {
            rip: before(RETURN_ADDRESS, None)?,
            calls: true,
            ..*state
        };
        for (number, value) in (0..).zip(&mut next.registers[..REGISTERS]) {
            *value = before(Register(number), Some(*value))?;
        }
        next.registers[ESP] = frame;
        Some(next)
    }
}

/// The frame that an exception interrupted: at the dispatcher's stack pointer are the addresses of the
/// record and of the CONTEXT.
pub fn interrupted(stack: u64, memory: Memory<'_>) -> Option<State> {
    let context = word(moved(stack, 4), memory)?;
    let field = |at: u64| word(context.checked_add(at)?, memory);
    let mut state = State {
        rip: field(CONTEXT_EIP)?,
        ..State::default()
    };
    for (register, at) in state.registers.iter_mut().zip(CONTEXT_REGISTERS) {
        *register = field(at)?;
    }
    Some(state)
}

/// An address of 32 bits, `offset` farther.
fn moved(address: u64, offset: i64) -> u64 {
    address.wrapping_add_signed(offset) & u64::from(u32::MAX)
}

/// A word of 32 bits.
fn word(address: u64, memory: Memory<'_>) -> Option<u64> {
    memory(address).map(|word| word & u64::from(u32::MAX))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Where the function of [`SECTION`] is, and where it ends.
    pub const FUNCTION: u64 = 0x40_1000;
    pub const END: u64 = FUNCTION + 0x20;

    /// push ebp; push esi; sub esp, 8; and so on: as compilers describe it.
    #[rustfmt::skip]
    const SECTION: [u8; 52] = [
        // What holds at the beginning of each function: the frame is at ESP + 4, and the return address
        // 4 below it.
        0x10, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 4, 0, 4, 0, 1, 0x7C, 8,
        0x0C, 4, 4, 0x88, 1,
        // The function, its address and its length.
        0x1C, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x40, 0, 0x20, 0, 0, 0,
        // One byte farther the frame is at ESP + 8, and EBP 8 below it; again one farther it is ESI; 3
        // farther there is room.
        0x41, 0x0E, 8, 0x85, 2, 0x41, 0x0E, 12, 0x86, 3, 0x43, 0x0E, 20, 0, 0, 0,
    ];

    pub fn rules() -> Rules {
        Rules(SECTION.to_vec())
    }

    /// A stack in which each word is its own address, with something else behind it.
    pub fn stack(address: u64) -> Option<u64> {
        Some(0xFFFF_FFFF << 32 | address)
    }

    fn state() -> State {
        let mut state = State::default();
        for (number, register) in (1..).zip(&mut state.registers) {
            *register = 0x1000 * number;
        }
        state
    }

    fn caller(rules: &Rules, offset: u64) -> Option<State> {
        rules.caller(FUNCTION + offset, &state(), &stack)
    }

    #[test]
    fn what_has_been_done_is_undone() {
        let rules = rules();
        // ESP is 0x5000, EBP 0x6000 and ESI 0x7000.
        for (offset, frame, ebp, esi) in [
            (0, 0x5004, 0x6000, 0x7000),
            (1, 0x5008, 0x5000, 0x7000),
            (2, 0x500C, 0x5004, 0x5000),
            (5, 0x5014, 0x500C, 0x5008),
            (0x1F, 0x5014, 0x500C, 0x5008),
        ] {
            let mut wanted = State {
                rip: frame - 4,
                calls: true,
                ..state()
            };
            wanted.registers[4..7].copy_from_slice(&[frame, ebp, esi]);
            assert_eq!(caller(&rules, offset), Some(wanted), "{offset}");
        }
    }

    #[test]
    fn what_does_not_fit_ends_the_walk() {
        let rules = rules();
        assert_eq!(caller(&rules, 0x20), None);
        assert_eq!(rules.caller(FUNCTION, &state(), &|_| None), None);
        let mut state = state();
        state.registers[ESP] = u64::MAX;
        let wrapped = rules.caller(FUNCTION, &state, &stack);
        assert_eq!(wrapped.map(|state| state.registers[ESP]), Some(3));
        for length in 0..SECTION.len() {
            assert_eq!(caller(&Rules(SECTION[..length].to_vec()), 5), None);
        }
        // Each byte of it wrong, in turn: whatever comes of it, no panic.
        for at in 0..SECTION.len() {
            for wrong in [0, 0x0F, 0x7F, 0xFF] {
                let mut section = SECTION.to_vec();
                section[at] = wrong;
                caller(&Rules(section), 5);
            }
        }
    }

    #[test]
    fn an_exception_has_a_context() {
        let frame = interrupted(0x2000, &stack).expect("all of the stack is there");
        // The address of the context is the second word, and it is where it stands here.
        let context = 0x2004;
        let mut wanted = State {
            rip: context + 0xB8,
            ..State::default()
        };
        for (register, at) in wanted.registers.iter_mut().zip(CONTEXT_REGISTERS) {
            *register = context + at;
        }
        assert_eq!(frame, wanted);
        assert_eq!(interrupted(u64::MAX, &|_| None), None);
    }
}
