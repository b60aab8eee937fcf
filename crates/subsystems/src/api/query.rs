// SPDX-License-Identifier: GPL-2.0-or-later
//! QueryInformation, our own class: the subsystem servers, their sessions, and the sessions'
//! initial commands (spec 10.4 #7).

use crate::manager::Manager;
use crate::state::ids::ProcessId;
use nt::system::System;
use nt::{Result, Status};
use sm_protocol::sm::{QuerySessions, SessionEntry};
use zerocopy::FromZeros;

/// Fills `body` with as many entries as it has places, from `first` on.
pub(super) fn sessions<S: System>(sm: &Manager<S>, body: &mut QuerySessions) -> Result<()> {
    if body.class != QuerySessions::CLASS {
        return Err(Status::NOT_IMPLEMENTED);
    }
    body.entries.zero();
    body.count = 0;
    let mut to_pass = body.first;
    let number = |id: Option<ProcessId>| id.map_or(0, ProcessId::get);
    let tables = &mut *sm.tables.lock();
    for server in tables.servers.iter() {
        if server.process_id.is_none() {
            continue;
        }
        if to_pass > 0 {
            to_pass -= 1;
            continue;
        }
        let Some(place) = body.entries.get_mut(body.count as usize) else {
            break;
        };
        let initial = tables.terminals.initial_id(server.terminal);
        *place = SessionEntry {
            session: server.terminal.0,
            subsystem: server.subsystem,
            server: number(server.process_id),
            initial: number(initial),
        };
        body.count += 1;
    }
    // At most 16 entries of 16 bytes.
    body.length = 8 + body.count * size_of::<SessionEntry>() as u32;
    Ok(())
}
