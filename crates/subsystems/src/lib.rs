// SPDX-License-Identifier: GPL-2.0-or-later
//! Subsystem servers, sessions, the port that serves them, the initial command (spec 9 to 12).
//!
//! [`Manager`] is the state behind `\SmApiPort`; it lives as long as the process. What the registry
//! says comes in through [`Plan`], what the NT version decides is a [`Policy`]. The two protocols
//! are the crate `sm_protocol`.
//!
//! Invariants: nothing a client sends is believed before the kernel or a table of sizes has
//! confirmed it; the port is listened to at any time, whatever blocks; what a failed request has
//! begun is undone before it is answered.
//!
//! # States
//!
//! Three kinds of record have states. Each transition is one method, and the file named is the only
//! one that changes the record.
//!
//! Subsystem server (`state/servers.rs`):
//!
//! | from | event | transition | to |
//! |---|---|---|---|
//! | | it is about to be created, and it is its turn | `reserve`, `reserve_next` | reserved |
//! | reserved | its process is there, suspended | `created` | created |
//! | created | it asks to connect to `\SmApiPort` and announces a type | `register` | registering |
//! | registering | the connection cannot be made | `refused` | created |
//! | registering | the connection is made | `registered` | registered |
//! | registered | smss has reached its call-back port | `called_back` | in service |
//! | any of these | it ended, was given up, or its session ends | `retire` | retired |
//! | retired | the last reference goes | `release` | (gone) |
//!
//! Terminal session (`state/terminals.rs`):
//!
//! | from | event | transition | to |
//! |---|---|---|---|
//! | | its session space is made | `start` | starting |
//! | starting | its initial command has a process, suspended | `initial_created`, `keep_initial` | starting |
//! | starting | its csrss or its initial command ends | `server_lost`, `process_ended` | starting (noted) |
//! | starting | everything in it stands, also its csrss | `stands` | running |
//! | running | its process goes to the main thread, which waits for it | `take_initial` | running |
//! | starting | a step failed | `remove` | (gone) |
//! | running | StopCsr; `server_lost`; in NT 6 `process_ended` | `remove` | (gone) |
//!
//! Child instance, NT 6 (`state/instances.rs`):
//!
//! | from | event | transition | to |
//! |---|---|---|---|
//! | | it is about to be created | `reserve` | reserved |
//! | reserved | its process is there, suspended | `created` | created |
//! | created | it reports its session, which starts with that | `has_made` | has made its session |
//! | any of these | its process has ended, or was too slow and is ended | `remove` | (gone) |
//!
//! An environment session (`state/environments.rs`) is either in the table or not.
//!
//! # Layers
//!
//! Imports go down this list and never up; what stands in one line does not import each other,
//! unless an arrow says so.
//!
//! 1. `policy`, `plan`, `state`: what is decided, told and known. In `state`: `ids`, `slots`,
//!    `threads`; then `clients`, `servers`, `terminals`, `environments`, `instances`; then `state`
//!    itself, which joins them.
//! 2. `kernel`, `identity`: requests to the kernel.
//! 3. `end`, `gate`, `watchdog`: helpers.
//! 4. `manager`: the tables with what guards them; `process` beside it.
//! 5. `servers`: references and lookups; then `callback`, the calls to them.
//! 6. `session_space`, `exec`; then `initial`.
//! 7. `start`: a server comes up.
//! 8. `sessions`, `boot`: the verbs of NT 5.
//! 9. `nt6`: `instance` is the child's side, `orphans` and then `resident` the other.
//! 10. `api`: `pool`, `query`; then `connections` and `requests`; then `port`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod api;
mod boot;
mod callback;
pub mod end;
mod exec;
mod gate;
mod identity;
mod initial;
mod kernel;
mod manager;
mod nt6;
mod plan;
pub mod policy;
mod process;
mod servers;
mod session_space;
mod sessions;
mod start;
mod state;
mod watchdog;

pub use boot::Session0;
pub use initial::Command;
pub use manager::Manager;
pub use nt6::instance;
pub use plan::{Plan, Subsystem};
pub use policy::{Policy, SERVER_TIMEOUT};
pub use state::clients::CLIENTS;
pub use state::records::{Kind, Record, Stage};
pub use state::servers::SERVERS;
pub use state::terminals::SESSIONS;
pub use state::threads::{INITIAL_THREADS, MAXIMUM_THREADS};
pub use state::{Counts, TableSpace};
