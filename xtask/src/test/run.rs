// SPDX-License-Identifier: GPL-2.0-or-later
//! One QEMU test: make its disk, boot it, hold what was seen against what the case wants.

use super::cases::{Case, Change, Want};
use crate::build::Images;
use crate::guest::{self, Plan};
use crate::medium::disk;
use crate::medium::tree::Tree;
use crate::paths;
use crate::serial::Reader;
use anyhow::{Context, Result, bail};
use std::time::Duration;

/// No case needs this long; one that does hangs.
const LIMIT: Duration = Duration::from_secs(90);

/// Runs one case.
pub fn case(case: &Case, images: &Images) -> Result<()> {
    let folder = paths::folder(paths::target().join("qemu-tests").join(case.name))?;
    let mut tree = Tree::with_hives(images, |hive, text| {
        for change in case.changes {
            if let Change::Registry { hive: of, text: more } = change
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
                tree.files.remove(*path).with_context(|| format!("the medium has no {path} to remove"))?;
            }
            Change::File(path, content) => {
                tree.files.insert((*path).to_owned(), Some(content.as_bytes().to_vec()));
            }
            Change::Fill(path, bytes) => {
                tree.files.insert((*path).to_owned(), Some(vec![0; *bytes]));
            }
            Change::DiskSize(mebibytes) => size = *mebibytes,
        }
    }
    let arguments = format!("dump exit=settled {}", case.arguments);
    let plan = Plan { kernel: &images.kernel, tree: &tree, size, arguments: &arguments, folder: &folder, limit: LIMIT };
    let outcome = guest::boot(&plan)?;
    let log = folder.join("boot.log");
    if outcome.end != case.end {
        bail!("ended with {:?} instead of {:?}; log: {}", outcome.end, case.end, log.display());
    }
    for want in case.wants {
        check(want, &outcome.reader, &outcome.disk).with_context(|| format!("log: {}", log.display()))?;
    }
    Ok(())
}

fn check(want: &Want, reader: &Reader, image: &std::path::Path) -> Result<()> {
    let log = || reader.shown.iter();
    let dump = || reader.part("dump").context("the kernel printed no dump");
    match want {
        Want::Log(text) if !log().any(|line| line.contains(text)) => bail!("no log line has `{text}`"),
        Want::NoLog(text) if log().any(|line| line.contains(text)) => bail!("a log line has `{text}`"),
        Want::Dump(text) if !dump()?.contains(text) => bail!("the dump has no `{text}`"),
        Want::NoDump(text) if dump()?.contains(text) => bail!("the dump has `{text}`"),
        Want::Volume(path) if !on_volume(image, path)? => bail!("mtools sees no {path} on the volume"),
        Want::NoVolume(path) if on_volume(image, path)? => bail!("mtools still sees {path} on the volume"),
        Want::Size(path, bytes) if disk::read(image, path)?.len() != *bytes => bail!("{path} has another size than {bytes} bytes"),
        Want::Content(path, content) if disk::read(image, path)? != content.as_bytes() => bail!("{path} has another content"),
        _ => Ok(()),
    }
}

fn on_volume(image: &std::path::Path, path: &str) -> Result<bool> {
    let wanted = format!("::/{path}");
    Ok(disk::list(image)?.lines().any(|line| line.trim().eq_ignore_ascii_case(&wanted)))
}
