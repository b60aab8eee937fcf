// SPDX-License-Identifier: GPL-2.0-or-later
//! The session space that smss is in while it makes a session: entered, left, and who may be in one
//! (spec 9.3, 11.2).
//!
//! A process that smss creates joins the session whose space smss is in, so whatever creates one
//! passes the [`crate::gate`] first.

use crate::gate::Inside;
use crate::manager::Manager;
use crate::policy::Win32kLoader;
use crate::state::ids::TerminalId;
use nt::privilege::Privileged;
use nt::system::{Privilege, System};
use nt::{Result, Status, UnicodeStr, wide};

/// The only name under which the kernel loads win32k, case and all (spec 9.3).
const WIN32K: UnicodeStr<'static> = wide!("\\SystemRoot\\System32\\win32k.sys");

/// Waits for the right to create processes. A session space that could not be left before is left
/// now: `ALREADY_COMMITTED` if it still cannot be. Blocks.
pub(crate) fn pass_gate<S: System>(sm: &'static Manager<S>) -> Result<Inside<'static, S>> {
    let inside = sm.gate.enter(sm.system)?;
    leave(sm).map_err(|_| Status::ALREADY_COMMITTED)?;
    Ok(inside)
}

/// Makes a session space and loads win32k into it, if the registry asks for it (spec 9.3): the new
/// session, whose space smss is now in. The caller is inside the gate.
pub(crate) fn enter<S: System>(sm: &'static Manager<S>) -> Result<Option<TerminalId>> {
    if sm.policy().win32k != Win32kLoader::SessionManager {
        return Ok(None);
    }
    let plan = sm.plan()?;
    // The value is a trigger only: the kernel loads no other driver than its own win32k (D30).
    let mut entries = (0..).map_while(|index| plan.kmode(index));
    let driver = loop {
        match entries.next() {
            None => return Ok(None),
            Some(path) if is_dos_path(path) => break path,
            Some(path) => nt::warn!("Kmode: {path}: {}: skipped", Status::OBJECT_PATH_SYNTAX_BAD),
        }
    };
    let _privilege = Privileged::acquire(sm.system, Privilege::LoadDriver)?;
    let session = sm.system.create_session()?;
    sm.tables.lock().attached = Some(TerminalId(session));
    nt::info!("session {session}: created; win32k is loaded for Kmode {driver}");
    if let Err(status) = sm.system.extend_service_table(WIN32K) {
        nt::error!("session {session}: win32k: {status}");
        let _ = leave(sm);
        return Err(status);
    }
    Ok(Some(TerminalId(session)))
}

/// Leaves the session space smss is in, if it is in one (spec 1.3 #8). A failure is told here.
#[inline(never)]
pub(crate) fn leave<S: System>(sm: &Manager<S>) -> Result<()> {
    let Some(session) = sm.tables.lock().attached else {
        return Ok(());
    };
    let left = Privileged::acquire(sm.system, Privilege::LoadDriver)
        .and_then(|_held| sm.system.detach_session(session.0));
    match left {
        Ok(()) => sm.tables.lock().attached = None,
        Err(status) => {
            nt::warn!("session detach: session {session}: {status}: tried again later")
        }
    }
    left
}

/// Whether `path` can be a DOS path of a driver: it names something.
fn is_dos_path(path: UnicodeStr<'_>) -> bool {
    !path.is_empty() && path.find(0).is_none()
}
