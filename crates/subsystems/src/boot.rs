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
use nt::{Handle, UnicodeStr};

/// Session 0 with its servers up and its initial command chosen. While this lives, nobody else
/// makes or ends a session.
pub struct Session0<S: System> {
    manager: &'static Manager<S>,
    _inside: Inside<'static, S>,
    terminal: TerminalId,
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
        let inside = session_space::pass_gate(self).or_stop(Essential::SessionSpace, "gate")?;
        let mut terminal = TerminalId::CONSOLE;
        let mut command = Command::new();
        match prepare(self, &mut terminal, &mut command) {
            Ok(()) => Ok(Session0 {
                manager: self,
                _inside: inside,
                terminal,
                server: servers::lend_windows(self, terminal),
                command,
            }),
            Err(stop) => {
                // Nothing of session 0 is ended: its csrss may be critical by now, and its end
                // would hide why the system stops.
                let _ = session_space::leave(self);
                Err(stop)
            }
        }
    }
}

/// Makes session 0 as far as its `command`: with the step that failed.
fn prepare<S: System>(
    sm: &'static Manager<S>,
    terminal: &mut TerminalId,
    command: &mut Command,
) -> Result<(), Stop> {
    const OBJECT: &str = "session 0";
    let plan = sm.plan().or_stop(Essential::SessionSpace, OBJECT)?;
    *terminal = session_space::enter(sm)
        .or_stop(Essential::SessionSpace, OBJECT)?
        .unwrap_or(TerminalId::CONSOLE);
    sm.tables
        .lock()
        .terminals
        .start(*terminal)
        .or_stop(Essential::SessionSpace, OBJECT)?;
    start::required(sm, plan, *terminal).or_stop(Essential::RequiredSubsystem, OBJECT)?;
    initial::choose(
        sm.system,
        sm.policy(),
        plan,
        terminal.0,
        UnicodeStr::EMPTY,
        command,
    )
    .or_stop(Essential::InitialCommand, OBJECT)
}

impl<S: System> Session0<S> {
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
            Err(status) => Err(Essential::InitialCommand.stop(&self.command, status)),
        }
    }
}
