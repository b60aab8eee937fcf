// SPDX-License-Identifier: GPL-2.0-or-later
//! A user's hive, with the logs that lie beside it.
//!
//! NT writes what it changes to a log before it writes the hive. A hive whose writing was
//! interrupted is dirty: it is used with its logs or not at all, because what it holds without them
//! may belong to two different moments. The files themselves are only read.

use super::supplies;
use super::tree::Tree;
use anyhow::{Context, Result, anyhow, bail};
use formats::hive::{Hive, reg_text};
use std::path::Path;

/// How a hive's file begins; anything else is `.reg` text.
pub const REGF: &[u8] = b"regf";

/// What follows a hive's name in those of its logs.
pub const LOGS: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

/// A hive as it is read from its file.
#[derive(Debug)]
pub struct Read {
    /// What stands in it, its log included.
    pub hive: Hive,
    /// Whether a log brought it up to date, which is said as well.
    pub recovered: bool,
}

impl Read {
    fn tell(&self, shown: &str) {
        if self.recovered {
            // Not to standard output, which may be carrying JSON.
            eprintln!("{shown} was dirty: brought up to date from its log");
        }
    }
}

/// Reads the hive that `bytes` of `file` are; says so if a log brought it up to date.
///
/// # Errors
/// What is no hive, and a dirty one without a log that applies to it.
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Read> {
    let shown = file.display().to_string();
    read(file, bytes).inspect(|read| read.tell(&shown))
}

/// Looks whether a file is a hive that can be used, or `.reg` text for the hive `name`.
///
/// # Errors
/// As [`parse`]; text with a fault; what cannot be read.
pub fn look(file: &Path, name: &str) -> Result<()> {
    let bytes = content(file)?;
    match bytes.starts_with(REGF) {
        true => read(file, &bytes).map(drop),
        false => fault(file, name, &bytes),
    }
}

/// Looks whether a file is `.reg` text for the hive `name`.
///
/// # Errors
/// Text with a fault, or none; what cannot be read.
pub fn look_at_text(file: &Path, name: &str) -> Result<()> {
    fault(file, name, &content(file)?)
}

fn content(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The first fault of `.reg` text.
fn fault(file: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let text = text(file, bytes)?;
    let mut nowhere = Hive::new(nt::wide!("nowhere"));
    supplies::merge(&mut nowhere, name, &text).with_context(|| format!("in {}", file.display()))
}

/// `.reg` text out of a file that is no hive.
///
/// # Errors
/// It is no text.
pub fn text(file: &Path, bytes: &[u8]) -> Result<String> {
    reg_text::decode(bytes)
        .map_err(|_| anyhow!("{} is neither a hive nor .reg text", file.display()))
}

fn read(file: &Path, bytes: &[u8]) -> Result<Read> {
    let logs = if Hive::is_dirty(bytes) {
        logs(file)?
    } else {
        Vec::new()
    };
    parse_with(&file.display().to_string(), &name(file), bytes, &logs)
}

/// Reads a hive of a volume, shown as `shown`; `content` gives the files beside it, by their whole
/// path.
///
/// # Errors
/// As [`parse`], and those of `content`.
pub fn parse_at(
    shown: &str,
    path: &str,
    bytes: &[u8],
    content: impl Fn(&str) -> Result<Option<Vec<u8>>>,
) -> Result<Read> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut logs = Vec::new();
    if Hive::is_dirty(bytes) {
        for ending in LOGS {
            if let Some(log) = content(&format!("{path}{ending}"))? {
                logs.push((format!("{name}{ending}"), log));
            }
        }
    }
    parse_with(shown, name, bytes, &logs).inspect(|read| read.tell(shown))
}

/// Reads the hive `name` of a tree, with its logs on it, to be changed and put back.
///
/// # Errors
/// As [`parse_at`], and a tree without it.
pub fn of_tree(tree: &Tree, name: &str) -> Result<Hive> {
    let place = tree.hive_path(name);
    let content = |path: &str| tree.files.get(path).cloned().flatten();
    let bytes = content(&place).with_context(|| format!("there is no hive {name}"))?;
    let beside = |path: &str| Ok(content(path));
    Ok(parse_at(&format!("hive {name}"), &place, &bytes, beside)?.hive)
}

fn parse_with(shown: &str, name: &str, bytes: &[u8], logs: &[(String, Vec<u8>)]) -> Result<Read> {
    let slices: Vec<&[u8]> = logs.iter().map(|(_, log)| log.as_slice()).collect();
    match Hive::parse_with_logs(bytes, &slices) {
        Ok((hive, recovered)) => Ok(Read { hive, recovered }),
        Err(error) if !Hive::is_dirty(bytes) => Err(anyhow!("{shown} cannot be used: {error}")),
        Err(error) if logs.is_empty() => bail!(
            "{shown} is dirty, its last write was interrupted ({error}); put its logs ({}) beside \
             it, or take a copy made by a clean shutdown",
            LOGS.map(|ending| format!("{name}{ending}")).join(", ")
        ),
        Err(error) => {
            let found: Vec<&str> = logs.iter().map(|(name, _)| name.as_str()).collect();
            bail!(
                "{shown} is dirty, and {} cannot bring it up to date ({error}); take the logs that \
                 were copied together with it, or a copy made by a clean shutdown",
                found.join(", ")
            )
        }
    }
}

