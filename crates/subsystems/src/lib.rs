// SPDX-License-Identifier: GPL-2.0-or-later
//! Subsystem servers, sessions, the SM and SB protocols, the initial command (spec 9 to 12).
//!
//! [`Manager`] is the state behind `\SmApiPort` and everything done with it; it lives as long as
//! the process. What the registry says comes in through [`Plan`], what the NT version decides is a
//! [`Policy`]. The two protocols are the crate `sm_protocol`.
//!
//! Invariants: nothing a client sends is believed before the kernel or a table of sizes has
//! confirmed it; the port is listened to at any time, whatever blocks; what a failed request has
//! begun is undone before it is answered.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod adopt;
mod boot;
mod children;
mod clients;
mod connect;
mod deadline;
pub mod end;
mod environments;
mod gate;
mod initial;
pub mod instance;
mod load;
mod manager;
mod plan;
pub mod policy;
mod port;
mod privilege;
mod requests;
mod servers;
mod sessions;
mod slots;

pub use boot::Session0;
pub use deadline::SERVER_TIMEOUT;
pub use manager::{CLIENTS, Counts, Manager, SERVERS, SESSIONS, TableSpace};
pub use plan::{Entry, Plan};
pub use policy::Policy;
pub use port::{INITIAL_THREADS, MAXIMUM_THREADS};
