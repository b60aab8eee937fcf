// SPDX-License-Identifier: GPL-2.0-or-later
//! What a user brings to a boot: registry hives, files, a program, a disk of their own, the
//! loader's options.
//!
//! Everything is read and checked before anything boots. A hive in regf form takes the place of the
//! default one as it is, or as its logs complete it; `.reg` text is merged over what is there by
//! then, in the order of the command line; a program is entered in the result. A disk is booted as
//! a copy, unless it is to be kept.

use super::program::ProgramOptions;
use super::system_root::{self, SystemRoot};
use super::tree::{self, Tree};
use super::{disk, hive_file};
use crate::build::Images;
use crate::{paths, ui};
use anyhow::{Context, Result};
use clap::{Args, ValueHint};
use executive::cm::boot::current_control_set;
use formats::hive::{Hive, reg_text};
use std::iter;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Options that bring something to a boot on the shim.
#[derive(Args, Clone, Debug, Default)]
pub struct Supplies {
    /// A hive of your own, or .reg text merged over the default one; SYSTEM if no name is given.
    #[arg(long, value_name = "[SOFTWARE=]FILE", value_hint = ValueHint::FilePath)]
    pub hive: Vec<HiveSource>,
    /// A file or a folder of yours, on the volume at this path, or in System32.
    #[arg(long, value_name = "HOST[=\\PATH]")]
    pub file: Vec<FileSource>,
    /// A disk image of yours with a FAT volume, as drive C:; what a boot needs is added to a copy.
    #[arg(long, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    pub disk: Option<PathBuf>,
    /// The folder of the system on it, such as \WINDOWS [default: what is found there, or \ReactOS].
    #[arg(long, value_name = "\\PATH", requires = "disk")]
    pub system_root: Option<SystemRoot>,
    /// Boot that image itself instead of a copy.
    #[arg(long, requires = "disk")]
    pub keep: bool,
    /// Options of the loader, such as `MININT SOS`.
    #[arg(long, value_name = "TEXT", value_parser = loader_options)]
    pub boot_options: Option<String>,
    /// A program of their own.
    #[command(flatten)]
    pub program: ProgramOptions,
}

/// A disk to boot from.
pub struct Made {
    /// Its image.
    pub image: PathBuf,
    /// Where the system is on it.
    pub root: SystemRoot,
    /// The file name of the program that was brought.
    pub program: Option<String>,
}

/// `[NAME=]FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiveSource {
    /// The hive, as NT names it.
    hive: &'static str,
    /// The file.
    file: PathBuf,
}

impl HiveSource {
    /// The hive, as NT names it.
    pub const fn hive(&self) -> &'static str {
        self.hive
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

impl FromStr for HiveSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A name has nothing that a path has.
        let named = text
            .split_once('=')
            .filter(|(name, _)| !name.contains(['/', '\\', '.']));
        let (name, file) = named.unwrap_or(("SYSTEM", text));
        let hive = tree::HIVES
            .into_iter()
            .find(|hive| hive.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                format!(
                    "there is no hive {name}; the hives are {}",
                    tree::HIVES.join(", ")
                )
            })?;
        Ok(Self {
            hive,
            file: file.into(),
        })
    }
}

/// `HOST[=\PATH]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    /// Where it is here.
    host: PathBuf,
    /// Where it goes.
    place: Place,
}

/// A place on the volume, with `/` between names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A name in System32, wherever that is.
    System32(String),
    /// From the top of the volume.
    Path(String),
}

impl Place {
    fn on(&self, tree: &Tree) -> String {
        match self {
            Self::System32(name) => tree.system32(name),
            Self::Path(path) => path.clone(),
        }
    }
}

impl FileSource {
    /// Where it is here.
    pub fn host(&self) -> &Path {
        &self.host
    }
}