fn name(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// The logs beside a hive, with their names, in the order of [`LOGS`]. NT's names have no case, and
/// copies come in any.
fn logs(file: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut beside = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?
    {
        beside.push(entry?.path());
    }
    beside.sort();
    let mut logs = Vec::new();
    for ending in LOGS {
        let wanted = format!("{}{ending}", name(file));
        for path in &beside {
            if name(path).eq_ignore_ascii_case(&wanted) {
                let log = std::fs::read(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                logs.push((name(path), log));
            }
        }
    }
    Ok(logs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medium::tree;
    use nt::wide;

    const BASE_BLOCK: usize = 4096;
    const SECTOR: usize = 512;
    const KIND: usize = 28;
    const CHECKSUM: usize = 508;

    /// A hive with the key `Old` or the key `New`.
    fn hive(key: nt::UnicodeStr<'_>) -> Vec<u8> {
        let mut hive = Hive::new(wide!("SYSTEM"));
        hive.create_path(hive.root(), key, false, 0).unwrap();
        hive.serialise(tree::NOW)
    }

    fn put32(file: &mut [u8], at: usize, value: u32) {
        file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn seal(base: &mut [u8]) {
        let sum = base[..CHECKSUM].chunks_exact(4).fold(0, |sum, word| {
            sum ^ u32::from_le_bytes(word.try_into().unwrap())
        });
        put32(base, CHECKSUM, sum);
    }

    /// The file as an interrupted write leaves it: its two sequence numbers differ.
    fn dirty(mut file: Vec<u8>) -> Vec<u8> {
        let first = u32::from_le_bytes(file[4..8].try_into().unwrap());
        put32(&mut file, 4, first + 1);
        seal(&mut file);
        file
    }

    /// A log of the format until NT 6.2 that holds every page of a hive.
    fn log(file: &[u8]) -> Vec<u8> {
        let bins = &file[BASE_BLOCK..];
        let mut log = file[..SECTOR].to_vec();
        put32(&mut log, KIND, 1);
        seal(&mut log);
        log.extend(b"DIRT");
        log.resize(log.len() + bins.len() / SECTOR / 8, 0xFF);
        log.resize(log.len().next_multiple_of(SECTOR), 0);
        log.extend(bins);
        log
    }

    #[test]
    fn a_dirty_hive_is_brought_up_to_date_from_a_log_of_any_name_beside_it() {
        for ending in [".LOG", ".log", ".LOG1", ".Log2"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("SYSTEM");
            let bytes = dirty(hive(wide!("Old")));
            std::fs::write(&file, &bytes).unwrap();
            let beside = folder.path().join(format!("system{ending}"));
            std::fs::write(beside, log(&hive(wide!("New")))).unwrap();
            let Read {
                hive: read,
                recovered,
            } = parse(&file, &bytes).unwrap();
            assert!(recovered, "{ending}");
            assert!(read.find(read.root(), wide!("New")).is_some(), "{ending}");
            assert!(read.find(read.root(), wide!("Old")).is_none(), "{ending}");
            assert_eq!(
                std::fs::read(&file).unwrap(),
                bytes,
                "the file is only read"
            );
        }
    }

    #[test]
    fn a_dirty_hive_of_a_volume_is_brought_up_to_date_from_the_logs_on_it() {
        let bytes = dirty(hive(wide!("Old")));
        let logged = log(&hive(wide!("New")));
        let beside = |path: &str| Ok((path == "config/SYSTEM.LOG1").then(|| logged.clone()));
        let read = parse_at("the hive", "config/SYSTEM", &bytes, beside).unwrap();
        assert!(read.recovered);
        assert!(read.hive.find(read.hive.root(), wide!("New")).is_some());
        let told = parse_at("the hive", "config/SYSTEM", &bytes, |_| Ok(None))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("(SYSTEM.LOG, SYSTEM.LOG1, SYSTEM.LOG2)"),
            "{told}"
        );
    }

    #[test]
    fn a_clean_hive_needs_no_log() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("SYSTEM");
        std::fs::write(folder.path().join("SYSTEM.LOG"), log(&hive(wide!("New")))).unwrap();
        let Read {
            hive: read,
            recovered,
        } = parse(&file, &hive(wide!("Old"))).unwrap();
        assert!(!recovered);
        assert!(read.find(read.root(), wide!("Old")).is_some());
    }

    #[test]
    fn a_dirty_hive_without_a_log_that_applies_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("my.hiv");
        let bytes = dirty(hive(wide!("Old")));
        let told = parse(&file, &bytes).unwrap_err().to_string();
        assert!(told.contains("is dirty"), "{told}");
        assert!(
            told.contains("(my.hiv.LOG, my.hiv.LOG1, my.hiv.LOG2) beside it"),
            "{told}"
        );
        // Windows leaves an empty one where it uses the other two.
        std::fs::write(folder.path().join("my.hiv.LOG"), "").unwrap();
        let told = parse(&file, &bytes).unwrap_err().to_string();
        assert!(
            told.contains("my.hiv.LOG cannot bring it up to date"),
            "{told}"
        );
    }
}
