// SPDX-License-Identifier: GPL-2.0-or-later
//! What a command line and the environment name is looked for before anything is done: a typo ends
//! within a moment, with what to do, and not behind a build.
//!
//! Which option names a file and which a folder is said once, by its value hint, which shells
//! complete by as well. A path without a hint may be either. What must be in a file is [`Content`]'s.

use super::content::Content;
use crate::arch::Arch;
use crate::medium::program::Source;
use crate::medium::supplies::{FileSource, HiveSource};
use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, ValueHint};
use std::any::TypeId;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The options that name what is to be written.
pub const WRITTEN: [&str; 3] = ["out", "picture", "shot"];

/// Variables of the environment that are numbers.
const NUMBERS: [&str; 4] = [
    "SMSS_FAULT_STEP",
    "SMSS_FAULT_FIRST",
    "SMSS_FAULT_LAST",
    "SMSS_FUZZ_SEED",
];
/// One that names a file.
const FILE: &str = "SMSS_REACTOS_ISO";
/// The one that names an accelerator, and what it may say.
const ACCELERATOR: (&str, [&str; 2]) = ("SMSS_ACCEL", ["kvm", "tcg"]);

/// Looks for what the options of a command, or of one below it, name; then into what it found.
///
/// # Errors
/// What is not there, is something else, or holds something else; what would be written over what
/// is read.
pub fn look(command: &Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let given = || {
        command.get_arguments().flat_map(|argument| {
            let paths = paths(argument, matches);
            paths.into_iter().map(move |given| (argument, given))
        })
    };
    let wrong = |argument: &Arg, path: &Path, why: &str| {
        let text = format!("invalid value '{}' for '{argument}': {why}", path.display());
        command.clone().error(ErrorKind::ValueValidation, text)
    };
    let written = |argument: &Arg| WRITTEN.contains(&argument.get_id().as_str());
    for (argument, Given { path, .. }) in given() {
        match written(argument) {
            true => may_be_written(path),
            false => is_there(path, argument.get_value_hint()),
        }
        .map_err(|why| wrong(argument, path, why))?;
    }
    let read: Vec<PathBuf> = given()
        .filter(|(argument, _)| !written(argument))
        .filter_map(|(_, Given { path, .. })| path.canonicalize().ok())
        .collect();
    for (argument, Given { path, .. }) in given().filter(|(argument, _)| written(argument)) {
        if path.canonicalize().is_ok_and(|path| read.contains(&path)) {
            return Err(wrong(argument, path, "it is read from; give another name"));
        }
    }
    let arch = machine(matches);
    for (argument, Given { path, hive }) in given() {
        let content = Content::of(command.get_name(), argument.get_id().as_str());
        if let (Some(content), true) = (content, path.is_file()) {
            content
                .hold(path, hive, arch)
                .map_err(|why| wrong(argument, path, &format!("{why:#}")))?;
        }
    }
    match matches.subcommand() {
        Some((name, below)) => match command.find_subcommand(name) {
            Some(command) => look(command, below),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// The machine of a boot, unless images of ReactOS say which it is. Not every verb has the options.
fn machine(matches: &ArgMatches) -> Option<Arch> {
    let asked = matches.try_get_one::<Arch>("arch").ok().flatten().copied();
    let others = ["smss", "ntdll", "from"]
        .iter()
        .any(|id| matches.try_contains_id(id).unwrap_or(false));
    asked.or((!others).then(Arch::default))
}

/// Something of this machine that was given.
struct Given<'m> {
    path: &'m Path,
    /// The hive that it is, or that it changes.
    hive: &'static str,
}

/// What was given for an argument.
fn paths<'m>(argument: &Arg, matches: &'m ArgMatches) -> Vec<Given<'m>> {
    let id = argument.get_id().as_str();
    let kind = argument.get_value_parser();
    let hive = "SYSTEM";
    let given = |path| Given { path, hive };
    if is::<PathBuf>(kind) {
        let values = matches.get_many::<PathBuf>(id).into_iter().flatten();
        values.map(PathBuf::as_path).map(given).collect()
    } else if is::<HiveSource>(kind) {
        let values = matches.get_many::<HiveSource>(id).into_iter().flatten();
        let given = |source: &'m HiveSource| Given {
            path: source.file(),
            hive: source.hive(),
        };
        values.map(given).collect()
    } else if is::<FileSource>(kind) {
        let values = matches.get_many::<FileSource>(id).into_iter().flatten();
        values.map(FileSource::host).map(given).collect()
    } else if is::<Source>(kind) {
        let values = matches.get_many::<Source>(id).into_iter().flatten();
        values.filter_map(Source::path).map(given).collect()
    } else {
        Vec::new()
    }
}

fn is<T: 'static>(parser: &ValueParser) -> bool {
    parser.type_id() == TypeId::of::<T>()
}

fn is_there(path: &Path, hint: ValueHint) -> Result<(), &'static str> {
    match hint {
        ValueHint::DirPath if path.is_file() => Err("it is a file; give a folder"),
        ValueHint::DirPath if !path.is_dir() => Err("there is no such folder"),
        ValueHint::FilePath if path.is_dir() => Err("it is a folder; give a file"),
        // A pipe or a disk's device is as good as a file.
        ValueHint::FilePath if !path.exists() => Err("there is no such file"),
        _ if !path.exists() => Err("there is no such file or folder"),
        _ => Ok(()),
    }
}

fn may_be_written(path: &Path) -> Result<(), &'static str> {
    let folder = path.parent().unwrap_or(path);
    if path.is_dir() {
        Err("it is a folder; give the name of a file")
    } else if folder.as_os_str().is_empty() || folder.is_dir() {
        Ok(())
    } else {
        Err("there is no such folder to write it to")
    }
}

/// Looks at the variables of the environment that verbs go by.
///
/// # Errors
/// One that says nothing that it may say.
pub fn environment(
    command: &Command,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(), clap::Error> {
    let wrong = |name: &str, value: OsString, why: String| {
        let text = format!("{name}={}: {why}", value.display());
        Err(command.clone().error(ErrorKind::InvalidValue, text))
    };
    for name in NUMBERS {
        if let Some(value) = variable(name)
            && value
                .to_str()
                .is_none_or(|text| text.parse::<u64>().is_err())
        {
            return wrong(name, value, "it is no number".to_owned());
        }
    }
    if let Some(value) = variable(FILE)
        && let Err(why) = is_there(Path::new(&value), ValueHint::FilePath)
    {
        return wrong(FILE, value, why.to_owned());
    }
    let (name, known) = ACCELERATOR;
    match variable(name) {
        Some(value) if !known.iter().any(|known| value == *known) => {
            wrong(name, value, format!("it may be {}", known.join(" or ")))
        }
        _ => Ok(()),
    }
}
