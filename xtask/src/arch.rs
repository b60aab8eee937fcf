// SPDX-License-Identifier: GPL-2.0-or-later
//! The machines that smss.exe is built for, and which of them a file is for.
//!
//! The shim is told for which of them its programs are. What is to be replaced says itself for
//! which machine the replacement must be.

use clap::ValueEnum;
use executive::machine::Architecture;
use object::pe::{IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_I386};
use std::fmt;

/// A machine, by the name that ReactOS' build has for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    /// x86-64
    #[default]
    Amd64,
    /// 32-bit x86, from the Pentium on
    I386,
}

impl Arch {
    /// The machine with this number in a PE header; none if nothing is built for it.
    pub fn of(machine: u16) -> Option<Self> {
        [Self::Amd64, Self::I386]
            .into_iter()
            .find(|arch| arch.machine() == machine)
    }

    /// Its number in a PE header.
    pub fn machine(self) -> u16 {
        match self {
            Self::Amd64 => IMAGE_FILE_MACHINE_AMD64,
            Self::I386 => IMAGE_FILE_MACHINE_I386,
        }
    }

    /// The same machine, as the executive has it.
    pub const fn executive(self) -> Architecture {
        match self {
            Self::Amd64 => Architecture::Amd64,
            Self::I386 => Architecture::I386,
        }
    }

    /// What the shim's kernel is told on its command line, if anything, before `more`.
    pub fn kernel_words(self, more: &str) -> String {
        match self {
            Self::Amd64 => more.to_owned(),
            Self::I386 => format!("arch=i386 {more}"),
        }
    }

    /// The name of the Rust target of its native images: that of a file at the top of the checkout.
    pub fn target(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-nt-native",
            Self::I386 => "i686-nt-native",
        }
    }

    /// GDB's name of a processor of this kind.
    pub fn gdb(self) -> &'static str {
        match self {
            Self::Amd64 => "i386:x86-64",
            Self::I386 => "i386",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Amd64 => "amd64",
            Self::I386 => "i386",
        })
    }
}
