// SPDX-License-Identifier: GPL-2.0-or-later
//! One QEMU test: make its disk, boot it, hold what was seen against what the case wants.

use super::cases::{Case, Change, Want};
use crate::build::Images;
use crate::guest::{self, Plan};
use crate::medium::disk;
use crate::medium::tree::Tree;
use crate::paths;
use crate::qemu::{self, End};
use crate::serial::Reader;
use crate::symbols::Symbols;
use anyhow::{Context, Result, anyhow, bail};
use std::path::Path;
use std::time::Duration;

/// No case needs this long; one that does hangs.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs one case; a failure says how QEMU was run.
pub fn case(case: &Case, images: &Images, bless: bool) -> Result<()> {
    let folder = paths::folder(paths::target().join("qemu-tests").join(case.name))?;
    held(case, images, bless, &folder)
        .map_err(|error| anyhow!("{error:#}\n      {}", qemu::how(&folder.join("boot.log"))))
}

fn held(case: &Case, images: &Images, bless: bool, folder: &Path) -> Result<()> {
    let mut tree = Tree::with_hives(images, |hive, text| {
        for change in case.changes {
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
    for change in case.changes {
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
            Change::DiskSize(mebibytes) => size = *mebibytes,
        }
    }
    // A machine that is to switch itself off is not told to end in any other way.
    let restarts = case.end == End::PowerOff;
    let arguments = format!(
        "{} {}",
        if restarts { "" } else { "dump exit=settled" },
        case.arguments
    );
    let plan = Plan {
        kernel: &images.kernel,
        tree: &tree,
        size,
        arguments: arguments.trim(),
        folder,
        restarts,
        limit: LIMIT,
        virtual_time: true,
    };
    let outcome = guest::boot(&plan)?;
    let log = folder.join("boot.log");
    let frames = Symbols::of_boot(images, &outcome.reader);
    if !frames.is_empty() {
        std::fs::write(folder.join("backtrace.txt"), frames.join("\n"))?;
    }
    if outcome.end != case.end {
        bail!(
            "ended with {:?} instead of {:?}; log: {}",
            outcome.end,
            case.end,
            log.display()
        );
    }
    for want in case.wants {
        if let Want::Golden(name) = want {
            golden(
                name,
                outcome
                    .reader
                    .part("dump")
                    .context("the kernel printed no dump")?,
                bless,
            )?;
            continue;
        }
        check(want, &outcome.reader, &outcome.disk)
            .with_context(|| format!("log: {}", log.display()))?;
    }
    Ok(())
}

fn check(want: &Want, reader: &Reader, image: &Path) -> Result<()> {
    let log = || reader.shown.iter();
    let dump = || reader.part("dump").context("the kernel printed no dump");
    match want {
        Want::Log(text) if !log().any(|line| line.contains(text)) => {
            bail!("no log line has `{text}`")
        }
        Want::NoLog(text) if log().any(|line| line.contains(text)) => {
            bail!("a log line has `{text}`")
        }
        Want::Dump(text) if !dump()?.contains(text) => bail!("the dump has no `{text}`"),
        Want::NoDump(text) if dump()?.contains(text) => bail!("the dump has `{text}`"),
        Want::Volume(path) if !on_volume(image, path)? => {
            bail!("mtools sees no {path} on the volume")
        }
        Want::NoVolume(path) if on_volume(image, path)? => {
            bail!("mtools still sees {path} on the volume")
        }
        Want::Size(path, bytes) if disk::read(image, path)?.len() != *bytes => {
            bail!("{path} has another size than {bytes} bytes")
        }
        Want::Content(path, content) if disk::read(image, path)? != content.as_bytes() => {
            bail!("{path} has another content")
        }
        _ => Ok(()),
    }
}

/// Compares the stable parts of a dump, the object namespace and the processes, with a file of the
/// repository.
fn golden(name: &str, dump: &str, bless: bool) -> Result<()> {
    let part = |heading: &str| {
        let from = dump
            .find(heading)
            .with_context(|| format!("the dump has no part {heading}"))?;
        let rest = &dump[from..];
        Ok::<_, anyhow::Error>(&rest[..rest[1..].find("\n[").map_or(rest.len(), |end| end + 2)])
    };
    let now = format!("{}{}", part("[objects]")?, part("[processes]")?);
    let file = paths::root().join("xtask/src/test/golden").join(name);
    if bless {
        return std::fs::write(&file, now)
            .with_context(|| format!("cannot write {}", file.display()));
    }
    let wanted = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let diff = similar::TextDiff::from_lines(&wanted, &now);
    if diff.ratio() < 1.0 {
        let changed = diff
            .iter_all_changes()
            .filter(|change| change.tag() != similar::ChangeTag::Equal);
        let lines: Vec<String> = changed
            .take(12)
            .map(|change| format!("{}{}", change.tag(), change.value().trim_end()))
            .collect();
        bail!(
            "the dump differs from golden/{name} (`cargo xtask test --bless` accepts it):\n{}",
            lines.join("\n")
        );
    }
    Ok(())
}

fn on_volume(image: &Path, path: &str) -> Result<bool> {
    let wanted = format!("::/{path}");
    Ok(disk::list(image)?
        .lines()
        .any(|line| line.trim().eq_ignore_ascii_case(&wanted)))
}
