// SPDX-License-Identifier: GPL-2.0-or-later
//! The host's world: a whole system in one process of the host, deterministic, for tests.
//!
//! [`World`] builds a system (disk, registry, programs) and runs it. Every NT process is a set of
//! host threads that reach the executive through a [`Seam`], which implements the same traits as
//! the real system-call layer; exactly one of them runs at any time ([`scheduler`]). Each seam call
//! counts as the system calls it stands for, is traced under their names, and can be made to fail
//! ([`faults`]).

pub mod disk;
pub mod faults;
pub mod interference;
pub mod machine;
pub mod scheduler;
mod seam;
#[cfg(test)]
mod tests;
pub mod world;

pub use disk::{LiveDisk, VolumeImage, after_power_cut};
pub use faults::Fault;
pub use machine::{DiskEvent, MemoryDisk};
pub use seam::Seam;
pub use world::{ProcessReport, RunEnd, World};
