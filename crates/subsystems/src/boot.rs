// SPDX-License-Identifier: GPL-2.0-or-later
//! Session 0, and whatever else stands when the boot is over (spec 9.2, 11.5, 12.1).
//!
//! NT 5.2 makes session 0 itself and stays in its space until the initial command is created, so
//! that everything smss starts in between joins it. NT 6 lets child instances do it.

use crate::end::Watched;
use crate::gate::Inside;
use crate::initial::{self, Command};
use crate::manager::Manager;
use core::fmt;
use nt::failure::{Step, Stop, judge};
use nt::system::System;
use nt::{Handle, Status, UnicodeStr};

/// Session 0 with its servers up and its initial command chosen. While this lives, nobody else
/// makes or ends a session.
pub struct Session0<S: System> {
    manager: &'static Manager<S>,
    _inside: Inside<'static, S>,
    session: u32,
    server: Option<Handle>,
    command: Command,
}

impl<S: System> Manager<S> {
    /// NT 5.2: makes session 0, starts its servers, runs the Execute list (spec 9.2 #3-#5). Blocks
    /// until the servers have registered.
    ///
    /// # Errors
    /// [`Stop`] if the session cannot be made or a required server does not come up.
    pub fn load_session0(&'static self) -> Result<Session0<S>, Stop> {
        let inside = self
            .enter_gate()
            .map_err(|status| stop(Step::SessionSpace, "gate", status))?;
        let mut session = 0;
        let mut command = Command::new();
        match self.prepare(&mut session, &mut command) {
            Ok(()) => Ok(Session0 {
                manager: self,
                _inside: inside,
                session,
                server: self.lend_server(session),
                command,
            }),
            Err((step, status)) => {
                // Nothing of session 0 is ended: its csrss may be critical by now, and its end
                // would hide why the system stops.
                let _ = self.leave_session_space();
                Err(stop(step, "session 0", status))
            }
        }
    }

    /// Makes session 0 as far as its `command`: with the step that failed.
    fn prepare(
        &'static self,
        session: &mut u32,
        command: &mut Command,
    ) -> Result<(), (Step, Status)> {
        let plan = self.plan().map_err(at(Step::SessionSpace))?;
        *session = self
            .enter_session_space()
            .map_err(at(Step::SessionSpace))?
            .unwrap_or(0);
        self.add_session(*session).map_err(at(Step::SessionSpace))?;
        self.start_required(plan, *session)
            .map_err(at(Step::RequiredSubsystem))?;
        initial::choose(
            self.system,
            self.policy,
            plan,
            *session,
            UnicodeStr::EMPTY,
            command,
        )
        .map_err(at(Step::InitialCommand))
    }

    /// The process handle of the Windows server of `session`, which belongs to the caller from now
    /// on.
    pub(crate) fn lend_server(&self, session: u32) -> Option<Handle> {
        let server = self.windows_server(session)?;
        // Whether it is terminating, the wait for it tells.
        let _ = server.update(&mut |record| record.process_lent = true);
        Some(server.view().process)
    }
}

impl<S: System> Session0<S> {
    /// Starts the initial command and leaves the session's space (spec 1.3 #7, #8): what to wait
    /// for. Blocks.
    ///
    /// # Errors
    /// [`Stop`] if the initial command cannot be started or is not taken over.
    pub fn start_initial(self) -> Result<Watched, Stop> {
        let manager = self.manager;
        let started = manager.start_initial(self.session, self.command.as_str());
        // A failure has been told.
        let _ = manager.leave_session_space();
        match started {
            Ok(()) => {
                let initial_name = manager.policy.initial_process_name;
                Ok(Watched {
                    server: self.server,
                    initial: manager.take_initial(self.session),
                    initial_name,
                })
            }
            Err(status) => Err(stop(Step::InitialCommand, &self.command, status)),
        }
    }
}

/// `status` as the failure of `step`.
pub(crate) fn at(step: Step) -> impl FnOnce(Status) -> (Step, Status) {
    move |status| (step, status)
}

/// The stop of `step`, reported as failed on `object`.
pub(crate) fn stop(step: Step, object: impl fmt::Display, status: Status) -> Stop {
    // The table calls these steps fatal; if it ever did not, the caller would still have nothing to
    // go on with.
    judge(step, object, status)
        .err()
        .unwrap_or(Stop { step, status })
}
