// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask plan FILE`: what would a boot with this hive do?
//!
//! The crate `plan` knows; here are the files that the command line names, and the print.

use crate::arch::Arch;
use crate::cli::{NtVersion, PlanOptions};
use crate::medium::system_root::{self, SystemRoot};
use crate::medium::tree::{self, Tree};
use crate::medium::{disk, hive_file, supplies};
use crate::reactos::image;
use crate::ui::{self, Colour};
use crate::{Said, Unusable};
use anyhow::{Context, Result, anyhow, bail};
use executive::Version;
use executive::dump::{self, Snapshot};
use executive::host::RunEnd;
use formats::hive::Hive;
use formats::sectors::SECTOR;
use formats::utf16;
use nt::UnicodeStr;
use plan::{Assumptions, Ground, Plan, Verb};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Runs the verb.
///
/// # Errors
/// [`Unusable`] if a file that was given cannot be read; an error that says so if the system stops.
pub fn verb(options: &PlanOptions) -> Result<()> {
    if options.json {
        ui::keep_output_for_json();
    }
    let (arch, ground) = ground(options).map_err(|error| error.context(Unusable))?;
    let plan = Plan::of(&ground)?;
    if options.json {
        // Nothing but JSON: the verdict is in it, and in the exit code.
        println!("{:#}", plan.json());
        return match &plan.boot.outcome {
            RunEnd::Settled | RunEnd::Shutdown(_) => Ok(()),
            RunEnd::Stopped(_) => Err(Said.into()),
        };
    }
    print(&plan, arch, options, &ground.root);
    match &plan.boot.outcome {
        RunEnd::Settled => ui::verdict("the boot settles"),
        RunEnd::Shutdown(action) => {
            ui::verdict(&format!("the boot ends with a shutdown ({action:?})"));
        }
        RunEnd::Stopped(check) => bail!("the boot stops: {}", plan::stopped(check)),
    }
    Ok(())
}

/// Reads what the command line names, and finds out for which machine it is.
fn ground(options: &PlanOptions) -> Result<(Arch, Ground)> {
    let mut hives = vec![("SYSTEM", hive("SYSTEM", &options.file)?)];
    if let Some(file) = &options.software {
        hives.push(("SOFTWARE", hive("SOFTWARE", file)?));
    }
    let mut files = BTreeMap::new();
    if let Some(tree) = &options.tree {
        if !tree.is_dir() {
            bail!("{} is no folder", tree.display());
        }
        gather(tree, "", &mut files)?;
    }
    let root = root(options, &hives, &files)?;
    let found = match &options.disk {
        Some(image) => machine(&disk::Shown(image), &root)?,
        None => machine(&Gathered(&files), &root)?,
    };
    if let (Some(found), Some(asked)) = (found, options.arch)
        && found != asked
    {
        bail!("the system on drive C: is for {found}, and not for {asked}");
    }
    let arch = found.or(options.arch).unwrap_or_default();
    let ground = Ground {
        architecture: arch.executive(),
        version: version(options.nt),
        root: root.path().to_owned(),
        hives,
        volume: options.disk.as_deref().map(volume).transpose()?,
        files,
        strict: options.strict,
    };
    Ok((arch, ground))
}

/// The machine of the system in the folder `root` of a volume, by one of its own images; none if it has
/// neither of them.
fn machine(volume: &dyn system_root::Volume, root: &SystemRoot) -> Result<Option<Arch>> {
    for name in ["ntdll.dll", "smss.exe"] {
        let bytes = volume.file(&format!("{}/System32/{name}", root.place()))?;
        if let Some(of) = bytes.as_deref().and_then(image::machine) {
            let other = || {
                format!(
                    "{name} is for {}, which no plan is",
                    image::machine_name(of)
                )
            };
            return Arch::of(of).map(Some).with_context(other);
        }
    }
    Ok(None)
}

/// Where the system is.
fn root(options: &PlanOptions, hives: &[(&str, Hive)], files: &Files) -> Result<SystemRoot> {
    let asked = options.system_root.as_ref();
    let software = hives.iter().find(|(name, _)| *name == "SOFTWARE");
    let software = software.map(|(_, hive)| hive);
    if let Some(image) = &options.disk {
        return system_root::find(&disk::Shown(image), &image.display(), asked, software);
    }
    if let Some(tree) = &options.tree {
        return system_root::find(&Gathered(files), &tree.display(), asked, software);
    }
    // Nothing is anywhere: a hive alone is planned where it says it belongs.
    let named = software.and_then(system_root::of_software);
    Ok(asked.cloned().or(named).unwrap_or_default())
}

/// Files of a folder, by their path from a backslash on; `None` is a folder.
type Files = BTreeMap<String, Option<Vec<u8>>>;

/// These as a volume to be looked at.
struct Gathered<'f>(&'f Files);

impl Gathered<'_> {
    fn get(&self, path: &str) -> Option<&Option<Vec<u8>>> {
        let wanted = format!("\\{}", path.replace('/', "\\"));
        let mut files = self.0.iter();
        files
            .find(|(path, _)| path.eq_ignore_ascii_case(&wanted))
            .map(|(_, content)| content)
    }
}

impl system_root::Volume for Gathered<'_> {
    fn folders(&self) -> Result<Vec<String>> {
        let folders = self.0.iter().filter(|(_, content)| content.is_none());
        let names = folders.filter_map(|(path, _)| path.strip_prefix('\\'));
        let tops = names.filter(|name| !name.contains('\\'));
        Ok(tops.map(str::to_owned).collect())
    }

    fn file(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get(path).cloned().flatten())
    }

    fn has_folder(&self, path: &str) -> Result<bool> {
        Ok(self.get(path).is_some_and(Option::is_none))
    }
}

