// SPDX-License-Identifier: GPL-2.0-or-later
//! The NT executive of the shim: objects, processes, the registry, ports, memory, files, without a
//! line of machine code.
//!
//! One [`Executive`] is one running system. It stands on a [`machine::Machine`]: the shim's kernel
//! on the bare hardware, or a machine in memory on the host ([`host`]), where the same Session
//! Manager runs as threads of a test.
//!
//! How a module adds what it has:
//! * *a type of objects*: a variant of [`system::Body`], a row of [`system::TYPES`] with its hooks;
//! * *a service*: a method of [`Executive`] that takes the calling thread's id and typed arguments
//!   and gives a typed result. System calls (`services`) and the host seam are two ways to call it;
//! * *a service that blocks*: it parks the thread ([`Executive::park`], [`Executive::wait`]) and
//!   says [`Completion::Pending`]. What ends the wait calls [`Executive::unpark`]; when the thread
//!   runs again, [`Executive::take_completion`] has the status of its call.
//!
//! Invariants: nothing here blocks the processor; nothing depends on addresses or on the host's
//! time, so that the same boot takes the same course every time.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "host"))]
extern crate std;

pub mod cm;
pub mod dump;
pub mod ex;
#[cfg(any(test, feature = "host"))]
pub mod host;
pub mod ids;
pub mod io;
pub mod ke;
pub mod layout;
pub mod lpc;
pub mod machine;
pub mod mm;
pub mod nls;
pub mod ob;
pub mod ps;
pub mod se;
pub mod services;
pub mod spelling;
pub mod system;
pub mod trace;

pub use system::{Completion, Executive, Version};
