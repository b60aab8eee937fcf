// SPDX-License-Identifier: GPL-2.0-or-later
//! `--program`: a user's native program, built, put into System32 and entered in the
//! registry where the Session Manager finds it.
//!
//! It is one of `examples/`, a crate of theirs, or an image that is built already. What is given is
//! looked for while the command line is read, so that a typo never becomes a boot.

use super::hive_file;
use super::tree::{self, Tree};
use crate::arch::Arch;
use crate::build::{self, Images};
use crate::reactos::extract;
use crate::{cargo, paths, ui};
use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use executive::cm::boot::current_control_set;
use formats::hive::{Hive, reg_text};
use formats::utf16;
use nt::UnicodeStr;
use nt::system::ValueType;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::str::FromStr;

/// Options that bring a program to a boot.
#[derive(Args, Clone, Debug, Default)]
pub struct ProgramOptions {
    /// A native program to run: one of examples/, the folder of a crate of yours, or an .exe.
    #[arg(long, value_name = "NAME")]
    pub program: Option<Source>,
    /// What follows its name on its command line.
    #[arg(long, value_name = "TEXT", requires = "program", default_value = "")]
    #[arg(hide_default_value = true, allow_hyphen_values = true)]
    pub arguments: String,
    /// As what it runs.
    #[arg(long, value_enum, requires = "program", default_value_t)]
    pub role: Role,
}

/// As what a program runs: the place in the registry that names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// The last of the boot commands, which the boot waits for.
    #[default]
    BootExecute,
    /// The initial command instead of winlogon, after a pause of 5 s: when it ends, the system stops, and
    /// with STATUS_SUCCESS that is a pass.
    Initial,
    /// A required subsystem server.
    Subsystem,
}

/// Where a program comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file in `examples/src/bin`.
    Example(String),
    /// The folder of a crate.
    Crate(PathBuf),
    /// An image.
    Image(PathBuf),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text);
        if path.join("Cargo.toml").is_file() {
            return Ok(Self::Crate(path.to_owned()));
        }
        let is_image = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("exe"));
        if is_image && path.is_file() {
            return Ok(Self::Image(path.to_owned()));
        }
        let examples = examples();
        if examples.iter().any(|name| name == text) {
            return Ok(Self::Example(text.to_owned()));
        }
        let why = match (path.is_dir(), path.exists()) {
            (true, _) => "the folder has no Cargo.toml",
            (_, true) => "its name does not end with .exe",
            (_, false) => "there is no such program",
        };
        Err(format!(
            "{why}; the examples are {}, and it may be a folder with a Cargo.toml, or an .exe file",
            examples.join(", ")
        ))
    }
}

/// The names in `examples/src/bin`.
pub fn examples() -> Vec<String> {
    let folder = paths::root().join("examples/src/bin");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            Some(path.file_stem()?.to_str()?.to_owned())
        })
        .collect();
    names.sort_unstable();
    names
}

