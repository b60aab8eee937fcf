// SPDX-License-Identifier: GPL-2.0-or-later
//! What differs between the systems that xtask runs on: doors to a running machine, and its end.
//!
//! Everything else of xtask is the same everywhere. A *door* is where QEMU listens for this or
//! another xtask: a socket with a name in the folder for temporary files, which only its owner can
//! reach; on Windows, where the standard library has none, a port of the local host.

use anyhow::{Context, Result};
use std::fmt;
use std::process::Command;

#[cfg(unix)]
pub use unix::{Stream, own_group};
#[cfg(windows)]
pub use windows::{Stream, own_group};

/// Where a machine listens. As text it goes into a file, for other calls of xtask to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door(String);

impl Door {
    /// A new one; `name` must be that of no other that is open.
    ///
    /// # Errors
    /// No port is free.
    pub fn new(name: &str) -> Result<Self> {
        #[cfg(unix)]
        return Ok(Self(unix::address(name)));
        #[cfg(windows)]
        return windows::address(name).map(Self);
    }

    /// The one that another xtask wrote down.
    pub fn from_text(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// As QEMU's options name a server that does not wait for its client.
    pub fn for_qemu(&self) -> String {
        let scheme = if cfg!(unix) { "unix" } else { "tcp" };
        format!("{scheme}:{},server=on,wait=off", self.0)
    }

    /// Goes through it.
    ///
    /// # Errors
    /// Nobody listens.
    pub fn connect(&self) -> Result<Stream> {
        Stream::connect(&self.0).with_context(|| format!("no machine listens at {self}"))
    }

    /// Takes away what a machine that has ended leaves behind.
    pub fn remove(&self) {
        if cfg!(unix) {
            // It may be gone already.
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Ends a process that this one started, at once.
pub fn kill(process: u32) {
    let id = process.to_string();
    let (program, arguments) = if cfg!(windows) {
        ("taskkill", ["/F", "/PID", &id])
    } else {
        ("kill", ["-s", "KILL", &id])
    };
    // It may have ended by itself.
    let _ = Command::new(program).args(arguments).status();
}

#[cfg(unix)]
mod unix {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// A connection.
    pub type Stream = std::os::unix::net::UnixStream;

    /// Keeps the terminal's Ctrl-C from a program that is about to be started.
    pub fn own_group(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn address(name: &str) -> String {
        std::env::temp_dir().join(name).display().to_string()
    }
}

#[cfg(windows)]
mod windows {
    use anyhow::{Context, Result};
    use std::net::TcpListener;
    use std::os::windows::process::CommandExt;
    use std::process::Command;

    /// `CREATE_NEW_PROCESS_GROUP`.
    const NEW_GROUP: u32 = 0x200;

    /// A connection.
    pub type Stream = std::net::TcpStream;

    /// Keeps the console's Ctrl-C from a program that is about to be started.
    pub fn own_group(command: &mut Command) {
        command.creation_flags(NEW_GROUP);
    }

    /// A port, asked of the system and given back at once: nobody else takes it in between on a
    /// developer's machine.
    pub(super) fn address(name: &str) -> Result<String> {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .with_context(|| format!("no port is free for {name}"))?;
        Ok(port.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_is_found_again_by_its_text() {
        let door = Door::new("smss-door-test").unwrap();
        assert_eq!(Door::from_text(&format!("{door}\n")), door);
        assert!(door.for_qemu().ends_with(",server=on,wait=off"));
        let error = format!("{:#}", door.connect().unwrap_err());
        assert!(error.contains("no machine listens"), "{error}");
    }
}
