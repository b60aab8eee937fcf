// SPDX-License-Identifier: GPL-2.0-or-later
//! A picture of the running machine's screen, through QEMU's control socket.

use crate::cli::ShotOptions;
use crate::platform::Door;
use crate::{paths, ui};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

/// Where the verb finds the control socket of the machine under way.
const FILE: &str = "qmp";

/// Makes a machine the one that the verb takes a picture of.
pub fn remember(qmp: &Door) -> Result<()> {
    Ok(std::fs::write(
        paths::output()?.join(FILE),
        qmp.to_string(),
    )?)
}

/// Runs the verb `shot`: the machine that `run` or `gdb` has going.
pub fn verb(options: &ShotOptions) -> Result<()> {
    let qmp = std::fs::read_to_string(paths::output()?.join(FILE))
        .context("no machine is running; start one with `cargo xtask run`")?;
    shot(&Door::from_text(&qmp), &options.out)?;
    ui::verdict(&format!("the screen is in {}", options.out.display()));
    Ok(())
}

/// Saves the screen as a PNG file.
pub fn shot(qmp: &Door, file: &Path) -> Result<()> {
    let socket = qmp
        .connect()
        .context("the machine has ended; start one with `cargo xtask run`")?;
    let mut reader = BufReader::new(socket.try_clone()?);
    let mut socket = socket;
    let mut greeting = String::new();
    reader.read_line(&mut greeting)?;
    let name = std::path::absolute(file)?;
    let name = name
        .to_str()
        .context("the picture's path is not UTF-8")?
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    for command in [
        "{\"execute\":\"qmp_capabilities\"}".to_owned(),
        format!(
            "{{\"execute\":\"screendump\",\"arguments\":{{\"filename\":\"{name}\",\"format\":\"png\"}}}}"
        ),
    ] {
        writeln!(socket, "{command}")?;
        loop {
            let mut answer = String::new();
            if reader.read_line(&mut answer)? == 0 {
                bail!("QEMU closed its control socket");
            }
            if answer.contains("\"error\"") {
                bail!("QEMU cannot take the picture: {}", answer.trim());
            }
            if answer.contains("\"return\"") {
                break;
            }
        }
    }
    Ok(())
}
