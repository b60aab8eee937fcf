// SPDX-License-Identifier: GPL-2.0-or-later
//! What a thread is.

use crate::ids::{ObjectId, ProcessId, ThreadId};
use crate::ke::Waiting;
use alloc::collections::BTreeSet;
use nt::Status;

/// A thread.
#[derive(Debug)]
pub struct Thread {
    /// `UniqueThread`.
    pub id: ThreadId,
    /// Its object.
    pub object: ObjectId,
    /// Its process.
    pub process: ProcessId,
    /// Where its TEB is; 0 for a thread of the System process.
    pub teb: u64,
    /// Where it starts, as NtQueryInformationThread tells.
    pub start_address: u64,
    /// What it waits for.
    pub wait: Option<Waiting>,
    /// What its wait gave, until its call takes it.
    pub completion: Option<Status>,
    /// The mutants it owns, by their objects: given back when it ends.
    pub mutants: BTreeSet<ObjectId>,
    /// How often it was suspended.
    pub suspended: u32,
    /// It has ended.
    pub ended: bool,
    /// Exit status; `PENDING` before.
    pub exit_status: Status,
    /// `ThreadBreakOnTermination`.
    pub critical: bool,
    /// `HardErrorsAreDisabled`.
    pub hard_errors_disabled: bool,
    /// The token it acts with instead of its process's: an object, to which it holds a reference.
    pub impersonation: Option<ObjectId>,
    /// When it was made, NT time.
    pub create_time: u64,
    /// When it ended, NT time; 0 before.
    pub exit_time: u64,
}
