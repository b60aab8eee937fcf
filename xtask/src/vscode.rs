// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask gdb --vscode`: a launch configuration for the machine that stands stopped, so that
//! F5 in Visual Studio Code goes on from there.
//!
//! There are two in it, one for each of the extensions that debug native code: Microsoft's C/C++
//! drives GDB with the same scripts as `cargo xtask gdb`; CodeLLDB brings its own LLDB, which knows
//! nothing of them, so that the image's symbols are loaded where it is linked.

use crate::paths;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// How a file begins that this module may write again.
const OURS: &str = "// Written by `cargo xtask gdb --vscode` for the machine that it started.\n";

/// What a debugger needs to know of the machine.
pub struct Target<'a> {
    /// The port of its GDB stub on this host.
    pub port: u16,
    /// The program whose symbols are there from the start: the shim's kernel, or smss.exe.
    pub program: &'a Path,
    /// GDB's name of its processor.
    pub architecture: &'a str,
    /// The debug file of smss.exe.
    pub smss: &'a Path,
    /// The GDB script to source.
    pub script: &'a Path,
    /// What the script reads from its environment.
    pub environment: &'a [(&'static str, String)],
}

/// Writes `.vscode/launch.json` in the checkout; gives its path.
///
/// # Errors
/// There is one that somebody else wrote.
pub fn write(target: &Target<'_>) -> Result<PathBuf> {
    let file = paths::folder(paths::root().join(".vscode"))?.join("launch.json");
    if std::fs::read_to_string(&file).is_ok_and(|text| !text.starts_with(OURS)) {
        bail!("{} is yours: move it aside first", file.display());
    }
    let text = format!("{OURS}{:#}\n", configurations(target));
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

fn configurations(target: &Target<'_>) -> Value {
    let server = format!("127.0.0.1:{}", target.port);
    let run = |text: String| json!({ "text": text, "ignoreFailures": false });
    // A JSON string is one of Python's as well.
    let environment = target.environment.iter().map(|(name, value)| {
        run(format!(
            "-interpreter-exec console {}",
            json!(format!(
                "python import os; os.environ[{}] = {}",
                json!(name),
                json!(value)
            ))
        ))
    });
    let console = |line: &str| run(format!("-interpreter-exec console {}", json!(line)));
    let before: Vec<Value> = [console(&format!(
        "set architecture {}",
        target.architecture
    ))]
    .into_iter()
    .chain(environment)
    .collect();
    let after = [
        console(&format!("source {}", target.script.display())),
        console("nt-start"),
    ];
    json!({
        "version": "0.2.0",
        "configurations": [
            {
                "name": "smss.exe in ring 3 (C/C++, GDB)",
                "type": "cppdbg",
                "request": "launch",
                "MIMode": "gdb",
                "miDebuggerPath": "gdb",
                "miDebuggerServerAddress": server,
                "program": target.program,
                "cwd": "${workspaceFolder}",
                "stopAtConnect": true,
                "setupCommands": before,
                "postRemoteConnectCommands": after,
            },
            {
                "name": "smss.exe in ring 3 (CodeLLDB)",
                "type": "lldb",
                "request": "launch",
                "targetCreateCommands": [format!("target create '{}'", target.program.display())],
                "processCreateCommands": [format!("gdb-remote {server}")],
                "postRunCommands": [
                    format!("target modules add '{}'", target.smss.display()),
                    format!("target modules load --file '{}' --slide 0", target.smss.display()),
                    "breakpoint set --hardware --one-shot true --name NtProcessStartup",
                    "process continue",
                ],
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::Arch;

    #[test]
    fn both_extensions_reach_the_machine() {
        let value = configurations(&Target {
            architecture: Arch::Amd64.gdb(),
            port: 4711,
            program: Path::new("/t/kernel"),
            smss: Path::new("/t/smss.exe.dbg"),
            script: Path::new("/x/start.py"),
            environment: &[("SMSS_IMAGES", "/a \"b\"".to_owned())],
        });
        let [gdb, lldb] = value["configurations"].as_array().unwrap().as_slice() else {
            panic!("{value}");
        };
        assert_eq!(gdb["miDebuggerServerAddress"], "127.0.0.1:4711");
        assert_eq!(
            gdb["setupCommands"][1]["text"],
            r#"-interpreter-exec console "python import os; os.environ[\"SMSS_IMAGES\"] = \"/a \\\"b\\\"\"""#
        );
        assert_eq!(
            lldb["processCreateCommands"][0],
            "gdb-remote 127.0.0.1:4711"
        );
    }
}
