// SPDX-License-Identifier: GPL-2.0-or-later
//! Walks a stack of ring 3, from registers and a piece of stack, on the host.
//!
//! How a function's frame is undone is in the image's debug file, for each machine in a form of its
//! own: [`amd64`], [`i386`]. What the machine gives is data of a system that went wrong, so everything
//! that does not fit ends the walk.

mod amd64;
mod i386;

use anyhow::{Context, Result};
use object::read::pe::{
    ExportTarget, ImageNtHeaders, ImageOptionalHeader, PeFile, PeFile32, PeFile64,
};
use std::path::Path;

/// The stack pointer among the numbered registers, on either machine.
const SP: usize = 4;

/// How much of KiUserExceptionDispatcher is taken for it, bytes: an image does not say where it ends.
const DISPATCHER: u32 = 0x40;

/// A PE image where it is mapped.
pub struct MappedImage {
    /// Where it is.
    pub base: u64,
    /// Where it was linked to be.
    pub preferred: u64,
    size: u64,
    frames: Frames,
    /// KiUserExceptionDispatcher, relative: the frame under it is a CONTEXT.
    dispatcher: Option<u32>,
}

/// What its functions' frames are found by.
enum Frames {
    Amd64(amd64::Tables),
    I386(i386::Rules),
}

/// What is known of a frame: its program counter and the registers RAX, RCX, RDX, RBX, RSP, RBP,
/// RSI, RDI, R8 to R15. On i386 the first eight are EAX to EDI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The program counter.
    pub rip: u64,
    /// Whether that is a return address: then what runs is the call in front of it, which may be the
    /// last instruction of its function.
    pub calls: bool,
    /// The numbered registers.
    pub registers: [u64; 16],
}

impl State {
    /// An address inside the instruction that runs.
    pub fn at(&self) -> u64 {
        self.rip.saturating_sub(u64::from(self.calls))
    }
}

/// The piece of stack: a word at an address, if it has it.
pub type Memory<'a> = &'a dyn Fn(u64) -> Option<u64>;

impl MappedImage {
    /// Reads the debug file at `path` of an image that is mapped at `base`.
    pub fn load(path: &Path, base: u64) -> Result<Self> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if let Ok(pe) = PeFile64::parse(&*bytes) {
            let frames = Frames::Amd64(amd64::Tables::of(&pe, &bytes));
            return Self::of(&pe, base, frames);
        }
        let pe = PeFile32::parse(&*bytes)?;
        let frames = Frames::I386(i386::Rules::of(&pe));
        Self::of(&pe, base, frames)
    }

    fn of<Pe: ImageNtHeaders>(pe: &PeFile<'_, Pe>, base: u64, frames: Frames) -> Result<Self> {
        let header = pe.nt_headers().optional_header();
        let mut dispatcher = None;
        for export in pe
            .export_table()?
            .map(|table| table.exports())
            .transpose()?
            .unwrap_or_default()
        {
            if export.name == Some(b"KiUserExceptionDispatcher")
                && let ExportTarget::Address(rva) = export.target
            {
                dispatcher = Some(rva);
            }
        }
        Ok(Self {
            base,
            preferred: header.image_base(),
            size: u64::from(header.size_of_image()),
            frames,
            dispatcher,
        })
    }

    /// Whether the address lies in the image.
    pub fn contains(&self, address: u64) -> bool {
        (self.base..self.base.saturating_add(self.size)).contains(&address)
    }

    /// Where what is mapped at `address` was linked to be.
    pub fn linked(&self, address: u64) -> Option<u64> {
        self.preferred.checked_add(address.checked_sub(self.base)?)
    }

    /// The caller's frame; `None` where the walk ends.
    pub fn caller(&self, state: &State, memory: Memory<'_>) -> Option<State> {
        let rva = u32::try_from(state.at().checked_sub(self.base)?).ok()?;
        let raised = self
            .dispatcher
            .is_some_and(|start| (start..start.saturating_add(DISPATCHER)).contains(&rva));
        let sp = state.registers[SP];
        let next = match &self.frames {
            Frames::Amd64(_) if raised => return amd64::interrupted(sp, memory),
            Frames::I386(_) if raised => return i386::interrupted(sp, memory),
            Frames::Amd64(tables) => tables.caller(rva, state, memory)?,
            Frames::I386(rules) => rules.caller(self.linked(state.at())?, state, memory)?,
        };
        // A walk that does not go up the stack goes in circles.
        (next.rip != 0 && next.registers[SP] > sp).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::i386::tests::{END, FUNCTION, rules, stack};
    use super::*;

    const PREFERRED: u64 = 0x40_0000;
    const BASE: u64 = 0x7000_0000;

    fn image() -> MappedImage {
        MappedImage {
            base: BASE,
            preferred: PREFERRED,
            size: 0x1_0000,
            frames: Frames::I386(rules()),
            dispatcher: None,
        }
    }

    fn caller(rip: u64, calls: bool, sp: u64) -> Option<State> {
        let mut state = State {
            rip: rip - PREFERRED + BASE,
            calls,
            ..State::default()
        };
        state.registers[SP] = sp;
        image().caller(&state, &stack)
    }

    #[test]
    fn an_image_is_walked_where_it_is_mapped() {
        let next = caller(FUNCTION, false, 0x5000).expect("the function is described");
        assert_eq!((next.rip, next.registers[SP]), (0x5000, 0x5004));
    }

    #[test]
    fn a_call_may_be_the_last_instruction_of_a_function() {
        assert_eq!(caller(END, false, 0x5000), None);
        let next = caller(END, true, 0x5000).expect("the call is in the function");
        assert_eq!(next.registers[SP], 0x5014);
    }

    #[test]
    fn a_walk_goes_up_the_stack_or_ends() {
        assert_eq!(caller(FUNCTION, false, u64::from(u32::MAX)), None);
        assert_eq!(caller(FUNCTION, false, 0), None);
    }
}
