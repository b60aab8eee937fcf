// SPDX-License-Identifier: GPL-2.0-or-later
//! smdie.exe: a client that ends in the middle of the SM protocol (spec 10.7, 17).
//!
//! `smdie STEP` gets as far as its argument says and ends without closing anything.

use crate::arguments::{number, words};
use crate::protocol::{raw, send};
use crate::{Statics, processes};
use nt::lock::Mutex;
use nt::system::{System, ThreadBody};
use nt::{Handle, Owned, Result, Status, UnicodeStr, wide};
use sm_protocol::client;
use sm_protocol::sm::{ConnectionInfo, ExecPgm, StartCsr};
use zerocopy::FromZeros;

/// What the second thread of smdie.exe needs.
pub struct Threads<S: System> {
    system: S,
    port: Mutex<Handle>,
}

impl<S: System> Threads<S> {
    /// The state of a process that has not started.
    pub const fn new(system: S) -> Self {
        Self {
            system,
            port: Mutex::new(Handle::NULL),
        }
    }
}

impl<S: System> ThreadBody for Threads<S> {
    /// Starts a session: the answer comes long after this process has ended.
    fn run(&'static self) {
        let port = *self.port.lock();
        let mut body = StartCsr::new_zeroed();
        let command = wide!("winlogon.exe");
        for (to, from) in body.command.iter_mut().zip(command.units()) {
            *to = *from;
        }
        body.length = 2 * command.len() as u32;
        let answered = client::call(self.system, port, &mut body);
        log::warn!(
            "smdie: still there for the answer: {}",
            Status::from(answered)
        );
    }
}

/// smdie.exe. Steps: 0 before connecting, 1 connected, 2 after a refused request, 3 with a
/// suspended process, 4 after that process was adopted, 5 while a StartCsr request of another
/// thread is under way.
pub fn main<S: System>(system: S, statics: &'static Statics<S>) -> Status {
    let step = words(system.own_command_line())
        .next()
        .and_then(|word| number(word, 10))
        .unwrap_or(1);
    match die_at(system, statics, step) {
        Ok(()) => Status::SUCCESS,
        Err(status) => status,
    }
}

fn die_at<S: System>(system: S, statics: &'static Statics<S>, step: u32) -> Result<()> {
    const CHILD: UnicodeStr<'static> = wide!("sleep.exe 1");
    if step == 0 {
        return Ok(());
    }
    let port = client::connect(system, &ConnectionInfo::PLAIN)?;
    match step {
        2 => send(system, port, raw(99, 0)).or_else(|status| {
            if status == Status::NOT_IMPLEMENTED {
                Ok(())
            } else {
                Err(status)
            }
        }),
        3 | 4 => {
            let mut body = ExecPgm::new_zeroed();
            body.process = processes::create(system, CHILD)?;
            if step == 4 {
                client::call(system, port, &mut body)
            } else {
                Ok(())
            }
        }
        5 => {
            *statics.dying.port.lock() = port;
            drop(Owned::new(system, system.create_thread(&statics.dying)?));
            system.delay(1)
        }
        _ => Ok(()),
    }
}
