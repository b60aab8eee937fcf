// SPDX-License-Identifier: GPL-2.0-or-later
//! Session 0 of NT 5.2 (spec 9.2, 12.1).
//!
//! smss makes session 0 itself and stays in its space until the initial command is created, so that
//! everything smss starts in between joins it. In NT 6 child instances do it ([`crate::nt6`]).

use crate::end::Watched;
use crate::gate::Inside;
use crate::initial::{self, Command};
use crate::manager::Manager;
use crate::servers;
use crate::session_space;
use crate::start;
use crate::state::ids::TerminalId;
use nt::failure::{Attempt, Essential, Stop};
use nt::system::System;
use nt::{Handle, Result, UnicodeStr};

/// Session 0 with its servers up and its initial command chosen. While this lives, nobody else
/// makes or ends a session.
pub struct Session0<'c, S: System> {
    manager: &'static Manager<S>,
    _inside: Inside<'static, S>,
    terminal: TerminalId,
    server: Option<Handle>,
    command: &'c mut Command,
}

impl<S: System> Manager<S> {
    /// NT 5.2: makes session 0, starts its servers, runs the Execute list (spec 9.2 #3-#5), and puts
    /// the initial command where `command` is, which is empty. Blocks until the servers have registered.
    ///
    /// # Errors
    /// [`Stop`] if the session cannot be made or a required server does not come up.
    pub fn load_session0<'c>(
        &'static self,
        command: &'c mut Command,
    ) -> Result<Session0<'c, S>, Stop> {
        let inside = session_space::pass_gate(self).or_stop(Essential::SessionSpace, "gate")?;
        let mut session = Session0 {
            manager: self,
            _inside: inside,
            terminal: TerminalId::CONSOLE,
            server: None,
            command,
        };
        let mut step = Essential::SessionSpace;
        if let Err(status) = prepare(self, &mut session, &mut step) {
            let stop = step.stop("session 0", status);
            // Nothing of session 0 is ended: its csrss may be critical by now, and its end would
            // hide why the system stops.
            let _ = session_space::leave(self);
            return Err(stop);
        }
        Ok(session)
    }
}

/// Makes session 0 as far as its command. What has failed is the `step` that it leaves behind.
fn prepare<S: System>(
    sm: &'static Manager<S>,
    session: &mut Session0<'_, S>,
    step: &mut Essential,
) -> Result<()> {
    let plan = sm.plan()?;
    let terminal = session_space::enter(sm)?.unwrap_or(TerminalId::CONSOLE);
    session.terminal = terminal;
    sm.tables.lock().terminals.start(terminal)?;
    *step = Essential::RequiredSubsystem;
    start::required(sm, plan, terminal)?;
    *step = Essential::InitialCommand;
    let (policy, command) = (sm.policy(), &mut *session.command);
    initial::choose(
        sm.system,
        policy,
        plan,
        terminal.0,
        UnicodeStr::EMPTY,
        command,
    )?;
    session.server = servers::lend_windows(sm, terminal);
    Ok(())
}

impl<S: System> Session0<'_, S> {
    /// Starts the initial command and leaves the session's space (spec 1.3 #7, #8): what to wait
    /// for. Blocks.
    ///
    /// # Errors
    /// [`Stop`] if the initial command cannot be started or is not taken over.
    pub fn start_initial(self) -> Result<Watched, Stop> {
        let manager = self.manager;
        let started = initial::start(manager, self.terminal, self.command.as_str());
        // A failure has been told.
        let _ = session_space::leave(manager);
        match started {
            Ok(()) => Ok(Watched {
                server: self.server,
                initial_name: manager.policy().initial_process_name,
                initial: manager.tables.lock().terminals.take_initial(self.terminal),
            }),
            Err(status) => Err(Essential::InitialCommand.stop(&*self.command, status)),
        }
    }
}