const fn version(nt: NtVersion) -> Version {
    match nt {
        NtVersion::V5_2 => Version::V5_2,
        NtVersion::V6_1 => Version::V6_1,
    }
}

/// A hive, or `.reg` text over the default one.
fn hive(name: &str, file: &Path) -> Result<Hive> {
    let shown = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {shown}"))?;
    if bytes.starts_with(hive_file::REGF) {
        return hive_file::parse(file, &bytes).map(|read| read.hive);
    }
    let text = hive_file::text(file, &bytes)?;
    let source = crate::paths::root().join(format!("iso/hives/{name}.reg"));
    let default = std::fs::read_to_string(&source)
        .with_context(|| format!("cannot read {}", source.display()))?;
    let mut hive = Hive::new(UnicodeStr(&utf16(name)));
    supplies::merge(&mut hive, name, &default)?;
    supplies::merge(&mut hive, name, &text).with_context(|| format!("in {shown}"))?;
    Ok(hive)
}

/// The FAT volume of a disk image.
fn volume(image: &Path) -> Result<Vec<u8>> {
    let mut file =
        std::fs::File::open(image).with_context(|| format!("cannot open {}", image.display()))?;
    let range = disk::range(image)?;
    file.seek(SeekFrom::Start(range.start * SECTOR as u64))?;
    let mut bytes = Vec::new();
    file.take(range.count * SECTOR as u64)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", image.display()))?;
    Ok(bytes)
}

/// The files below a folder, by their path from a backslash on.
fn gather(folder: &Path, place: &str, files: &mut Files) -> Result<()> {
    let cannot = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{place}\\{name}");
        if path.is_dir() {
            files.insert(place.clone(), None);
            gather(&path, &place, files)?;
        } else {
            let bytes =
                std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(place, Some(bytes));
        }
    }
    Ok(())
}

/// What stands at the end of a boot of this version of NT for this machine with exactly these files and hives, as the kernel's
/// own dump has it. The programs that this repository has are there without being in the tree.
///
/// # Errors
/// A hive that is none; files that do not fit.
pub fn stands_at_the_end(arch: Arch, tree: &Tree, nt: NtVersion) -> Result<Value> {
    let mut hives = Vec::new();
    for name in tree::HIVES {
        if let Some(Some(bytes)) = tree.files.get(&tree.hive_path(name)) {
            let hive = Hive::parse(bytes).map_err(|error| anyhow!("{name}: {error}"))?;
            hives.push((name, hive));
        }
    }
    let ours = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        ["smss.exe", "ntdll.dll"].contains(&name)
            || programs::PROGRAMS.iter().any(|it| it.name == name)
            || tree::HIVES.iter().any(|hive| path == tree.hive_path(hive))
    };
    let files = tree
        .files
        .iter()
        .filter(|(path, _)| !ours(path))
        .map(|(path, content)| (format!("\\{}", path.replace('/', "\\")), content.clone()))
        .collect();
    let ground = Ground {
        architecture: arch.executive(),
        version: version(nt),
        root: tree.root().path().to_owned(),
        hives,
        volume: None,
        files,
        strict: false,
    };
    let boot = plan::boot(&ground, &Assumptions::of(&ground.root))?;
    Ok(serde_json::from_str(&dump::json(&boot.snapshot))?)
}

fn print(plan: &Plan, arch: Arch, options: &PlanOptions, root: &str) {
    ui::step(&format!(
        "a boot with {} under NT {} for {arch}, the system in C:{root}",
        options.file.display(),
        options.nt.text()
    ));
    for act in &plan.acts {
        let verb = format!("{:<9}", act.verb.text());
        let verb = match act.verb {
            Verb::Skip => ui::paint(Colour::Yellow, &verb),
            Verb::Stop => ui::paint(Colour::Red, &verb),
            _ => ui::paint(Colour::Cyan, &verb),
        };
        let source = act
            .source
            .map(|source| ui::paint(Colour::Grey, &format!("  <- {source}")))
            .unwrap_or_default();
        ui::note(&format!("{verb} {}{source}", act.object));
    }
    let assumed: Vec<&str> = plan.assumptions.files.keys().map(String::as_str).collect();
    if !assumed.is_empty() {
        const SHOWN: usize = 12;
        let more = assumed.len().saturating_sub(SHOWN);
        let mut list = assumed[..assumed.len() - more].join(", ");
        if more > 0 {
            list.push_str(&format!(" and {more} more"));
        }
        ui::step("assumed to be on C: (--strict assumes nothing)");
        ui::note(&list);
        if plan.assumptions.has_libraries() {
            ui::note(
                "a DLL that is assumed imports nothing: with --disk or --tree, what the real ones \
                 import becomes known DLLs as well",
            );
        }
    }
    ui::step("what stands at the end");
    for line in standing(&plan.boot.snapshot) {
        ui::note(&line);
    }
}

/// Processes and paging files in a line each; `--json` has everything.
fn standing(snapshot: &Snapshot) -> Vec<String> {
    let processes = snapshot
        .processes
        .iter()
        .map(|process| format!("process {} in session {}", process.image, process.session));
    let pages = snapshot.page_files.iter().map(|file| {
        format!(
            "paging file {}: {} MB, at most {} MB",
            file.path,
            file.size >> 20,
            file.maximum >> 20
        )
    });
    let counts = format!(
        "{} named objects, {} registry keys",
        snapshot.objects.len(),
        snapshot.keys.len()
    );
    processes.chain(pages).chain([counts]).collect()
}

#[cfg(test)]
mod tests;
