// SPDX-License-Identifier: GPL-2.0-or-later
//! Walks a stack of x64 PE frames, from registers and a piece of stack, on the host.
//!
//! PE images carry no DWARF frames but RUNTIME_FUNCTION and UNWIND_INFO tables (the public x64 ABI
//! documentation). The tables are read from the image file; what the machine gives is data of a
//! system that went wrong, so everything that does not fit ends the walk.

use anyhow::{Context, Result};
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, PeFile, PeFile32, PeFile64};
use std::path::Path;

/// RSP among the numbered registers of the unwind codes.
const RSP: usize = 4;
const RBP: usize = 5;

/// Where CONTEXT keeps the numbered registers, and RIP.
const CONTEXT_REGISTERS: u64 = 0x78;
const CONTEXT_RIP: u64 = 0xF8;

/// A PE image where it is mapped.
pub struct MappedImage {
    /// It is for i386, which has no table of functions.
    narrow: bool,
    bytes: Vec<u8>,
    /// Where it is.
    pub base: u64,
    /// Where it was linked to be.
    pub preferred: u64,
    size: u64,
    functions: Vec<[u32; 3]>,
    /// KiUserExceptionDispatcher, relative: the frame under it is a CONTEXT.
    dispatcher: Option<u32>,
}

/// What is known of a frame: its program counter and the registers RAX, RCX, RDX, RBX, RSP, RBP,
/// RSI, RDI, R8 to R15.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The program counter.
    pub rip: u64,
    /// The numbered registers.
    pub registers: [u64; 16],
}

/// The piece of stack: a word at an address, if it has it.
pub type Memory<'a> = &'a dyn Fn(u64) -> Option<u64>;

impl MappedImage {
    /// Reads the tables of the image file at `path`, mapped at `base`.
    pub fn load(path: &Path, base: u64) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if let Ok(pe) = PeFile64::parse(&*bytes) {
            return Self::of(&pe, bytes.clone(), base);
        }
        let pe = PeFile32::parse(&*bytes)?;
        Self::of(&pe, bytes.clone(), base)
    }

    fn of<Pe: ImageNtHeaders>(pe: &PeFile<'_, Pe>, bytes: Vec<u8>, base: u64) -> Result<Self> {
        let header = pe.nt_headers().optional_header();
        let (preferred, size) = (header.image_base(), u64::from(header.size_of_image()));
        let exception = pe.data_directory(object::pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION);
        let table = exception
            .and_then(|directory| directory.data(&*bytes, &pe.section_table()).ok())
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
        let mut dispatcher = None;
        for export in pe
            .export_table()?
            .map(|table| table.exports())
            .transpose()?
            .unwrap_or_default()
        {
            if export.name == Some(b"KiUserExceptionDispatcher")
                && let object::read::pe::ExportTarget::Address(rva) = export.target
            {
                dispatcher = Some(rva);
            }
        }
        Ok(Self {
            narrow: !pe.nt_headers().is_type_64(),
            base,
            preferred,
            size,
            functions,
            dispatcher,
            bytes,
        })
    }

    /// Whether the address lies in the image.
    pub fn contains(&self, address: u64) -> bool {
        (self.base..self.base.saturating_add(self.size)).contains(&address)
    }

    fn read(&self, rva: u32, count: usize) -> Option<&[u8]> {
        let pe = PeFile64::parse(&*self.bytes).ok()?;
        pe.section_table()
            .pe_data_at(&*self.bytes, rva)?
            .get(..count)
    }

    /// The caller's frame; `None` where the walk ends.
    pub fn caller(&self, state: &State, memory: Memory<'_>) -> Option<State> {
        let rva = u32::try_from(state.rip.checked_sub(self.base)?).ok()?;
        if self
            .dispatcher
            .is_some_and(|start| (start..start.saturating_add(0x40)).contains(&rva))
        {
            return if self.narrow {
                interrupted_i386(state.registers[RSP], memory)
            } else {
                interrupted(state.registers[RSP], memory)
            };
        }
        if self.narrow {
            return caller_i386(state, memory);
        }
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
        (next.rip != 0 && next.registers[RSP] > state.registers[RSP]).then_some(next)
    }
}

/// The frame that an exception interrupted: the CONTEXT at the dispatcher's stack pointer.
fn interrupted(context: u64, memory: Memory<'_>) -> Option<State> {
    let mut state = State {
        rip: memory(context.checked_add(CONTEXT_RIP)?)?,
        registers: [0; 16],
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

/// The same on i386, where the dispatcher's stack pointer has the addresses of the record and of the
/// CONTEXT.
fn interrupted_i386(stack: u64, memory: Memory<'_>) -> Option<State> {
    let half = |address| memory(address).map(|word| word & u64::from(u32::MAX));
    let context = half(stack.checked_add(4)?)?;
    let register = |at: u64| half(context.checked_add(at)?);
    let mut state = State {
        rip: register(0xB8)?,
        registers: [0; 16],
    };
    // EAX, ECX, EDX, EBX, ESP, EBP, ESI, EDI.
    let places = [0xB0, 0xAC, 0xA8, 0xA4, 0xC4, 0xB4, 0xA0, 0x9C];
    for (to, at) in state.registers.iter_mut().zip(places) {
        *to = register(at)?;
    }
    Some(state)
}

/// The caller's frame on i386, by the chain of frame pointers that the target keeps.
fn caller_i386(state: &State, memory: Memory<'_>) -> Option<State> {
    let half = |address| memory(address).map(|word| word & u64::from(u32::MAX));
    let frame = state.registers[RBP];
    let mut next = *state;
    next.rip = half(frame.checked_add(4)?)?;
    next.registers[RBP] = half(frame)?;
    next.registers[RSP] = frame.checked_add(8)?;
    (next.rip != 0 && next.registers[RSP] > state.registers[RSP]).then_some(next)
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