impl FromStr for FileSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((host, place)) = text.split_once('=') else {
            let name = Path::new(text)
                .file_name()
                .ok_or_else(|| format!("{text} has no name"))?;
            return Ok(Self {
                host: text.into(),
                place: Place::System32(name.to_string_lossy().into_owned()),
            });
        };
        let place = place.replace('\\', "/");
        let place = place
            .strip_prefix("C:")
            .or_else(|| place.strip_prefix("c:"))
            .unwrap_or(&place)
            .trim_matches('/');
        let bad = |name: &str| name.is_empty() || name == "." || name == ".." || name.contains(':');
        if place.split('/').any(bad) {
            return Err(format!("`{place}` is no path on the volume"));
        }
        Ok(Self {
            host: host.into(),
            place: Place::Path(place.to_owned()),
        })
    }
}

impl Supplies {
    /// Puts the hives and the files on a tree.
    ///
    /// # Errors
    /// What cannot be read, what is no hive, and what does not fit.
    pub fn put_on(&self, tree: &mut Tree) -> Result<()> {
        for source in &self.hive {
            source.put_on(tree)?;
        }
        for source in &self.file {
            let place = source.place.on(tree);
            put_file(tree, &source.host, &place)?;
        }
        Ok(())
    }

    /// Where the system is on the disk that was brought; the usual place without one.
    ///
    /// # Errors
    /// [`system_root::find`]'s.
    pub fn root(&self) -> Result<SystemRoot> {
        let Some(image) = &self.disk else {
            return Ok(SystemRoot::default());
        };
        let asked = self.system_root.as_ref();
        system_root::find(&disk::Shown(image), &image.display(), asked, None)
    }

    /// Makes the machine's disk: a new one, `file`, with the tree on it, or the disk that was
    /// brought. Of that one's hives, those that it has count before the default ones.
    ///
    /// # Errors
    /// As [`Supplies::put_on`], and those of the image.
    pub fn make_disk(&self, file: &Path, tree: &mut Tree, images: &Images) -> Result<Made> {
        let Some(image) = &self.disk else {
            self.put_on(tree)?;
            let program = self.program.put_on(tree, images)?;
            disk::make(file, disk::DEFAULT_SIZE, tree)?;
            return Ok(Made {
                image: file.to_owned(),
                root: tree.root().clone(),
                program,
            });
        };
        let root = self.root()?;
        if root != SystemRoot::default() {
            ui::note(&format!("the system of {} is in {root}", image.display()));
            tree.move_system(&root);
        }
        for hive in tree::HIVES {
            // Its logs as well: what is merged over a dirty hive is merged over what they make of
            // it.
            for ending in iter::once("").chain(hive_file::LOGS) {
                let path = tree.hive_path(hive) + ending;
                if let Some(bytes) = disk::read(image, &path)? {
                    tree.files.insert(path, Some(bytes));
                }
            }
        }
        self.put_on(tree)?;
        let program = self.program.put_on(tree, images)?;
        let booted = if self.keep {
            image.clone()
        } else {
            std::fs::copy(image, file)
                .with_context(|| format!("cannot copy {}", image.display()))?;
            file.to_owned()
        };
        disk::fill(&booted, tree)
            .with_context(|| format!("the system does not fit on {}", image.display()))?;
        Ok(Made {
            image: booted,
            root,
            program,
        })
    }

    /// The words for the kernel's command line.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.boot_options
            .iter()
            .flat_map(|text| text.split_whitespace())
    }
}

/// The loader's options, as the kernel's command line takes them. That line has words of the shim's
/// own as well: one of those here would make the run end, or be judged, in another way than xtask
/// expects.
fn loader_options(text: &str) -> Result<String, String> {
    const OURS: [&str; 11] = [
        "exit",
        "dump",
        "trace",
        "kill",
        "nt",
        "gdbwait",
        "hold",
        "timeout",
        "arch",
        "steps",
        "systemroot",
    ];
    for word in text.split_whitespace() {
        let name = word.trim_start_matches('/').split(['=', ':']).next();
        if OURS
            .iter()
            .any(|ours| name.is_some_and(|name| ours.eq_ignore_ascii_case(name)))
        {
            return Err(format!("`{word}` is the shim's word, not the loader's"));
        }
        if !word.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(format!("`{word}` is not ASCII"));
        }
    }
    Ok(text.to_owned())
}

