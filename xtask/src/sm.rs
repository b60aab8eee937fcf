// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask sm`: asks the Session Manager of the shim that `run` has going.
//!
//! The request goes through the machine's second serial port to the kernel, which starts
//! `smctl.exe` with it; smctl is a client of `\SmApiPort` like any other. Its lines come back, and
//! at last its exit status.

use crate::cli::{SmAction, SmOptions};
use crate::platform::Door;
use crate::{paths, ui};
use anyhow::{Context, Result, bail};
use nt::Status;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Starting a session takes a second or two; one that hangs must not hang the host.
const LIMIT: Duration = Duration::from_secs(60);

/// The file that names the socket of the running machine.
pub fn socket_file() -> Result<PathBuf> {
    Ok(paths::output()?.join("sm"))
}

/// Runs the verb.
pub fn verb(options: &SmOptions) -> Result<()> {
    let socket = std::fs::read_to_string(socket_file()?)
        .context("no shim is running; start one with `cargo xtask run`")?;
    let mut stream = Door::from_text(&socket)
        .connect()
        .context("the shim that `run` started has ended; start one with `cargo xtask run`")?;
    stream.set_read_timeout(Some(LIMIT))?;
    let request = request(&options.action);
    writeln!(stream, "{request}")?;
    for line in BufReader::new(stream).lines() {
        let line = line.with_context(|| {
            format!(
                "the shim did not answer `{request}` in {} s",
                LIMIT.as_secs()
            )
        })?;
        if let Some(status) = line.trim().strip_prefix("end ") {
            let status =
                Status::new(u32::from_str_radix(status, 16).context("the shim gave no status")?);
            if !status.is_success() {
                bail!(
                    "`{request}` gave {status}{}",
                    meaning(&options.action, status)
                );
            }
            ui::verdict(&format!("`{request}` gave {status}"));
            return Ok(());
        }
        ui::note(line.trim().trim_start_matches("smctl: "));
    }
    bail!("the machine ended before it had answered `{request}`");
}

/// What a failure means, where its status alone does not tell.
const fn meaning(action: &SmAction, status: Status) -> &'static str {
    if status.code() != Status::OBJECT_NAME_NOT_FOUND.code() {
        return "";
    }
    match action {
        SmAction::List => "",
        SmAction::Start { .. } => ": there is no such program",
        SmAction::Stop { .. } => ": there is no such session; `sm list` shows those that there are",
        SmAction::Exec { .. } => ": there is no such program, as an NT path, or no such session",
        SmAction::Load { .. } => ": the hive's SubSystems key has no such `Optional` value",
    }
}

/// As smctl takes it.
fn request(action: &SmAction) -> String {
    match action {
        SmAction::List => "list".to_owned(),
        SmAction::Start { command } => format!("start {}", command.join(" ")).trim_end().to_owned(),
        SmAction::Stop { session } => format!("stop {session}"),
        SmAction::Exec { session, command } => format!("exec {session} {}", command.join(" ")),
        SmAction::Load { name } => format!("load {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_command_lines_of_smctl() {
        assert_eq!(request(&SmAction::List), "list");
        assert_eq!(
            request(&SmAction::Start {
                command: Vec::new()
            }),
            "start"
        );
        assert_eq!(
            request(&SmAction::Exec {
                session: 1,
                command: vec!["a.exe".to_owned(), "b".to_owned()]
            }),
            "exec 1 a.exe b"
        );
    }
}
