// SPDX-License-Identifier: GPL-2.0-or-later
//! What is in the files that a command line names: one of another kind, or for another machine, is
//! told in a sentence before anything is built or copied.
//!
//! The readers are those of the verbs themselves. A verb that reads a file before it does anything
//! else is its own judge.

use crate::arch::Arch;
use crate::medium::{disk, hive_file};
use crate::reactos::extract::{self, Originals};
use crate::reactos::{boot, pack};
use anyhow::{Result, bail};
use std::path::Path;

/// What a file must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A hive that can be used, or `.reg` text.
    Hive,
    /// `.reg` text.
    Text,
    /// A disk image with a FAT volume.
    Disk,
    /// The disk image of an installed ReactOS.
    Installed,
    /// A disc of ReactOS with a Session Manager on it.
    Disc,
    /// Either of these.
    ReactOs,
    /// A live CD for the shim's machine.
    LiveCd,
    /// An image for the shim's machine.
    Image,
    /// A native program for it.
    Program,
    /// What the verb finds in it, or whatever it is.
    Verbs,
}

impl Content {
    /// What an option of a verb wants; none if nobody has thought about it.
    pub fn of(verb: &str, option: &str) -> Option<Self> {
        Some(match (verb, option) {
            ("run" | "gdb", "hive") => Self::Hive,
            ("budgets" | "compare", "hive") => Self::Text,
            ("run" | "gdb", "disk") => Self::Disk,
            ("iso", "disk") => Self::Installed,
            ("iso", "base") => Self::Disc,
            ("run" | "gdb", "base") => Self::ReactOs,
            ("run" | "budgets" | "compare", "from") => Self::LiveCd,
            ("run", "smss" | "ntdll") => Self::Image,
            ("run" | "gdb", "program") => Self::Program,
            ("run" | "gdb", "file") | ("plan" | "install", _) => Self::Verbs,
            ("iso", "smss") | ("diff" | "stat", _) => Self::Verbs,
            ("report" | "chart", "run" | "against") => Self::Verbs,
            _ => return None,
        })
    }

