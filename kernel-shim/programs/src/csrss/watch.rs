// SPDX-License-Identifier: GPL-2.0-or-later
//! Looking after the processes that smss gave to this server: smss is told when one has ended (spec
//! 10.4 #1).

use super::{LEADERS, Leader, Server};
use nt::access::Access;
use nt::system::{System, Timeout, Wait};
use nt::{Handle, ObjectAttributes, Owned, Result, Status};
use sm_protocol::client;
use sm_protocol::sm::SessionComplete;

/// The main thread's life. `port` is the connection to smss.
pub(super) fn watch<S: System>(server: &'static Server<S>, port: Handle) -> Result<()> {
    let system = server.system;
    loop {
        let wake = Owned::new(
            system,
            system.create_event(&ObjectAttributes::unnamed(), Access::EVENT_ALL)?,
        );
        let mut handles = heapless::Vec::<Handle, { LEADERS + 1 }>::new();
        // One place more than there are leaders: neither push can fail.
        let _ = handles.push(wake.get());
        {
            let mut shared = server.shared.lock();
            shared.wake = wake.get();
            for leader in &shared.leaders {
                let _ = handles.push(leader.process);
            }
        }
        let woken = system.wait_any(&handles, Timeout::Never);
        server.shared.lock().wake = Handle::NULL;
        if let Wait::Object(index) = woken?
            && let Some(index) = index.checked_sub(1)
        {
            ended(server, port, index);
        }
    }
}

fn ended<S: System>(server: &'static Server<S>, port: Handle, index: usize) {
    let system = server.system;
    let leader = {
        let mut shared = server.shared.lock();
        if index >= shared.leaders.len() {
            return;
        }
        // Leaders are added at the end only, so the index still names the same one.
        shared.leaders.remove(index)
    };
    let Leader {
        session,
        process,
        thread,
    } = leader;
    let (process, thread) = (Owned::new(system, process), Owned::new(system, thread));
    let status = system
        .query_exit(process.get())
        .map_or(Status::UNSUCCESSFUL, |exit| exit.status);
    drop((process, thread));
    let mut body = SessionComplete {
        session,
        status: status.code(),
    };
    match client::call(system, port, &mut body) {
        // smss forgets a session by itself when it ends it.
        Ok(()) | Err(Status::OBJECT_NAME_NOT_FOUND) => {
            log::info!("environment session {session} has ended: {status}")
        }
        Err(refused) => log::warn!("environment session {session}: SessionComplete: {refused}"),
    }
}
