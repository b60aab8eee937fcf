// SPDX-License-Identifier: GPL-2.0-or-later
//! A scenario in QEMU: make its disk, boot it, describe what was seen, have it judged.
//!
//! What stands afterwards is read from the kernel's dump, what lies on the volume from the image.

use super::golden;
use crate::arch::Arch;
use crate::build::Images;
use crate::guest::{self, UnattendedBoot};
use crate::medium::tree::Tree;
use crate::medium::{disk, dll};
use crate::paths;
use crate::qemu;
use crate::serial::Reader;
use crate::symbols::Symbols;
use anyhow::{Context, Result, anyhow, bail};
use formats::pe::build::DATA_BEHIND_PAGE;
use formats::sectors::SECTOR;
use scenarios::{Change, End, Object, Process, Scenario, Seen, Version};
use serde_json::Value as Json;
use std::path::Path;

/// The name of a test on a machine: on amd64 what it shows.
pub fn named(arch: Arch, name: &str) -> String {
    match arch {
        Arch::Amd64 => name.to_owned(),
        other => format!("{other}_{name}"),
    }
}

/// Runs one; a failure says how QEMU was run.
pub fn run(scenario: &Scenario, images: &Images, bless: bool) -> Result<()> {
    let folder = paths::target().join("qemu-tests");
    let folder = paths::folder(folder.join(named(images.arch, scenario.name)))?;
    let log = folder.join("boot.log");
    boot(scenario, images, &folder, bless)
        .map_err(|error| anyhow!("{error:#}\n{}\nlog: {}", qemu::how(&log), log.display()))
}

fn boot(scenario: &Scenario, images: &Images, folder: &Path, bless: bool) -> Result<()> {
    let medium = medium(scenario, images)?;
    // A machine that is to switch itself off is not told to end in any other way.
    let restarts = scenario.end == End::PowerOff;
    let arguments = arguments(scenario, restarts);
    let outcome = guest::boot(&UnattendedBoot {
        size: medium.size,
        spoilt: medium.spoilt.as_deref(),
        arguments: &arguments,
        restarts,
        ..UnattendedBoot::until_settled(images, &medium.tree, folder)
    })?;
    let frames = Symbols::of_boot(images, &outcome.reader);
    if !frames.is_empty() {
        std::fs::write(folder.join("backtrace.txt"), frames.join("\n"))?;
    }
    let seen = seen(&outcome.reader, outcome.end, &outcome.disk)?;
    scenario.judge(&seen).map_err(|wrong| anyhow!(wrong))?;
    // It is the Session Manager that stops a system.
    let began = |frame: &String| frame.contains(" NtProcessStartup");
    if matches!(scenario.end, End::Stopped(..)) && !frames.last().is_some_and(began) {
        bail!("the stack of the thread that stopped the system is not walked up to where it began");
    }
    // One dump for all machines: what differs between them is no object and no process.
    golden::compare(scenario.name, &outcome.reader, bless)
}

/// What a scenario boots from.
struct Medium {
    /// Files of the disk.
    tree: Tree,
    /// Its size in MiB.
    size: u32,
    /// Content of the sector that cannot be read.
    spoilt: Option<Vec<u8>>,
}

fn medium(scenario: &Scenario, images: &Images) -> Result<Medium> {
    let mut tree = Tree::with_hives(images, |hive, text| {
        for change in scenario.before {
            if let Change::Registry {
                hive: of,
                text: more,
            } = change
                && *of == hive
            {
                text.push('\n');
                text.push_str(more);
            }
        }
    })?;
    let mut size = disk::DEFAULT_SIZE;
    let mut spoilt = None;
    for change in scenario.before {
        match change {
            Change::Registry { .. } => {}
            Change::Remove(path) => {
                tree.files
                    .remove(*path)
                    .with_context(|| format!("the medium has no {path} to remove"))?;
            }
            Change::File(path, content) => {
                tree.files
                    .insert((*path).to_owned(), Some(content.as_bytes().to_vec()));
            }
            Change::Fill(path, bytes) => {
                tree.files.insert((*path).to_owned(), Some(vec![0; *bytes]));
            }
            Change::SpoiltLibrary(name) => {
                let image = dll::spoilt(images.arch, name);
                spoilt = image
                    .get(DATA_BEHIND_PAGE..DATA_BEHIND_PAGE + SECTOR)
                    .map(<[u8]>::to_vec);
                tree.files
                    .insert(format!("ReactOS/System32/{name}"), Some(image));
            }
            Change::DiskSize(mebibytes) => size = *mebibytes,
        }
    }
    Ok(Medium { tree, size, spoilt })
}

