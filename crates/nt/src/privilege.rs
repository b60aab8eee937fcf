// SPDX-License-Identifier: GPL-2.0-or-later
//! A privilege of this process, held for a while (spec 9.7).

use crate::system::{Privilege, PrivilegeHolder, SystemWide};
use crate::{Result, Status};

/// The privilege is enabled until this is dropped, which puts back what was before.
#[must_use = "the privilege is given back at once"]
pub struct Privileged<S: SystemWide> {
    system: S,
    /// What is to be disabled again; nothing if it was enabled before.
    gained: Option<Privilege>,
}

impl<S: SystemWide> Privileged<S> {
    /// Enables `privilege` in the process's token.
    ///
    /// # Errors
    /// `PRIVILEGE_NOT_HELD` if the token does not have it.
    pub fn acquire(system: S, privilege: Privilege) -> Result<Self> {
        let before = system.adjust_privilege(privilege, true, PrivilegeHolder::Process)?;
        let gained = (!before).then_some(privilege);
        Ok(Self { system, gained })
    }
}

impl<S: SystemWide> Drop for Privileged<S> {
    fn drop(&mut self) {
        if let Some(privilege) = self.gained
            && let Err(status) =
                self.system
                    .adjust_privilege(privilege, false, PrivilegeHolder::Process)
        {
            crate::warn!("privilege {privilege} stays enabled: {status}");
        }
    }
}

/// Enables the right to shut the system down, for this thread, or for the process if the thread has
/// no token of its own (spec 12.4). It is not given back: the system ends.
///
/// # Errors
/// `PRIVILEGE_NOT_HELD` if the token does not have it.
pub fn enable_shutdown<S: SystemWide>(system: S) -> Result<()> {
    let enable = |holder| system.adjust_privilege(Privilege::Shutdown, true, holder);
    let answer = match enable(PrivilegeHolder::Thread) {
        Err(Status::NO_TOKEN) => enable(PrivilegeHolder::Process),
        answer => answer,
    };
    answer.map(drop)
}
