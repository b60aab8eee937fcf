// SPDX-License-Identifier: GPL-2.0-or-later
//! The programs on a machine of the executive's host: files on its volume, with their code.

extern crate std;

use crate::{PROGRAMS, Program, Statics, find};
use executive::host::{Seam, World};
use formats::utf16;
use nt::{Status, UnicodeStr};
use std::boxed::Box;

/// Puts every program into the machine's `\SystemRoot\System32`.
pub fn install(world: &mut World) {
    for program in PROGRAMS {
        world.program(program.name, program.subsystem, code(program));
    }
}

/// What a process of `program` does. What it keeps is leaked: it outlives the process's threads,
/// whenever those end.
pub fn code(program: &Program) -> impl Fn(&'static Seam) -> Status + Send + Sync + use<> {
    let name = utf16(program.name);
    move |seam| {
        let (_, main) = find(UnicodeStr(&name)).expect("a program of the table has code");
        main(seam, Box::leak(Box::new(Statics::new(seam))))
    }
}