    /// Looks into a file; `hive` is the one that it is or changes, if it is for one, and `arch` the
    /// machine of the boot, if that is known by now.
    ///
    /// # Errors
    /// It is something else; what cannot be read.
    pub fn hold(self, file: &Path, hive: &str, arch: Option<Arch>) -> Result<()> {
        match self {
            Self::Hive => hive_file::look(file, hive),
            Self::Text => hive_file::look_at_text(file, hive),
            Self::Disk => disk::range(file).map(drop),
            Self::Installed => pack::machine_of_disk(file).map(drop),
            Self::Disc => pack::machine_of_disc(file).map(drop),
            Self::ReactOs => boot::machine(file).map(drop),
            Self::LiveCd => Originals::from_iso(file).map(drop),
            Self::Image => extract::image(file).map(drop),
            Self::Program => {
                extract::program(file)?;
                let (of, _) = extract::image(file)?;
                match arch.filter(|arch| *arch != of) {
                    Some(arch) => bail!("{} is for {of}, and not for {arch}", file.display()),
                    None => Ok(()),
                }
            }
            Self::Verbs => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cli;
    use super::*;
    use crate::medium::tree::{self, Tree};
    use crate::reactos::small_disc;
    use crate::windows::session_manager;
    use clap::{CommandFactory, ValueHint};
    use formats::pe::build::ImageFile;
    use nt::system::ImageSubsystem;
    use std::ffi::OsString;

    /// A new option that names a file says what must be in it.
    #[test]
    fn every_file_that_is_read_has_a_content() {
        fn hold(command: &clap::Command) {
            for argument in command.get_arguments() {
                if argument.get_value_hint() == ValueHint::FilePath {
                    let (verb, id) = (command.get_name(), argument.get_id().as_str());
                    assert!(Content::of(verb, id).is_some(), "{verb} {argument}");
                }
            }
            command.get_subcommands().for_each(hold);
        }
        hold(&Cli::command());
    }

    /// The image for a 32-bit machine that this one is like.
    fn for_i386(image: &[u8]) -> Vec<u8> {
        let mut image = image.to_vec();
        let header = u32::from_le_bytes(image[0x3C..0x40].try_into().unwrap()) as usize;
        image[header + 4..header + 6].copy_from_slice(&Arch::I386.machine().to_le_bytes());
        image
    }

    /// Each option that names a file, with one of another kind, and a word of what is said.
    #[test]
    fn a_file_of_another_kind_is_told_before_anything_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let put = |name: &str, bytes: &[u8]| std::fs::write(at(name), bytes).unwrap();
        let smss = session_manager("theirs");
        put("noise", &[0xDB; 40_000]);
        put("smss.exe", &smss);
        put("i386.exe", &for_i386(&smss));
        put("CSRSS.EXE", &smss);
        put("noise.exe", b"MZ, and no more");
        let window = ImageFile {
            subsystem: ImageSubsystem::WINDOWS_GUI,
            ..ImageFile::default()
        };
        put("window.exe", &window.bytes());
        put("disc.iso", &small_disc::bytes(&smss));
        let mut two = Tree::default();
        for folder in ["WINDOWS", "WINNT"] {
            let path = format!("{folder}/system32/config/SYSTEM");
            two.files.insert(path, Some(b"a hive".to_vec()));
        }
        disk::make(Path::new(&at("two.img")), 48, &two).unwrap();
        let mut moved = Tree::default();
        moved.move_system(&"ROS".parse().unwrap());
        moved.put_in_system32("smss.exe", smss.clone());
        let loader = b"[FREELOADER]\nDefaultOS=Mine\n[Mine]\nSystemPath=multi(0)disk(0)rdisk(0)partition(1)\\ROS\n";
        moved
            .files
            .insert("freeldr.ini".to_owned(), Some(loader.to_vec()));
        disk::make(Path::new(&at("moved.img")), 48, &moved).unwrap();
        let live: [(&str, &[u8]); 3] = [
            ("smss.exe", &smss),
            ("ntdll.dll", &smss),
            ("autochk.exe", b"x"),
        ];
        put("live.iso", &small_disc::live_cd(&live));
        put("i386.iso", &small_disc::bytes(&for_i386(&smss)));
        put("own.exe", &smss);
        put("setup.iso", &small_disc::bytes(b"no Session Manager"));
        let hive = tree::compile("Windows Registry Editor Version 5.00\n\n[\\A]\n").unwrap();
        put("short.hiv", &hive[..5000]);
        put(
            "wrong.reg",
            b"Windows Registry Editor Version 5.00\n\n[\\A]\n\"b\"=dwrd:1\n",
        );
        disk::make(Path::new(&at("fat.img")), 48, &Tree::default()).unwrap();
        put("good.hiv", &hive);
        let text = "Windows Registry Editor Version 5.00\n\n\
                    [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control]\n\"b\"=dword:1\n";
        put("good.reg", text.as_bytes());
        // `@` stands for the folder.
        let read = |line: &str| {
            let words = format!("xtask {}", line.replace('@', &at("")));
            Cli::read(words.split_whitespace().map(OsString::from))
        };
        for (line, told) in [
            ("run --hive @noise", "neither a hive nor .reg text"),
            ("run --hive @short.hiv", "cannot be used"),
            ("run --hive SOFTWARE=@wrong.reg", "line 4"),
            ("run --hive SOFTWARE=@good.reg", "not in this hive"),
            ("gdb --hive @noise", "neither a hive nor .reg text"),
            ("budgets --from @noise", "no ISO"),
            ("compare --from @disc.iso", "no live CD"),
            ("run --from @fat.img", "no ISO"),
            ("run --from @live.iso --with autochk,csrss", "no csrss.exe"),
            (
                "compare --from @live.iso",
                "no reactos/system32/config/SYSTEM",
            ),
            (
                "budgets --from @live.iso",
                "no reactos/system32/config/SYSTEM",
            ),
            ("run --disk @noise", "no FAT volume"),
            ("run --disk @two.img", "say which one with --system-root"),
            (
                "run --disk @two.img --system-root \\SYSTEM",
                "no folder \\SYSTEM",
            ),
            (
                "gdb --disk @fat.img --system-root WINDOWS",
                "no folder \\WINDOWS",
            ),
            ("gdb --disk @disc.iso", "no FAT volume"),
            ("run --base @noise", "no installed ReactOS"),
            ("run --base @fat.img", "no installed ReactOS"),
            ("run --base @setup.iso", "no Session Manager"),
            ("gdb --base @setup.iso", "no Session Manager"),
            ("run --smss @noise", "no PE image"),
            ("run --program @noise.exe", "no PE image"),
            ("run --program @i386.exe", "for i386"),
            ("run --program @smss.exe", "give yours another name"),
            ("gdb --program @CSRSS.EXE", "give yours another name"),
            ("run --arch i386 --program @own.exe", "for amd64"),
            ("gdb --program @window.exe", "no native program"),
            ("iso --base @fat.img", "no ISO"),
            ("iso --base @setup.iso", "no Session Manager"),
            (
                "iso --base @disc.iso --out @./disc.iso",
                "give another name",
            ),
            (
                "report @ --against @noise --out @noise",
                "give another name",
            ),
            ("iso --disk @fat.img", "no installed ReactOS"),
            ("iso --disk @disc.iso", "no installed ReactOS"),
        ] {
            let error = read(line)
                .err()
                .unwrap_or_else(|| panic!("`{line}` passes"));
            assert_eq!(error.exit_code(), 2, "{line}");
            let text = error.to_string();
            let sentence = text.lines().next().unwrap_or_default();
            assert!(sentence.contains(told), "`{line}`: {text}");
        }
        for line in [
            "run --hive @good.hiv --hive SYSTEM=@good.reg --disk @fat.img --program @own.exe",
            "run --disk @two.img --system-root C:\\winnt",
            "run --from @live.iso --with autochk",
            "run --base @i386.iso",
            "run --base @moved.img",
            "iso --disk @moved.img --smss @smss.exe",
            "run --smss @smss.exe",
            "run --arch i386 --program @i386.exe",
            "run --ntdll @i386.exe --program @i386.exe",
            "gdb --base @i386.iso",
            "iso --base @disc.iso --smss @i386.exe",
        ] {
            let read = read(line);
            assert!(read.is_ok(), "`{line}`: {}", read.err().unwrap());
        }
    }
}
