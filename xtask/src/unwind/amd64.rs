// SPDX-License-Identifier: GPL-2.0-or-later
//! Frames of x64 functions.
//!
//! PE images carry no DWARF frames but RUNTIME_FUNCTION and UNWIND_INFO tables (the public x64 ABI
//! documentation). The tables are read from the image file.

use super::{Memory, State};
use object::read::pe::{ImageNtHeaders, PeFile, PeFile64};

/// RSP among the numbered registers of the unwind codes.
const RSP: usize = super::SP;

/// Where CONTEXT keeps the numbered registers, and RIP.
const CONTEXT_REGISTERS: u64 = 0x78;
const CONTEXT_RIP: u64 = 0xF8;

/// The tables of an image.
pub struct Tables {
    bytes: Vec<u8>,
    functions: Vec<[u32; 3]>,
}

impl Tables {
    /// Those of the image in `bytes`.
    pub fn of<Pe: ImageNtHeaders>(pe: &PeFile<'_, Pe>, bytes: &[u8]) -> Self {
        let exception = pe.data_directory(object::pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION);
        let table = exception
            .and_then(|directory| directory.data(bytes, &pe.section_table()).ok())
            .unwrap_or(&[]);
        let word = |entry: &[u8], at: usize| {
            entry
                .get(at..at + 4)
                .and_then(|word| word.try_into().ok())
                .map_or(0, u32::from_le_bytes)
        };
        let functions = table
            .chunks_exact(12)
            .map(|entry| [word(entry, 0), word(entry, 4), word(entry, 8)])
            .collect();
        Self {
            bytes: bytes.to_vec(),
            functions,
        }
    }

    fn read(&self, rva: u32, count: usize) -> Option<&[u8]> {
        let pe = PeFile64::parse(&*self.bytes).ok()?;
        pe.section_table()
            .pe_data_at(&*self.bytes, rva)?
            .get(..count)
    }

    /// The frame that the function at `rva` goes back to.
    pub fn caller(&self, rva: u32, state: &State, memory: Memory<'_>) -> Option<State> {
        let mut next = *state;
        let mut function = self
            .functions
            .iter()
            .find(|function| (function[0]..function[1]).contains(&rva))
            .copied();
        let mut offset = function.map(|function| rva - function[0]);
        while let Some([_, _, information]) = function {
            let head = self.read(information, 4)?;
            let (flags, prolog, count, frame) =
                (head[0] >> 3, head[1], usize::from(head[2]), head[3]);
            let bytes = self
                .read(
                    information.checked_add(4)?,
                    count.next_multiple_of(2) * 2 + 12,
                )
                .or_else(|| self.read(information + 4, count * 2))?;
            let codes: Vec<u16> = bytes
                .get(..count * 2)?
                .chunks_exact(2)
                .map(|code| u16::from_le_bytes([code[0], code[1]]))
                .collect();
            // In the middle of a prolog only what has been done is undone; chained tables have none
            // of their own.
            let reached = offset.filter(|offset| *offset < u32::from(prolog));
            undo(&codes, frame, reached, &mut next, memory)?;
            offset = None;
            function = None;
            if flags & 4 != 0 {
                let chained = bytes.get(count.next_multiple_of(2) * 2..)?;
                let word = |at: usize| {
                    chained
                        .get(at..at + 4)
                        .and_then(|word| word.try_into().ok())
                        .map(u32::from_le_bytes)
                };
                function = Some([word(0)?, word(4)?, word(8)?]);
            }
        }
        next.rip = memory(next.registers[RSP])?;
        next.registers[RSP] = next.registers[RSP].checked_add(8)?;
        next.calls = true;
        Some(next)
    }
}

/// The frame that an exception interrupted: the CONTEXT at the dispatcher's stack pointer.
pub fn interrupted(context: u64, memory: Memory<'_>) -> Option<State> {
    let mut state = State {
        rip: memory(context.checked_add(CONTEXT_RIP)?)?,
        ..State::default()
    };
    for (register, at) in state
        .registers
        .iter_mut()
        .zip((context.checked_add(CONTEXT_REGISTERS)?..).step_by(8))
    {
        *register = memory(at)?;
    }
    Some(state)
}

/// Undoes the operations of a prolog, those at offsets up to `reached` if it is given.
fn undo(
    codes: &[u16],
    frame: u8,
    reached: Option<u32>,
    state: &mut State,
    memory: Memory<'_>,
) -> Option<()> {
    let done = |code: u16| reached.is_none_or(|offset| u32::from(code & 0xFF) <= offset);
    let registers = &mut state.registers;
    if frame & 15 != 0 && codes.iter().any(|&code| code >> 8 & 15 == 3 && done(code)) {
        registers[RSP] =
            registers[usize::from(frame & 15)].checked_sub(u64::from(frame >> 4) * 16)?;
    }
    let mut at = 0;
    while let Some(&code) = codes.get(at) {
        let (operation, operand) = (code >> 8 & 15, usize::from(code >> 12));
        let small = || codes.get(at + 1).map(|&code| u64::from(code));
        let large = || Some(u64::from(*codes.get(at + 1)?) | u64::from(*codes.get(at + 2)?) << 16);
        let sp = registers[RSP];
        match operation {
            0 if done(code) => {
                registers[operand] = memory(sp)?;
                registers[RSP] = sp.checked_add(8)?;
            }
            1 if done(code) => {
                registers[RSP] =
                    sp.checked_add(if operand == 0 { small()? * 8 } else { large()? })?
            }
            2 if done(code) => registers[RSP] = sp.checked_add(operand as u64 * 8 + 8)?,
            4 if done(code) => registers[operand] = memory(sp.checked_add(small()? * 8)?)?,
            5 if done(code) => registers[operand] = memory(sp.checked_add(large()?)?)?,
            _ => {}
        }
        at += match operation {
            1 => 2 + usize::from(operand != 0),
            4 | 8 => 2,
            5 | 9 => 3,
            _ => 1,
        };
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// push rbp; push rsi; sub rsp, 0x28; lea rbp, [rsp + 0x20]: codes in reverse order, as
    /// compilers write them.
    const CODES: [u16; 4] = [0x030B, 0x4206, 0x6002, 0x5001];

    #[test]
    fn a_finished_prolog_is_undone() {
        let stack = |address: u64| Some(address);
        let mut state = State::default();
        state.registers[5] = 0x1020;
        undo(&CODES, 0x25, None, &mut state, &stack).expect("a good table");
        assert_eq!(state.registers[RSP], 0x1000 + 0x28 + 16);
        assert_eq!((state.registers[6], state.registers[5]), (0x1028, 0x1030));
    }

    #[test]
    fn half_a_prolog_is_undone_by_half() {
        let stack = |address: u64| Some(address);
        let mut state = State::default();
        state.registers[RSP] = 0x1000;
        undo(&CODES, 0x25, Some(2), &mut state, &stack).expect("a good table");
        assert_eq!(state.registers[RSP], 0x1010);
    }

    #[test]
    fn a_stack_that_is_not_there_ends_the_walk() {
        let mut state = State::default();
        assert_eq!(undo(&CODES, 0, None, &mut state, &|_| None), None);
    }
}
