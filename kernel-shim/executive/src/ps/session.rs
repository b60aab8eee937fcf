// SPDX-License-Identifier: GPL-2.0-or-later
//! Session spaces: how many processes are in each, who made the first, what was loaded for them (spec
//! 9.3, 11.4, 11.5).

use crate::ids::ProcessId;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// As many sessions as NT's bitmap has.
const MAXIMUM_SESSIONS: u32 = 64;
/// Session spaces.
#[derive(Debug, Default)]
pub struct Sessions {
    /// Who made the first session.
    leader: Option<ProcessId>,
    /// How many processes are in each session.
    members: BTreeMap<u32, usize>,
    /// Drivers that were loaded through the service table, by their paths, in order.
    drivers: Vec<String>,
}

impl Sessions {
    /// Who made the first session.
    pub const fn leader(&self) -> Option<ProcessId> {
        self.leader
    }

    /// Notes who made a session; the first one stays the leader.
    pub fn led_by(&mut self, process: ProcessId) {
        self.leader.get_or_insert(process);
    }

    /// The lowest number that no session has, if one more may be made.
    pub fn free(&self) -> Option<u32> {
        (0..MAXIMUM_SESSIONS).find(|session| !self.members.contains_key(session))
    }

    /// A process is in this session from now on.
    pub fn join(&mut self, session: u32) {
        *self.members.entry(session).or_default() += 1;
    }

    /// A process has left this session; with the last one the session goes.
    pub fn leave(&mut self, session: u32) {
        if let Some(members) = self.members.get_mut(&session) {
            *members -= 1;
            if *members == 0 {
                self.members.remove(&session);
            }
        }
    }

    /// How many processes are in each session.
    pub const fn members(&self) -> &BTreeMap<u32, usize> {
        &self.members
    }

    /// Drivers that were loaded through the service table, by their paths, in order.
    pub fn drivers(&self) -> &[String] {
        &self.drivers
    }

    /// A driver was loaded.
    pub fn loaded(&mut self, driver: &str) {
        self.drivers.push(driver.into());
    }
}
