// SPDX-License-Identifier: GPL-2.0-or-later
//! Session 0, and whatever else stands when the boot is over (spec 9.2, 11.5, 12.1).
//!
//! NT 5.2 makes session 0 itself and stays in its space until the initial command is created, so that everything smss starts in between
//! joins it. NT 6 lets child instances do it.

use crate::end::Watched;
use crate::gate::Inside;
use crate::initial::{self, Command};
use crate::manager::Manager;
use crate::sessions::Stage;
use core::fmt;
use nt::failure::{Step, Stop, judge};
use nt::system::{ImageSubsystem, System};
use nt::{Handle, Owned, Status, UnicodeStr};

/// Session 0 with its servers up and its initial command chosen. While this lives, nobody else makes or ends a session.
pub struct Session0<S: System> {
    manager: &'static Manager<S>,
    _inside: Inside<'static, S>,
    session: u32,
    server: Option<Handle>,
    command: Command,
}

impl<S: System> Manager<S> {
    /// NT 5.2: makes session 0, starts its servers, runs the Execute list (spec 9.2 #3-#5). Blocks until the servers have registered.
    ///
    /// # Errors
    /// [`Stop`] if the session cannot be made or a required server does not come up.
    pub fn load_session0(&'static self) -> Result<Session0<S>, Stop> {
        let plan = self.plan().map_err(|status| stop(Step::SessionSpace, "configuration", status))?;
        let inside = self.enter_gate().map_err(|status| stop(Step::SessionSpace, "gate", status))?;
        let session = self.enter_session_space().map_err(|status| stop(Step::SessionSpace, "session 0", status))?.unwrap_or(0);
        // Nothing of session 0 is ended: its csrss may be critical by now, and its end would hide why the system stops.
        let undone = |stop: Stop| {
            self.leave_session_space();
            stop
        };
        self.add_session(session).map_err(|status| undone(stop(Step::SessionSpace, "session 0", status)))?;
        self.start_required(session).map_err(|status| undone(stop(Step::RequiredSubsystem, "session 0", status)))?;
        let mut command = Command::new();
        initial::choose(self.system, &self.policy, plan, session, UnicodeStr::EMPTY, &mut command)
            .map_err(|status| undone(stop(Step::InitialCommand, "session 0", status)))?;
        let server = self.lend_server(session);
        Ok(Session0 { manager: self, _inside: inside, session, server, command })
    }

    /// The process handle of the Windows server of `session`, which belongs to the caller from now on.
    pub(crate) fn lend_server(&self, session: u32) -> Option<Handle> {
        let server = self.server_for(session, ImageSubsystem::WINDOWS_GUI)?;
        let mut handle = Handle::NULL;
        server
            .update(|record| {
                record.process_lent = true;
                handle = record.process;
            })
            .ok()?;
        Some(handle)
    }
}

impl<S: System> Session0<S> {
    /// Starts the initial command and leaves the session's space (spec 1.3 #7, #8): what to wait for. Blocks.
    ///
    /// # Errors
    /// [`Stop`] if the initial command cannot be started or is not taken over.
    pub fn start_initial(self) -> Result<Watched, Stop> {
        let manager = self.manager;
        let started = manager.start_initial(self.session, self.command.as_str());
        let result = match started {
            Ok(process) => {
                manager.with_session(self.session, |terminal| terminal.stage = Stage::Running);
                let initial_name = manager.policy().initial_process_name;
                Ok(Watched { server: self.server, initial: Owned::into_raw(process), initial_name })
            }
            Err(status) => Err(stop(Step::InitialCommand, &self.command, status)),
        };
        manager.leave_session_space();
        result
    }
}

/// The stop of `step`, reported as failed on `object`.
pub(crate) fn stop(step: Step, object: impl fmt::Display, status: Status) -> Stop {
    // The table calls these steps fatal; if it ever did not, the caller would still have nothing to go on with.
    judge(step, object, status).err().unwrap_or(Stop { step, status })
}