impl HiveSource {
    fn put_on(&self, tree: &mut Tree) -> Result<()> {
        let shown = self.file.display();
        let bytes = std::fs::read(&self.file).with_context(|| format!("cannot read {shown}"))?;
        let place = tree.hive_path(self.hive);
        if bytes.starts_with(hive_file::REGF) {
            let read = hive_file::parse(&self.file, &bytes)?;
            ui::note(&format!("hive {}: {shown}", self.hive));
            let whole = if read.recovered {
                read.hive.serialise(tree::NOW)
            } else {
                bytes
            };
            tree.files.insert(place, Some(whole));
            return Ok(());
        }
        let text = hive_file::text(&self.file, &bytes)?;
        let mut hive = hive_file::of_tree(tree, self.hive)
            .with_context(|| format!("to merge {shown} over"))?;
        merge(&mut hive, self.hive, &text).with_context(|| format!("in {shown}"))?;
        ui::note(&format!("hive {}: {shown} merged over it", self.hive));
        tree.files.insert(place, Some(hive.serialise(tree::NOW)));
        Ok(())
    }
}

/// Applies `.reg` text to a hive. Keys may begin as the editors of NT write them
/// (`HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\...`), or at the hive's root
/// (`\ControlSet001\...`).
pub fn merge(hive: &mut Hive, name: &str, text: &str) -> Result<()> {
    let mut mount = format!("HKEY_LOCAL_MACHINE\\{name}");
    if name == "DEFAULT" {
        mount = "HKEY_USERS\\.DEFAULT".to_owned();
    }
    let current = current_control_set(hive);
    let mut rooted = String::with_capacity(text.len());
    for line in text.lines() {
        rooted.push_str(&at_root(line, &mount, current.as_deref()));
        rooted.push('\n');
    }
    reg_text::apply(hive, &rooted, "", tree::NOW)?;
    Ok(())
}

/// A line of `.reg` text with its key, if it names one, seen from the hive's root. The kernel makes
/// the link `CurrentControlSet`; in a hive's file there is none.
fn at_root(line: &str, mount: &str, current: Option<&str>) -> String {
    for opening in ["[-", "["] {
        let Some(key) = line.trim_start().strip_prefix(opening) else {
            continue;
        };
        let key = without_prefix(key, mount).unwrap_or(key);
        if let (Some(rest), Some(current)) = (without_prefix(key, "\\CurrentControlSet"), current) {
            return format!("{opening}\\{current}{rest}");
        }
        return format!("{opening}{key}");
    }
    line.to_owned()
}

/// What follows a prefix of whole names, compared without regard to case.
fn without_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    let rest = &text[prefix.len()..];
    (head.eq_ignore_ascii_case(prefix) && rest.starts_with(['\\', ']'])).then_some(rest)
}

/// Puts a file, or a folder with all that is in it, at a place of the tree.
fn put_file(tree: &mut Tree, host: &Path, place: &str) -> Result<()> {
    let cannot = || format!("cannot read {}", host.display());
    if host.is_dir() {
        let mut empty = true;
        for entry in std::fs::read_dir(host).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            let name = entry.file_name();
            let name = name
                .to_str()
                .with_context(|| format!("{} is not UTF-8", entry.path().display()))?;
            put_file(tree, &entry.path(), &format!("{place}/{name}"))?;
            empty = false;
        }
        if empty {
            tree.files.insert(place.to_owned(), None);
        }
        return Ok(());
    }
    let bytes = std::fs::read(host).with_context(cannot)?;
    // FAT knows no case: one name, one file.
    tree.files
        .retain(|path, _| !path.eq_ignore_ascii_case(place));
    tree.files.insert(place.to_owned(), Some(bytes));
    Ok(())
}