impl ProgramOptions {
    /// Looks at the name of a program that is built already.
    ///
    /// # Errors
    /// The system needs it itself.
    pub fn look(&self) -> Result<()> {
        match &self.program {
            Some(Source::Image(image)) => {
                let name = file_name(image)?;
                let known = ["smss.exe", "ntdll.dll"].contains(&name.as_str())
                    || programs::PROGRAMS.iter().any(|it| it.name == name);
                match known {
                    true => bail!("{}", taken(&name)),
                    false => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Builds the program, if there is one, and puts it and its place in the registry on the tree;
    /// its debug file goes beside those of the images. Gives its file name.
    ///
    /// # Errors
    /// A build that fails, a name that the system needs itself, a file that is no hive.
    pub fn put_on(&self, tree: &mut Tree, images: &Images) -> Result<Option<String>> {
        let Some(source) = &self.program else {
            return Ok(None);
        };
        let image = source.image(images.arch, images.dev)?;
        let name = file_name(&image)?;
        let place = tree.system32(&name);
        if tree
            .files
            .keys()
            .any(|path| path.eq_ignore_ascii_case(&place))
        {
            bail!("{}", taken(&name));
        }
        let bytes = if matches!(source, Source::Image(_)) {
            let (arch, bytes) = extract::image(&image)?;
            if arch != images.arch {
                bail!(
                    "{} is for {arch}, and not for {}",
                    image.display(),
                    images.arch
                );
            }
            bytes
        } else {
            build::put_aside(images.arch, &image, &images.folder, &name)?
        };
        tree.files.insert(place, Some(bytes));
        let mut hive = hive_file::of_tree(tree, "SYSTEM").context("to enter the program in")?;
        self.role.enter(&mut hive, &name, &self.arguments)?;
        let place = tree.hive_path("SYSTEM");
        tree.files.insert(place, Some(hive.serialise(tree::NOW)));
        ui::note(&format!("{name} is in System32, and {}", self.role.text()));
        Ok(Some(name))
    }
}

fn taken(name: &str) -> String {
    format!("the system has a program {name} of its own: give yours another name")
}

impl Role {
    fn text(self) -> &'static str {
        match self {
            Self::BootExecute => "the last entry of BootExecute",
            Self::Initial => "the last entry of Execute, the initial command",
            Self::Subsystem => "a required subsystem",
        }
    }

    /// Names the program in the SYSTEM hive.
    fn enter(self, hive: &mut Hive, file: &str, arguments: &str) -> Result<()> {
        let set =
            current_control_set(hive).context("the SYSTEM hive has no control set to boot from")?;
        let key = format!("{set}\\Control\\Session Manager");
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let line = |program: &str| format!("{program} {arguments}").trim_end().to_owned();
        match self {
            Self::BootExecute => append(hive, &key, "BootExecute", &line(file))?,
            Self::Initial => append(hive, &key, "Execute", &line(file))?,
            Self::Subsystem => {
                let key = format!("{key}\\SubSystems");
                append(hive, &key, "Required", stem)?;
                let line = line(&format!("%SystemRoot%\\System32\\{file}"));
                let data = reg_text::string_data(&line);
                set_value(hive, &key, stem, ValueType::EXPAND_SZ, data)?;
            }
        }
        Ok(())
    }
}

/// Appends a string to a REG_MULTI_SZ.
fn append(hive: &mut Hive, key: &str, name: &str, string: &str) -> Result<()> {
    let old = hive
        .find(hive.root(), UnicodeStr(&utf16(key)))
        .and_then(|key| hive.value(key, UnicodeStr(&utf16(name))))
        .map(|value| text(&value.data))
        .unwrap_or_default();
    let strings: Vec<&str> = old
        .split('\0')
        .filter(|old| !old.is_empty())
        .chain([string])
        .collect();
    let data = reg_text::multi_string_data(&strings);
    set_value(hive, key, name, ValueType::MULTI_SZ, data)
}

/// A value's data as text, its NULs included.
fn text(data: &[u8]) -> String {
    let units: Vec<u16> = data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    String::from_utf16_lossy(&units)
}

fn set_value(hive: &mut Hive, key: &str, name: &str, kind: ValueType, data: Vec<u8>) -> Result<()> {
    let key_id = hive
        .find(hive.root(), UnicodeStr(&utf16(key)))
        .with_context(|| format!("the SYSTEM hive has no key {key}"))?;
    hive.set_value(key_id, UnicodeStr(&utf16(name)), kind.0, data, tree::NOW)
        .map_err(|error| anyhow!("{key}: {name}: {error:?}"))
}

fn file_name(image: &Path) -> Result<String> {
    let name = image.file_name().and_then(|name| name.to_str());
    name.map(str::to_lowercase)
        .with_context(|| format!("{} has no name that is UTF-8", image.display()))
}

impl Source {
    /// What the command line names outside of this checkout.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Example(_) => None,
            Self::Crate(path) | Self::Image(path) => Some(path),
        }
    }

    /// The image, built if need be, with its symbols still in it.
    fn image(&self, arch: Arch, dev: bool) -> Result<PathBuf> {
        let mut command = cargo::command();
        command.args(["build", "--quiet"]);
        match self {
            Self::Image(file) => return Ok(file.clone()),
            Self::Example(name) => {
                ui::step(&format!("building the example {name} (NT target)"));
                command.args(["-p", "examples", "--bin", name]);
            }
            Self::Crate(folder) => {
                ui::step(&format!("building {} (NT target)", folder.display()));
                let folder = std::path::absolute(folder)?;
                command
                    .arg("--manifest-path")
                    .arg(folder.join("Cargo.toml"));
                // Otherwise the float routines of `compiler_builtins` do not link.
                command.args(["--config", "profile.dev.package.\"*\".opt-level=1"]);
            }
        }
        if !dev {
            command.arg("--release");
        }
        command
            .args(cargo::nt_flags(arch, cargo::EXAMPLES, false)?)
            .arg("--message-format=json-render-diagnostics");
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("the program does not build: see the messages above");
        }
        match executables(&String::from_utf8_lossy(&output.stdout)).as_slice() {
            [one] => Ok(one.clone()),
            [] => bail!("the crate has no program"),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
                    .collect();
                bail!(
                    "the crate has several programs ({}): --program takes one; build them, and give its .exe",
                    names.join(", ")
                )
            }
        }
    }
}

