// SPDX-License-Identifier: GPL-2.0-or-later
//! Starting another of these programs, as their originals start theirs.

use nt::system::{ParameterFlags, ProcessParameters, System, UserProcessInformation};
use nt::{Handle, Owned, Result, Status, UnicodeBuf, UnicodeStr, wide};

/// NT path of a program in `\SystemRoot\System32`, with `.exe` added if there is no dot in its
/// name.
pub fn image_path(program: UnicodeStr<'_>) -> Result<UnicodeBuf<260>> {
    let mut path = UnicodeBuf::new();
    if program.find(b'\\').is_none() {
        path.push(wide!("\\SystemRoot\\System32\\"))?;
    }
    path.push(program)?;
    if program.find(b'.').is_none() {
        path.push(wide!(".exe"))?;
    }
    Ok(path)
}

/// Creates the program that `command_line` names, suspended, in the caller's session. Both handles
/// belong to the caller.
pub fn create<S: System>(
    system: S,
    command_line: UnicodeStr<'_>,
) -> Result<UserProcessInformation> {
    let program = command_line
        .units()
        .split(|&unit| unit <= 0x20)
        .find(|word| !word.is_empty());
    let image = image_path(UnicodeStr(program.ok_or(Status::OBJECT_NAME_INVALID)?))?;
    let parameters = ProcessParameters {
        image: image.as_str(),
        dll_path: None,
        current_directory: None,
        command_line,
        environment: system.own_environment(),
        flags: ParameterFlags::NX,
        debug: false,
    };
    let mut created = UserProcessInformation::untold();
    system.create_process(&parameters, &mut created)?;
    Ok(created)
}

/// Creates a program and lets it run: its process handle.
pub fn start<S: System>(system: S, command_line: UnicodeStr<'_>) -> Result<Owned<S>> {
    let created = create(system, command_line)?;
    let process = Owned::new(system, Handle(created.process));
    let thread = Owned::new(system, Handle(created.thread));
    match system.resume_thread(thread.get()) {
        Ok(()) => Ok(process),
        Err(status) => {
            if let Err(refused) = system.terminate_process(process.get(), status) {
                log::warn!("{command_line}: {refused}: not ended");
            }
            Err(status)
        }
    }
}

/// Waits for ever. The status it gives is that of the wait that failed.
pub fn wait_for_ever<S: System>(system: S) -> Status {
    match system.wait_one(Handle::CURRENT_PROCESS, nt::system::Timeout::Never) {
        Ok(_) => Status::SUCCESS,
        Err(status) => status,
    }
}
