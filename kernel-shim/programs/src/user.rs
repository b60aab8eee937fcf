// SPDX-License-Identifier: GPL-2.0-or-later
//! asuser.exe: runs a program as somebody who is no administrator, to its end, and ends with its status.
//!
//! `asuser PROGRAM [arguments]`. The user is Local Service: whatever only administrators and the system
//! may do is refused to the program, which is what it is for (spec 10.1).

use crate::arguments::after;
use crate::{Statics, processes};
use nt::privilege::Privileged;
use nt::security::Sid;
use nt::system::{Privilege, System, Timeout, Tokens, User};
use nt::{Handle, Owned, Result, Status};

const PLAIN: User<'static> = User {
    sid: Sid::LOCAL_SERVICE,
    groups: &[Sid::WORLD, Sid::AUTHENTICATED_USERS, Sid::USERS],
    privileges: &[Privilege::ChangeNotify],
};

/// The program.
pub fn main<S: System + Tokens>(system: S, _statics: &'static Statics<S>) -> Status {
    run(system).unwrap_or_else(|status| status)
}

fn run<S: System + Tokens>(system: S) -> Result<Status> {
    let created = processes::create(system, after(system.own_command_line(), 1))?;
    let process = Owned::new(system, Handle(created.process));
    let thread = Owned::new(system, Handle(created.thread));
    let started = as_plain_user(system, &process).and_then(|()| system.resume_thread(thread.get()));
    if let Err(status) = started {
        system.terminate_process(process.get(), status)?;
    }
    system.wait_one(process.get(), Timeout::Never)?;
    Ok(system.query_exit(process.get())?.status)
}

/// Gives the process, which has not run yet, another token.
fn as_plain_user<S: System + Tokens>(system: S, process: &Owned<S>) -> Result<()> {
    let making = Privileged::acquire(system, Privilege::CreateToken)?;
    let token = Owned::new(system, system.create_token(&PLAIN)?);
    drop(making);
    let _assigning = Privileged::acquire(system, Privilege::AssignPrimaryToken)?;
    system.set_token(process.get(), token.get())
}