/// The programs among cargo's messages.
fn executables(messages: &str) -> Vec<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ControlSet001\\Control\\Session Manager";

    fn entered(role: Role, file: &str, arguments: &str) -> Hive {
        let source = paths::root().join("iso/hives/SYSTEM.reg");
        let bytes = tree::compile(&std::fs::read_to_string(source).unwrap()).unwrap();
        let mut hive = Hive::parse(&bytes).unwrap();
        role.enter(&mut hive, file, arguments).unwrap();
        hive
    }

    fn value(hive: &Hive, key: &str, name: &str) -> String {
        let key = hive.find(hive.root(), UnicodeStr(&utf16(key))).unwrap();
        let value = hive.value(key, UnicodeStr(&utf16(name))).unwrap();
        text(&value.data)
    }

    #[test]
    fn a_role_is_where_the_registry_names_the_program() {
        let hive = entered(Role::BootExecute, "a.exe", "x y");
        let list = value(&hive, KEY, "BootExecute");
        assert_eq!(list, "autocheck autochk *\0a.exe x y\0\0");
        let hive = entered(Role::Initial, "a.exe", "");
        assert_eq!(value(&hive, KEY, "Execute"), "a.exe\0\0");
        let hive = entered(Role::Subsystem, "a.exe", "x");
        let key = format!("{KEY}\\SubSystems");
        assert_eq!(value(&hive, &key, "Required"), "Debug\0Windows\0a\0\0");
        let line = value(&hive, &key, "a");
        assert_eq!(line, "%SystemRoot%\\System32\\a.exe x\0");
    }

    #[test]
    fn a_program_is_an_example_a_crate_or_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let source = |path: &Path| path.to_str().unwrap().parse::<Source>();
        assert_eq!("hello".parse(), Ok(Source::Example("hello".into())));
        let error = "helo".parse::<Source>().unwrap_err();
        assert!(error.contains("hello, notice, server"), "{error}");
        let error = source(folder.path()).unwrap_err();
        assert!(error.contains("has no Cargo.toml"), "{error}");
        std::fs::write(path("a.txt"), "").unwrap();
        let error = source(&path("a.txt")).unwrap_err();
        assert!(error.contains("does not end with .exe"), "{error}");
        std::fs::write(path("Cargo.toml"), "").unwrap();
        assert_eq!(
            source(folder.path()),
            Ok(Source::Crate(folder.path().into()))
        );
        assert!(source(&path("a.exe")).is_err(), "not there");
        std::fs::write(path("a.exe"), "").unwrap();
        assert_eq!(source(&path("a.exe")), Ok(Source::Image(path("a.exe"))));
    }

    #[test]
    fn only_cargos_programs_are_executables() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/a.exe\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\nno JSON\n";
        assert_eq!(executables(messages), [PathBuf::from("/t/a.exe")]);
    }
}