/// The kernel's command line.
fn arguments(scenario: &Scenario, restarts: bool) -> String {
    let mut words = Vec::new();
    if !restarts {
        words.extend(["dump".to_owned(), "exit=settled".to_owned()]);
    }
    if scenario.version == Version::Nt6_1 {
        words.push("nt=6.1".to_owned());
    }
    if let Some(image) = scenario.kill {
        words.push(format!("kill={}", image.trim_end_matches(".exe")));
    }
    words.join(" ")
}

fn seen(reader: &Reader, end: qemu::End, disk: &Path) -> Result<Seen> {
    let end = match end {
        qemu::End::Pass => End::Settled,
        qemu::End::PowerOff => End::PowerOff,
        qemu::End::Bugcheck => {
            let (text, status) = reader.stop()?;
            End::Stopped(text, status)
        }
        qemu::End::Failure => bail!("the kernel found something wrong: see the log"),
    };
    let mut seen = Seen {
        end,
        log: reader.shown.clone(),
        screen: reader.screen(),
        ..Seen::default()
    };
    // A system that has stopped or is switched off has nothing more to show.
    if seen.end == End::Settled {
        let dump = reader
            .part("dump-json")
            .context("the kernel printed no dump")?;
        take(&mut seen, &serde_json::from_str(dump)?)?;
    }
    let disk = disk.to_owned();
    // A volume that cannot be read any more is no volume without that file.
    disk::range(&disk)?;
    seen.read = Box::new(move |path| disk::read(&disk, path).unwrap_or_default());
    Ok(seen)
}

/// Takes over what the kernel's dump says.
fn take(seen: &mut Seen, dump: &Json) -> Result<()> {
    let list = |of: &Json, name: &str| {
        of[name]
            .as_array()
            .cloned()
            .with_context(|| format!("the dump has no list {name}"))
    };
    let text = |of: &Json, name: &str| of[name].as_str().map(str::to_owned);
    for entry in list(dump, "objects")? {
        seen.objects.push(Object {
            path: text(&entry, "path").context("an object has no path")?,
            kind: text(&entry, "type").context("an object has no type")?,
            target: text(&entry, "target"),
            permanent: entry["permanent"] == true,
            detail: text(&entry, "detail"),
        });
    }
    for entry in list(dump, "processes")? {
        let session = entry["session"].as_u64();
        seen.processes.push(Process {
            name: text(&entry, "name").context("a process has no name")?,
            parent: text(&entry, "parent").context("a process has no parent")?,
            session: u32::try_from(session.context("a process has no session")?)?,
        });
    }
    for key in list(dump, "registry")? {
        let path = text(&key, "path").context("a key has no path")?;
        if path.contains("\\Control\\Session Manager") {
            for value in list(&key, "values")? {
                seen.values.extend(text(&value, "name"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_understood() {
        let dump = serde_json::json!({
            "objects": [{ "path": "\\X", "type": "Event", "target": null, "permanent": true, "detail": "signalled" }],
            "processes": [{ "name": "a.exe", "parent": "-", "session": 1 }],
            "registry": [
                { "path": "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager", "values": [{ "name": "A" }] },
                { "path": "\\REGISTRY\\MACHINE", "values": [{ "name": "B" }] },
            ],
        });
        let mut seen = Seen::default();
        take(&mut seen, &dump).expect("a sound dump");
        assert_eq!(seen.objects[0].detail.as_deref(), Some("signalled"));
        assert_eq!(seen.processes[0].session, 1);
        assert_eq!(seen.values, ["A"]);
        assert!(take(&mut seen, &Json::Null).is_err());
    }
}
