// SPDX-License-Identifier: GPL-2.0-or-later
//! `plan` against the machine: with the same hives and files, what stands at the end of a plan is
//! what the dump of a boot in QEMU shows.
//!
//! Both are written by one function of the executive, and are compared whole: objects with type,
//! target and descriptor, processes with their handles, paging files, registry, files. Only what
//! the images of programs weigh differs, on the disk and in memory: on the host they have no code.
//! What is free on the volume differs by that, and with it the size of a paging file that the hive
//! leaves to the system.

use crate::arch::Arch;
use crate::build::Images;
use crate::cli::NtVersion;
use crate::guest::{self, UnattendedBoot};
use crate::medium::supplies;
use crate::medium::tree::{self, Tree};
use crate::qemu::{self, End};
use crate::{paths, plan};
use anyhow::{Context, Result, anyhow, bail};
use formats::hive::Hive;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Name among the tests.
pub const NAME: &str = "a_plan_is_what_the_machine_does";

/// A boot.
struct Case {
    name: &'static str,
    /// Session Manager keys over those of the default hive.
    changes: &'static str,
    /// Whether the hive says how large the paging file is.
    sized: bool,
    version: NtVersion,
    /// The folder of the system.
    root: &'static str,
}

/// The default hive, and with the keys of an installed ReactOS and of its live CD, under each
/// version of NT.
const CASES: [Case; 7] = {
    let default = Case {
        name: "default",
        changes: "",
        sized: true,
        version: NtVersion::V5_2,
        root: "ReactOS",
    };
    let disk = Case {
        name: "disk",
        changes: DISK,
        sized: false,
        ..default
    };
    let live_cd = Case {
        name: "livecd",
        changes: LIVE_CD,
        ..disk
    };
    [
        Case {
            name: "default-6.1",
            version: NtVersion::V6_1,
            ..default
        },
        Case {
            name: "default-windows",
            root: "WINDOWS",
            ..default
        },
        Case {
            name: "disk-6.1",
            version: NtVersion::V6_1,
            ..disk
        },
        Case {
            name: "livecd-6.1",
            version: NtVersion::V6_1,
            ..live_cd
        },
        default,
        disk,
        live_cd,
    ]
};
const DISK: &str = include_str!("hives/reactos-disk.reg");
const LIVE_CD: &str = include_str!("hives/reactos-livecd.reg");

/// Differences that are shown.
const SHOWN: usize = 12;

/// Runs it; a failure says which hive it was, and how QEMU was run.
pub fn run(images: &Images) -> Result<()> {
    for Case {
        name,
        changes,
        sized,
        version,
        root,
    } in CASES
    {
        let folder = paths::folder(paths::target().join("qemu-tests").join(NAME).join(name))?;
        let mut tree = Tree::system(images)?;
        merge(&mut tree, changes)?;
        tree.move_system(&root.parse().map_err(anyhow::Error::msg)?);
        let word = tree.root().word().unwrap_or_default();
        let booted = guest::boot(&UnattendedBoot {
            arguments: &format!("nt={} dump exit=settled {word}", version.text()),
            ..UnattendedBoot::until_settled(images, &tree, &folder)
        })?;
        let log = folder.join("boot.log");
        compare(images.arch, &tree, &booted, sized, version).map_err(|error| {
            anyhow!(
                "hive {name}: {error:#}\n{}\nlog: {}",
                qemu::how(&log),
                log.display()
            )
        })?;
    }
    Ok(())
}

/// Changes the SYSTEM hive of a tree.
fn merge(tree: &mut Tree, changes: &str) -> Result<()> {
    let place = tree.hive_path("SYSTEM");
    let bytes = tree
        .files
        .get_mut(&place)
        .and_then(Option::as_mut)
        .context("the tree has no SYSTEM hive")?;
    let mut hive = Hive::parse(bytes).map_err(|error| anyhow!("the SYSTEM hive: {error}"))?;
    if !changes.is_empty() {
        supplies::merge(&mut hive, "SYSTEM", changes)?;
    }
    *bytes = hive.serialise(tree::NOW);
    Ok(())
}

fn compare(
    arch: Arch,
    tree: &Tree,
    booted: &guest::Booted,
    sized: bool,
    version: NtVersion,
) -> Result<()> {
    if booted.end != End::Pass {
        bail!("the machine ended with {:?}", booted.end);
    }
    let dump = booted
        .reader
        .part("dump-json")
        .context("the kernel printed no dump")?;
    let machine = lines(serde_json::from_str(dump)?, sized)?;
    let planned = lines(plan::stands_at_the_end(arch, tree, version)?, sized)?;
    let diff = TextDiff::from_lines(&planned, &machine);
    let differences: Vec<String> = diff
        .iter_all_changes()
        .filter(|change| change.tag() != ChangeTag::Equal)
        .take(SHOWN)
        .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
        .collect();
    if !differences.is_empty() {
        bail!(
            "the plan (-) is not what the machine did (+):\n{}",
            differences.join("\n")
        );
    }
    Ok(())
}

/// Everything that a dump has, one thing a line, in the common form of plan and machine.
fn lines(mut dump: Value, sized: bool) -> Result<String> {
    let mut text = String::new();
    for section in ["objects", "processes", "pagingFiles", "registry", "files"] {
        let entries = dump[section]
            .as_array_mut()
            .with_context(|| format!("the dump has no list {section}"))?;
        let mut lines = Vec::new();
        for entry in entries {
            let entry = entry.as_object_mut().context("an entry is no object")?;
            entry.remove("privateBytes");
            if entry.get("path").is_some_and(is_program) {
                entry.remove("size");
            }
            if !sized && entry.get("path").is_some_and(is_paging_file) {
                entry.remove("size");
                entry.remove("maximum");
            }
            lines.push(format!("{section} {}\n", serde_json::to_string(entry)?));
        }
        // A folder's order is that in which its files were put there, on the disk or by the plan.
        if section == "files" {
            lines.sort_unstable();
        }
        text.extend(lines);
    }
    Ok(text)
}

/// Whether a path is that of a program or of the system's DLL.
fn is_program(path: &Value) -> bool {
    path.as_str().is_some_and(|path| {
        path.ends_with(".exe") || path.ends_with("ntdll.dll") || path.ends_with("win32k.sys")
    })
}

/// Whether a path is that of the paging file.
fn is_paging_file(path: &Value) -> bool {
    path.as_str()
        .is_some_and(|path| path.ends_with("\\pagefile.sys"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(size: u32, target: &str) -> Value {
        serde_json::json!({
            "objects": [{ "path": "\\A", "target": target }],
            "processes": [{ "name": "a.exe", "privateBytes": size }],
            "pagingFiles": [], "registry": [],
            "files": [{ "path": "\\a.exe", "size": size }, { "path": "\\b.txt", "size": 5 }],
        })
    }

    #[test]
    fn only_the_weight_of_programs_may_differ() {
        let one = lines(dump(1, "x"), true).unwrap();
        assert_eq!(one, lines(dump(2, "x"), true).unwrap());
        assert_ne!(one, lines(dump(1, "y"), true).unwrap());
        assert!(one.contains("\"size\":5"), "{one}");
        assert!(lines(serde_json::json!({}), true).is_err());
    }
}