/// Copies the hives of a disk that has been booted beside its log, into `hives`.
pub fn write_back(made: &Made, output: &Path) -> Result<()> {
    let folder = paths::folder(output.join("hives"))?;
    for hive in tree::HIVES {
        // A boot may have ended before there was one.
        let path = format!("{}/System32/config/{hive}", made.root.place());
        if let Some(bytes) = disk::read(&made.image, &path)? {
            let file = folder.join(hive);
            std::fs::write(&file, bytes)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    ui::note(&format!(
        "the disk: {}; its hives: {}",
        made.image.display(),
        folder.display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::utf16;
    use nt::UnicodeStr;

    fn place(text: &str) -> Result<String, String> {
        text.parse::<FileSource>()
            .map(|source| source.place.on(&Tree::default()))
    }

    #[test]
    fn a_hive_is_named_before_its_file() {
        let source = |text: &str| text.parse::<HiveSource>();
        let is = |hive, file: &str| {
            Ok(HiveSource {
                hive,
                file: file.into(),
            })
        };
        assert_eq!(source("a.hiv"), is("SYSTEM", "a.hiv"));
        assert_eq!(source("software=b/a=1.reg"), is("SOFTWARE", "b/a=1.reg"));
        assert_eq!(source("./x=1/a.hiv"), is("SYSTEM", "./x=1/a.hiv"));
        assert!(
            source("SOFTWRE=a.hiv")
                .unwrap_err()
                .contains("no hive SOFTWRE")
        );
    }

    #[test]
    fn a_file_goes_to_its_place_or_to_system32() {
        assert_eq!(place("/home/me/a.exe").unwrap(), "ReactOS/System32/a.exe");
        assert_eq!(place("a.txt=\\Temp\\b.txt").unwrap(), "Temp/b.txt");
        assert_eq!(place("a.txt=C:\\b.txt").unwrap(), "b.txt");
        assert_eq!(place("folder=/data/").unwrap(), "data");
        for wrong in ["a=", "a=\\", "a=..\\b", "a=D:\\b", "a=b\\\\c", "/"] {
            assert!(place(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_shims_own_words_are_no_options_of_the_loader() {
        assert!(loader_options("MININT SOS SAFEBOOT:MINIMAL").is_ok());
        for wrong in ["exit=settled", "/TRACE", "SOS nt=6.1", "kill=csrss"] {
            assert!(loader_options(wrong).is_err(), "{wrong}");
        }
    }

    fn value(hive: &Hive, key: &str, name: &str) -> Option<Vec<u8>> {
        let key = hive.find(hive.root(), UnicodeStr(&utf16(key)))?;
        hive.value(key, UnicodeStr(&utf16(name)))
            .map(|value| value.data.clone())
    }

    /// As the editors of NT export a key, and as the hives of this repository are written.
    #[test]
    fn text_is_merged_wherever_its_keys_begin() {
        let mut hive = Hive::new(nt::wide!("SYSTEM"));
        let head = "Windows Registry Editor Version 5.00\n\n";
        let text = format!(
            "{head}[\\Select]\n\"Current\"=dword:00000002\n\n[\\ControlSet002\\Control\\Old]\n"
        );
        merge(&mut hive, "SYSTEM", &text).unwrap();
        let text = format!(
            "{head}[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Control\\New]\n\"A\"=dword:00000001\n\n\
             [-HKEY_LOCAL_MACHINE\\SYSTEM\\currentcontrolset\\Control\\Old]\n\n\
             [\\ControlSet002\\Control]\n\"B\"=dword:00000002\n"
        );
        merge(&mut hive, "SYSTEM", &text).unwrap();
        assert_eq!(
            value(&hive, "ControlSet002\\Control\\New", "A"),
            Some(vec![1, 0, 0, 0])
        );
        assert_eq!(
            value(&hive, "ControlSet002\\Control", "B"),
            Some(vec![2, 0, 0, 0])
        );
        let old = utf16("ControlSet002\\Control\\Old");
        assert_eq!(hive.find(hive.root(), UnicodeStr(&old)), None);
    }

    #[test]
    fn hives_and_files_are_checked_before_they_are_on_the_tree() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let hive = |file: &Path| HiveSource {
            hive: "SYSTEM",
            file: file.to_owned(),
        };
        let mut tree = Tree::default();
        let empty = tree::compile("Windows Registry Editor Version 5.00\n").unwrap();
        tree.files
            .insert(tree.hive_path("SYSTEM"), Some(empty.clone()));
        // A hive that is cut off, text of neither kind, and no file at all.
        std::fs::write(path("cut"), &empty[..100]).unwrap();
        std::fs::write(path("binary"), [0xFF, 0x00, 0xC0]).unwrap();
        for name in ["cut", "binary", "missing"] {
            assert!(hive(&path(name)).put_on(&mut tree).is_err(), "{name}");
        }
        assert_eq!(tree.files[&tree.hive_path("SYSTEM")], Some(empty.clone()));
        // A whole one takes the place of the default one as it is.
        std::fs::write(path("whole"), &empty).unwrap();
        hive(&path("whole")).put_on(&mut tree).unwrap();
        // A folder comes with what is in it, and a file replaces one of its name in any case.
        std::fs::create_dir_all(path("data/inner/none")).unwrap();
        std::fs::write(path("data/inner/a.txt"), "new").unwrap();
        tree.files
            .insert("DATA/INNER/A.TXT".to_owned(), Some(b"old".to_vec()));
        put_file(&mut tree, &path("data"), "data").unwrap();
        assert_eq!(tree.files["data/inner/a.txt"], Some(b"new".to_vec()));
        assert_eq!(tree.files["data/inner/none"], None);
        assert!(!tree.files.contains_key("DATA/INNER/A.TXT"));
    }

    /// A volume that somebody else made keeps its contents; the image itself is only
    /// written with `keep`.
    #[test]
    fn a_disk_is_booted_as_a_copy_unless_it_is_to_be_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut theirs = Tree::default();
        let hive = tree::compile("Windows Registry Editor Version 5.00\n\n[\\Theirs]\n").unwrap();
        theirs
            .files
            .insert(theirs.hive_path("SYSTEM"), Some(hive.clone()));
        theirs
            .files
            .insert("their.txt".to_owned(), Some(b"theirs".to_vec()));
        disk::make(&path("theirs.img"), 64, &theirs).unwrap();
        let before = std::fs::read(path("theirs.img")).unwrap();
        let mut supplies = Supplies {
            disk: Some(path("theirs.img")),
            ..Supplies::default()
        };
        let mut ours = Tree::default();
        ours.files
            .insert(ours.hive_path("SYSTEM"), Some(b"default".to_vec()));
        ours.files.insert(
            "ReactOS/System32/smss.exe".to_owned(),
            Some(b"ours".to_vec()),
        );
        let images = Images {
            arch: crate::arch::Arch::Amd64,
            folder: folder.path().to_owned(),
            kernel: path("kernel"),
            dev: false,
        };
        let made = supplies
            .make_disk(&path("disk.img"), &mut ours.clone(), &images)
            .unwrap();
        let booted = made.image;
        assert_eq!(booted, path("disk.img"));
        assert_eq!(std::fs::read(path("theirs.img")).unwrap(), before);
        let on = |name: &str| disk::read(&booted, name).unwrap().unwrap();
        assert_eq!(on("their.txt"), b"theirs");
        assert_eq!(on("ReactOS/System32/smss.exe"), b"ours");
        assert_eq!(on(&ours.hive_path("SYSTEM")), hive);
        supplies.keep = true;
        let made = supplies
            .make_disk(&path("disk.img"), &mut ours, &images)
            .unwrap();
        assert_eq!(made.image, path("theirs.img"));
        assert!(
            disk::read(&made.image, "ReactOS/System32/smss.exe")
                .unwrap()
                .is_some()
        );
        // What came out of it lies beside the log.
        write_back(&made, folder.path()).unwrap();
        assert_eq!(std::fs::read(path("hives/SYSTEM")).unwrap(), hive);
        assert!(!path("hives/SAM").exists());
    }
}
