// SPDX-License-Identifier: GPL-2.0-or-later
//! Processes, threads, sessions: what is known of each (spec 1.1, 1.4, 9.3, 9.7).
//!
//! A process or thread *runs* until it has ended; after that its object and its record stay as long
//! as somebody has a handle to it, because its exit status can still be asked for.
//!
//! The records of processes and threads have public fields: nearly every one of them is the place
//! where two areas meet (handles and objects, an address space and its segments, a wait and what is
//! waited for), so that an operation on one borrows several at once, and a method a field would only
//! hide that. The invariants over them are kept by [`crate::system`].

pub mod blocks;
pub mod process;
pub mod session;
pub mod thread;

pub use process::{Process, SystemCall, SystemDll};
pub use session::Sessions;
pub use thread::Thread;
