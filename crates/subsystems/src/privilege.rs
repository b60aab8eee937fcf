// SPDX-License-Identifier: GPL-2.0-or-later
//! A privilege of this process, held for a while (spec 9.7).

use nt::Result;
use nt::system::{Machine, Privilege, PrivilegeHolder};

/// The privilege is enabled until this is dropped, which puts back what was before.
pub(crate) struct Privileged<'s, S: Machine> {
    system: &'s S,
    privilege: Privilege,
    before: bool,
}

impl<'s, S: Machine> Privileged<'s, S> {
    /// Enables `privilege` in the process's token. `PRIVILEGE_NOT_HELD` if the token lacks it.
    pub(crate) fn acquire(system: &'s S, privilege: Privilege) -> Result<Self> {
        let before = system.adjust_privilege(privilege, true, PrivilegeHolder::Process)?;
        Ok(Self {
            system,
            privilege,
            before,
        })
    }
}

impl<S: Machine> Drop for Privileged<'_, S> {
    fn drop(&mut self) {
        if !self.before
            && let Err(status) =
                self.system
                    .adjust_privilege(self.privilege, false, PrivilegeHolder::Process)
        {
            nt::warn!("privilege {:?} stays enabled: {status}", self.privilege);
        }
    }
}
