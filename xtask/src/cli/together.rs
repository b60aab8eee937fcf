// SPDX-License-Identifier: GPL-2.0-or-later
//! What several options of a verb say together, looked into before anything is done: each of them
//! has passed alone ([`given`](super::given)).

use super::Verb;
use crate::reactos::{programs, volume};
use anyhow::Result;

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
            options.supplies.root().map(drop)
        }
        Verb::Gdb(options) => options.supplies.root().map(drop),
        Verb::Compare(options) => {
            volume::look(&options.from)?;
            programs::look(&options.from, &options.with)
        }
        Verb::Budgets(options) => options.from.as_deref().map_or(Ok(()), volume::look),
        _ => Ok(()),
    }
}
