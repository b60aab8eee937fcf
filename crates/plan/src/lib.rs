// SPDX-License-Identifier: GPL-2.0-or-later
//! What would a boot with this hive do?
//!
//! Nothing here knows what a Session Manager does: the real one boots on the executive's host, on a
//! copy of everything it is given ([`boot`]), and what it said and called is told in plain words
//! ([`Act`]). What a hive without its volume names is assumed to exist ([`Assumptions`]).
#![forbid(unsafe_code)]

mod assume;
mod moment;
mod story;
mod world;

pub use assume::{Assumed, Assumptions};
pub use moment::Moment;
pub use story::{Act, Verb};
pub use world::{Boot, Ground, SYSTEM_PATH, boot};

use anyhow::{Result, bail};
use executive::dump;
use executive::ex::hard_errors::{BugCheck, Parameter};
use executive::host::RunEnd;
use serde_json::{Value, json};

/// What was found missing is assumed to be there, boot by boot; one that is given more each time
/// and never has enough is given up.
const ROUNDS: u32 = 8;

/// A plan: what was done on which ground.
pub struct Plan {
    /// The boot that was played.
    pub boot: Boot,
    /// What it did, in order.
    pub acts: Vec<Act>,
    /// What was put on the volume for it.
    pub assumptions: Assumptions,
}

impl Plan {
    /// Boots until nothing is missing that may be assumed; on strict ground nothing may.
    ///
    /// # Errors
    /// As [`boot`]; something new is missing in every boot.
    pub fn of(ground: &Ground) -> Result<Self> {
        let mut assumptions = Assumptions::of(&ground.root);
        if !ground.strict && ground.volume.is_none() && ground.files.is_empty() {
            assumptions.add_renames(&ground.hives);
        }
        for _ in 0..ROUNDS {
            let boot = boot(ground, &assumptions)?;
            if ground.strict || !assumptions.learn(&boot.moments) {
                return Ok(Self {
                    acts: story::tell(&boot.moments),
                    boot,
                    assumptions,
                });
            }
        }
        bail!("after {ROUNDS} boots something new is still missing")
    }

    /// For programs, with everything that stands at the end.
    pub fn json(&self) -> Value {
        let end = match &self.boot.outcome {
            RunEnd::Settled => json!({ "settled": true }),
            RunEnd::Shutdown(action) => json!({ "shutdown": format!("{action:?}") }),
            RunEnd::Stopped(check) => json!({ "stopped": stopped(check) }),
        };
        let stands: Value =
            serde_json::from_str(&dump::json(&self.boot.snapshot)).unwrap_or(Value::Null);
        json!({
            "end": end,
            "acts": self.acts.iter().map(Act::json).collect::<Vec<_>>(),
            "assumed": self.assumptions.files.keys().collect::<Vec<_>>(),
            "stands": stands,
        })
    }
}

/// A stop in words: the parameters of the hard error, if there is one behind it.
pub fn stopped(check: &BugCheck) -> String {
    let parameters = match &check.hard_error {
        Some((status, parameters)) => {
            let shown: Vec<String> = parameters
                .iter()
                .map(|parameter| match parameter {
                    Parameter::Text(text, _) => text.clone(),
                    Parameter::Number(number) => format!("{number:#x}"),
                })
                .collect();
            format!("{status}: {}", shown.join(", "))
        }
        None => check
            .parameters
            .map(|number| format!("{number:#x}"))
            .join(", "),
    };
    format!("bugcheck {:08X}: {parameters}", check.code)
}
