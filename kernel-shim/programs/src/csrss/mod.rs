// SPDX-License-Identifier: GPL-2.0-or-later
//! Subsystem servers: csrss.exe, psxss.exe, os2ss.exe (spec 9.5, 10.7).
//!
//! A server makes its part of the namespace and its two ports, listens on them, and only then
//! registers with smss, which calls it back before the registration is known to anyone. It takes
//! processes over from smss, lets them run, and tells smss when one has ended.

mod callbacks;
mod namespace;
mod watch;

use crate::arguments::{image_type, option};
use crate::{Statics, faulty};
use core::sync::atomic::{AtomicU32, Ordering};
use namespace::Directory;
use nt::lock::Mutex;
use nt::system::{ImageSubsystem, Privilege, PrivilegeHolder, System, ThreadBody};
use nt::{Handle, Owned, Result, Status, UnicodeStr, wide};
use sm_protocol::client;
use sm_protocol::sm::ConnectionInfo;

/// The one name under which the kernel loads win32k, case and all (spec 9.3).
const WIN32K: UnicodeStr<'static> = wide!("\\SystemRoot\\System32\\win32k.sys");

/// Processes a server looks after at once.
pub const LEADERS: usize = 60;

/// A process that smss gave to this server.
#[derive(Clone, Copy)]
struct Leader {
    /// Its environment session.
    session: u32,
    process: Handle,
    thread: Handle,
}

struct Shared {
    callback_port: Handle,
    api_port: Handle,
    /// Signalled to have the leaders looked at anew.
    wake: Handle,
    leaders: heapless::Vec<Leader, LEADERS>,
}

/// What a server keeps.
pub struct Server<S: System> {
    system: S,
    shared: Mutex<Shared>,
    /// Threads started so far: the first serves call-backs, the second clients.
    threads: AtomicU32,
    /// Answers given with handles of the test's choice.
    picked: AtomicU32,
}

impl<S: System> ThreadBody for Server<S> {
    fn run(&'static self) {
        match self.threads.fetch_add(1, Ordering::Relaxed) {
            0 => callbacks::serve(self),
            _ => callbacks::serve_clients(self),
        }
    }
}

impl<S: System> Server<S> {
    /// The state of a server that has not started.
    pub const fn new(system: S) -> Self {
        Self {
            system,
            shared: Mutex::new(Shared {
                callback_port: Handle::NULL,
                api_port: Handle::NULL,
                wake: Handle::NULL,
                leaders: heapless::Vec::new(),
            }),
            threads: AtomicU32::new(0),
            picked: AtomicU32::new(0),
        }
    }
}

/// csrss.exe: what it serves is on its command line.
pub fn main<S: System>(system: S, statics: &'static Statics<S>) -> Status {
    let line = system.own_command_line();
    // A test aid: a server that keeps the contract in session 0, and elsewhere breaks it in the
    // ways listed, the first such server in the first way, the second in the second, and so on.
    if let Some(ways) = option(line, "Elsewhere")
        && system
            .query_session(Handle::CURRENT_PROCESS)
            .is_ok_and(|session| session != 0)
        && let Some(way) = faulty::next_way(system, ways)
    {
        return faulty::behave(system, statics, way, None);
    }
    let subsystem = image_type(line).unwrap_or(ImageSubsystem::UNKNOWN);
    let root = option(line, "ObjectDirectory").unwrap_or(wide!("\\Windows"));
    // A test aid: a server that may end without the system ending at once.
    let critical = option(line, "Critical").is_none_or(|value| !value.eq_ascii("Off"));
    end(run(
        system,
        &statics.server,
        root,
        subsystem,
        critical,
        true,
    ))
}

/// psxss.exe.
pub fn main_posix<S: System>(system: S, statics: &'static Statics<S>) -> Status {
    end(run(
        system,
        &statics.server,
        wide!("\\PSXSS"),
        ImageSubsystem::POSIX_CUI,
        false,
        false,
    ))
}

/// os2ss.exe.
pub fn main_os2<S: System>(system: S, statics: &'static Statics<S>) -> Status {
    end(run(
        system,
        &statics.server,
        wide!("\\OS2SS"),
        ImageSubsystem::OS2_CUI,
        false,
        false,
    ))
}

fn end(result: Result<()>) -> Status {
    match result {
        Ok(()) => Status::SUCCESS,
        Err(status) => {
            log::error!("subsystem server: {status}: it ends");
            status
        }
    }
}

fn run<S: System>(
    system: S,
    server: &'static Server<S>,
    root: UnicodeStr<'_>,
    subsystem: ImageSubsystem,
    critical: bool,
    windows: bool,
) -> Result<()> {
    let session = system.query_session(Handle::CURRENT_PROCESS)?;
    let directory = Directory::create(system, session, root, windows)?;
    if windows && system.version().major >= 6 {
        load_win32k(system)?;
    }
    let api_port = directory.create_port(system, wide!("\\ApiPort"))?;
    let callback_port = directory.create_port(system, wide!("\\SbApiPort"))?;
    {
        let mut shared = server.shared.lock();
        (shared.api_port, shared.callback_port) = (api_port, callback_port);
    }
    for _ in 0..2 {
        drop(Owned::new(system, system.create_thread(server)?));
    }
    if subsystem == ImageSubsystem::UNKNOWN {
        log::warn!("subsystem server: no SubSystemType: it does not register");
        return crate::processes::wait_for_ever(system).ok();
    }
    let announced = ConnectionInfo::server(
        subsystem,
        directory.port_name(wide!("\\SbApiPort"))?.as_str(),
    )?;
    let port = Owned::new(system, client::connect(system, &announced)?);
    if session == 0
        && critical
        && windows
        && let Err(status) = system.set_process_critical(true)
    {
        log::warn!("csrss: critical flag: {status}");
    }
    log::info!(
        "session {session}: subsystem server for image type {} is up",
        subsystem.0
    );
    watch::watch(server, port.get())
}

/// NT 6: csrss brings win32k into its session (spec 11.6).
fn load_win32k<S: System>(system: S) -> Result<()> {
    system.adjust_privilege(Privilege::LoadDriver, true, PrivilegeHolder::Process)?;
    let loaded = system.extend_service_table(WIN32K);
    if let Err(status) =
        system.adjust_privilege(Privilege::LoadDriver, false, PrivilegeHolder::Process)
    {
        log::warn!("SeLoadDriverPrivilege stays enabled: {status}");
    }
    loaded
}
