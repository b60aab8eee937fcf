// SPDX-License-Identifier: GPL-2.0-or-later
//! What several options of a verb say together, looked into before anything is done: each of them
//! has passed alone ([`given`](super::given)).

use super::Verb;
use crate::medium::supplies::Supplies;
use crate::reactos::{programs, volume};
use anyhow::Result;

/// The name of a program, and where the system is on a disk.
fn alone(supplies: &Supplies) -> Result<()> {
    supplies.program.look()?;
    supplies.root().map(drop)
}

/// Looks at it.
///
/// # Errors
/// A sentence with what is wrong, and what to do.
pub fn look(verb: &Verb) -> Result<()> {
    match verb {
        Verb::Run(options) => {
            if let Some(iso) = &options.from {
                programs::look(iso, &options.with)?;
            }
            alone(&options.supplies)
        }
        Verb::Gdb(options) => alone(&options.supplies),
        Verb::Compare(options) => {
            volume::look(&options.from)?;
            programs::look(&options.from, &options.with)
        }
        Verb::Budgets(options) => options.from.as_deref().map_or(Ok(()), volume::look),
        _ => Ok(()),
    }
}
