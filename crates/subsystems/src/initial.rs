// SPDX-License-Identifier: GPL-2.0-or-later
//! The initial command of a session: which one it is, and how it starts (spec 12.1).
//!
//! It is created suspended and handed to the session's csrss as by an ExecPgm request, so that it
//! runs its first instruction only after csrss has taken it over.

use crate::exec;
use crate::manager::Manager;
use crate::plan::Plan;
use crate::policy::Policy;
use crate::process;
use crate::state::ids::{ProcessId, TerminalId};
use launch::Child;
use nt::failure::{Attempt, Skippable};
use nt::system::{System, UserProcessInformation};
use nt::{ClientId, Result, Status, UnicodeBuf, UnicodeStr, wide};

/// Units of the longest initial command.
const COMMAND_UNITS: usize = 256;

/// The initial command with its debugger, if any (spec 13.2).
pub type Command = UnicodeBuf<COMMAND_UNITS>;

/// Pause before an initial command from `Execute`, in milliseconds (spec 12.1).
const EXECUTE_DELAY: u32 = 5_000;
const FLG_DEBUG_INITIAL_COMMAND: u32 = 0x4;
const FLG_DEBUG_INITIAL_COMMAND_EX: u32 = 0x0400_0000;

/// Puts the initial command of `session` into `text`, which is empty: `wanted` if that is not empty, else the last
/// `Execute` entry, else the default of the policy, under its debugger (spec 1.3 #6, 12.1 #1-#3).
/// Runs the other `Execute` entries (D21). Blocks.
pub fn choose<S: System>(
    system: S,
    policy: &Policy,
    plan: &dyn Plan<S>,
    session: u32,
    wanted: UnicodeStr<'_>,
    text: &mut Command,
) -> Result<()> {
    let entries = (0..).map_while(|index| plan.execute(index)).count();
    let others = entries.saturating_sub(1);
    let last = plan.execute(others);
    if last.is_some()
        && let Err(status) = system.delay(EXECUTE_DELAY)
    {
        nt::warn!("initial command: delay: {status}");
    }
    match last {
        _ if !wanted.is_empty() => text.push(wanted)?,
        Some(command) => text.push(command)?,
        None if session == 0 => with_debugger(
            system,
            plan.session0_command().unwrap_or(policy.session0_command),
            text,
        )?,
        None => with_debugger(system, policy.session_command, text)?,
    }
    for command in (0..others).filter_map(|index| plan.execute(index)) {
        plan.launcher()
            .execute(command, session)
            .or_skip(Skippable::Execute, command);
    }
    Ok(())
}

/// `<debugger> <command>`, where the debugger is that of GlobalFlag or of the image's execution
/// options. A debugger that does not fit is left out, not cut.
#[inline(never)]
fn with_debugger<S: System>(system: S, command: UnicodeStr<'_>, text: &mut Command) -> Result<()> {
    let flags = system.own_global_flag();
    let mut buffer = [0; 256];
    let debugger = if flags & FLG_DEBUG_INITIAL_COMMAND_EX != 0 {
        wide!("ntsd -d -g -x")
    } else if flags & FLG_DEBUG_INITIAL_COMMAND != 0 {
        wide!("ntsd -d")
    } else {
        let image = command.token().map_or(command, |(image, _)| image);
        // Most images have no such option.
        system
            .query_image_debugger(image, &mut buffer)
            .map_or(UnicodeStr::EMPTY, UnicodeStr::until_nul)
    };
    if !debugger.is_empty() {
        // With a blank between them.
        if debugger.len() + command.len() < COMMAND_UNITS {
            text.push(debugger)?;
            text.push(wide!(" "))?;
        } else {
            let status = Status::NAME_TOO_LONG;
            nt::warn!("debugger {debugger} of {command}: {status}: started without it");
        }
    }
    text.push(command)
}

/// Creates the initial command suspended. What its creation tells is put where `told` is.
#[inline(never)]
pub(crate) fn create<'t, S: System>(
    plan: &dyn Plan<S>,
    session: u32,
    command: UnicodeStr<'_>,
    told: &'t mut UserProcessInformation,
) -> Result<Child<'t, S>> {
    nt::info!("session {session}: initial command {command}");
    process::create(plan, session, command, false, told)
}

/// Starts `command` as the initial command of `terminal`, which stands from now on. The caller is
/// inside the gate. Blocks until the command is taken over.
///
/// ReactOS' smss sends itself an ExecPgm request for that (spec 12.1 #4, #9); csrss is told the same
/// by a call of the same verb, and nobody waits for a thread of the port.
pub(crate) fn start<S: System>(
    sm: &'static Manager<S>,
    terminal: TerminalId,
    command: UnicodeStr<'_>,
) -> Result<()> {
    let mut told = UserProcessInformation::untold();
    let child = create(sm.plan()?, terminal.0, command, &mut told)?;
    sm.tables
        .lock()
        .terminals
        .initial_created(terminal, ProcessId::of(child.client()));
    child.or_kill(exec::adopt(
        sm,
        terminal,
        child.information(),
        ClientId::default(),
    ))?;
    let process = child.into_handles().0;
    let mut tables = sm.tables.lock();
    if tables.terminals.keep_initial(terminal, process.get()) {
        // The record owns it now.
        let _ = process.into_raw();
    }
    tables.terminals.stands(terminal).map(drop)
}
