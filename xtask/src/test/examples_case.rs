// SPDX-License-Identifier: GPL-2.0-or-later
//! The examples under test: all of them in one boot, each in the role that its first lines give, and
//! then one of them as the initial command, at whose end the system stops.

use super::scenario::named;
use crate::build::Images;
use crate::guest::{self, UnattendedBoot};
use crate::medium::program::{ProgramOptions, Role, examples};
use crate::medium::tree::Tree;
use crate::outcome::{self, Program};
use crate::paths;
use crate::qemu::{self, End};
use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;

/// Name among the tests.
pub const NAME: &str = "examples_run_in_ring_3";

/// Each with its arguments and its role, and with what the log must have of it.
const EXAMPLES: [(&str, &str, Role, &[&str]); 3] = [
    (
        "hello",
        "",
        Role::BootExecute,
        &[
            "hello: ComSpec is %SystemRoot%\\system32\\cmd.exe",
            "screen: Hello from ring 3.",
        ],
    ),
    (
        "notice",
        "\\??\\C:\\notice.txt",
        Role::BootExecute,
        &["screen: first line", "screen: second ?", "27 bytes shown"],
    ),
    (
        "server",
        "",
        Role::Subsystem,
        &["server: registered for image type 100"],
    ),
];

/// Runs it; a failure says how QEMU was run.
pub fn run(images: &Images) -> Result<()> {
    let folder = paths::folder(
        paths::target()
            .join("qemu-tests")
            .join(named(images.arch, NAME)),
    )?;
    let booted = boot(images, &folder).and_then(|()| initial(images, &folder));
    booted.map_err(|error| {
        let log = folder.join("boot.log");
        anyhow!("{error:#}\n{}\nlog: {}", qemu::how(&log), log.display())
    })
}

fn boot(images: &Images, folder: &Path) -> Result<()> {
    let mut tree = Tree::system(images)?;
    let text = b"first line\r\nsecond \xE9\r\n\r\nend".to_vec();
    tree.files.insert("notice.txt".to_owned(), Some(text));
    let untested: Vec<_> = examples()
        .into_iter()
        .filter(|name| EXAMPLES.iter().all(|(tested, ..)| name != tested))
        .collect();
    if !untested.is_empty() {
        bail!("nothing is known of {}", untested.join(", "));
    }
    for (name, arguments, role, _) in EXAMPLES {
        let options = ProgramOptions {
            program: Some(name.parse().map_err(|error: String| anyhow!(error))?),
            arguments: arguments.to_owned(),
            role,
        };
        options.put_on(&mut tree, images)?;
    }
    let outcome = guest::boot(&UnattendedBoot::until_settled(images, &tree, folder))?;
    if outcome.end != End::Pass {
        bail!("the machine ended with {:?}", outcome.end);
    }
    for (name, _, _, wanted) in EXAMPLES {
        for text in wanted {
            outcome
                .reader
                .shown
                .iter()
                .find(|line| line.contains(text))
                .with_context(|| format!("{name}: no line of the log has `{text}`"))?;
        }
    }
    Ok(())
}

/// An initial command that ends with success: what the system does then, and what is said of it.
fn initial(images: &Images, folder: &Path) -> Result<()> {
    let mut tree = Tree::system(images)?;
    let options = ProgramOptions {
        program: Some("hello".parse().map_err(|error: String| anyhow!(error))?),
        arguments: String::new(),
        role: Role::Initial,
    };
    let name = options
        .put_on(&mut tree, images)?
        .context("it has a name")?;
    let outcome = guest::boot(&UnattendedBoot::until_settled(images, &tree, folder))?;
    let mut program = Program::new(name, options.role);
    for line in &outcome.reader.shown {
        program.follow(line);
    }
    if outcome.end != End::Bugcheck {
        bail!("the machine ended with {:?}", outcome.end);
    }
    outcome::verdict(outcome.end, false, Some(&program), &outcome.reader).map(drop)
}
