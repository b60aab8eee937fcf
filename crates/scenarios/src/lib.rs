// SPDX-License-Identifier: GPL-2.0-or-later
//! Boots as values: what is different from the default medium, how the system must end, what must
//! be there afterwards.
//!
//! A scenario is written once and knows no world. Two runners carry it out: `crates/smss/tests`
//! boots it on the executive in the test's own process, `cargo xtask test` boots the real image of
//! it in QEMU. Both describe what they saw as one [`Seen`], and [`Scenario::judge`] holds it
//! against the scenario, so that neither can be more lenient than the other.
//!
//! A scenario that one world cannot show says so with the reason ([`Scenario::only`]); what needs a
//! failing system call, a trace or a look into the kernel is no scenario but a test of
//! `crates/smss/tests/boot`.
#![forbid(unsafe_code)]

mod boot_commands;
mod builder;
mod ends;
mod files;
mod known_dlls;
mod namespace;
mod seen;
mod sessions;

pub use seen::{Object, Process, Seen};

use nt::Status;

/// A change to the default medium.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Text appended to the `.reg` source of a hive; a value set twice has its last data.
    Registry {
        /// The hive, such as `SYSTEM`.
        hive: &'static str,
        /// What is appended.
        text: &'static str,
    },
    /// A file that is missing; paths have `/` between names and no drive.
    Remove(&'static str),
    /// A file with this content.
    File(&'static str, &'static str),
    /// A DLL of this name in System32 whose headers can be read, but not the sector with its import
    /// table.
    SpoiltLibrary(&'static str),
    /// A file of this many zeros.
    Fill(&'static str, usize),
    /// Another size of the disk, in MiB.
    DiskSize(u32),
}

/// Something that must be so afterwards.
#[derive(Clone, Copy, Debug)]
pub enum Want {
    /// A line of the log has this text.
    Log(&'static str),
    /// No line of the log has it.
    NoLog(&'static str),
    /// A line of the boot screen has this text.
    Screen(&'static str),
    /// No line of the boot screen has it.
    NoScreen(&'static str),
    /// An object with this path and of this type, whose name is permanent.
    Object(&'static str, &'static str),
    /// An object with this path and of this type, whose name goes with its last handle.
    Temporary(&'static str, &'static str),
    /// Nothing has this path.
    NoObject(&'static str),
    /// A permanent symbolic link and its target.
    Link(&'static str, &'static str),
    /// An event that is signalled.
    Signalled(&'static str),
    /// A process runs: image, parent, session. Of several with one image the later ones are called
    /// `image#2` and so on; the parent of a process whose creator has ended is `-`.
    Process(&'static str, &'static str, u32),
    /// No process runs this image.
    NoProcess(&'static str),
    /// No process is in this session.
    NoSession(u32),
    /// No value of the Session Manager key has this name.
    NoValue(&'static str),
    /// The volume has this file.
    File(&'static str),
    /// It has not.
    NoFile(&'static str),
    /// The file has this many bytes.
    Size(&'static str, usize),
    /// The file has this content.
    Content(&'static str, &'static str),
}

/// How a boot ends, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<Text = &'static str> {
    /// Everybody waits.
    Settled,
    /// Hard error C000021A: its text and the status it names (spec 12.4).
    Stopped(Text, Status),
    /// The system has switched itself off, after the restarts that it asked for.
    PowerOff,
}

impl End<String> {
    fn as_deref(&self) -> End<&str> {
        match self {
            Self::Settled => End::Settled,
            Self::Stopped(text, status) => End::Stopped(text, *status),
            Self::PowerOff => End::PowerOff,
        }
    }
}

/// The kernel below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Server 2003: one smss, everything in session 0.
    Nt5_2,
    /// Windows 7: an smss a session.
    Nt6_1,
}

/// Where a scenario is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// On the executive, in the test's own process.
    Host,
    /// The images, in ring 3.
    Qemu,
}

/// One boot.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What is so, as a test's name says it.
    pub name: &'static str,
    /// Sections or rows of the specification that it shows, one after the other with commas.
    pub rows: &'static str,
    /// What is different from the default medium.
    pub before: &'static [Change],
    /// The kernel.
    pub version: Version,
    /// A process that is ended once the system has settled, its critical flag taken first.
    pub kill: Option<&'static str>,
    /// How it ends.
    pub end: End,
    /// What is so afterwards.
    pub after: &'static [Want],
    /// The only world that can show it, and why.
    pub only: Option<(World, &'static str)>,
}

impl Scenario {
    /// Whether `world` can show it.
    pub fn runs_in(&self, world: World) -> bool {
        self.only.is_none_or(|(only, _)| only == world)
    }

    /// Holds what was seen against what is wanted.
    ///
    /// # Errors
    /// Everything that is not as it must be, one a line.
    pub fn judge(&self, seen: &Seen) -> Result<(), String> {
        let mut wrong = Vec::new();
        if seen.end.as_deref() != self.end {
            wrong.push(format!("{:?} instead of {:?}", seen.end, self.end));
        }
        wrong.extend(self.after.iter().filter_map(|want| seen.lacks(*want)));
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("\n"))
        }
    }
}

/// Every scenario, by subject.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        namespace::SCENARIOS,
        known_dlls::SCENARIOS,
        boot_commands::SCENARIOS,
        files::SCENARIOS,
        sessions::SCENARIOS,
        ends::SCENARIOS,
    ]
    .into_iter()
    .flatten()
}

/// A change of values of the Session Manager key or of one of its subkeys.
macro_rules! sm {
    ($subkey:literal, $text:literal) => {
        crate::Change::Registry {
            hive: "SYSTEM",
            text: concat!(
                "[\\ControlSet001\\Control\\Session Manager",
                $subkey,
                "]\n",
                $text,
                "\n"
            ),
        }
    };
}
use sm;

/// A command line, in parts, that session 0's winlogon.exe gives way to: its "debugger" (spec 12.1).
macro_rules! instead_of_winlogon {
    ($($part:literal),+) => {
        crate::Change::Registry {
            hive: "SOFTWARE",
            text: concat!(
                "[\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\winlogon.exe]\n\"Debugger\"=\"",
                $($part,)+
                "\"\n"
            ),
        }
    };
}
use instead_of_winlogon;

/// Command lines that script.exe runs in place of session 0's winlogon.exe.
macro_rules! script {
    ($lines:literal) => {
        crate::instead_of_winlogon!("script.exe ", $lines, "; stay;")
    };
}
use script;

/// The DLLs that the default medium has beside ntdll.dll, and what each imports. No value of the
/// registry names gdi32.dll.
pub const DLLS: &[(&str, &[&str])] = &[
    ("kernel32.dll", &["ntdll.dll"]),
    ("advapi32.dll", &["kernel32.dll", "ntdll.dll"]),
    ("gdi32.dll", &["kernel32.dll"]),
    ("user32.dll", &["gdi32.dll", "kernel32.dll"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_every_scenario_cites_rows_and_wants_something() {
        let mut names = BTreeSet::new();
        for scenario in all() {
            assert!(names.insert(scenario.name), "{} twice", scenario.name);
            assert!(!scenario.rows.is_empty(), "{}", scenario.name);
            assert!(
                !scenario.after.is_empty() || scenario.end != End::Settled,
                "{} can only pass",
                scenario.name
            );
            // A system that has stopped shows no namespace and no processes.
            let stands = |want: &Want| {
                !matches!(
                    want,
                    Want::Log(_)
                        | Want::NoLog(_)
                        | Want::Screen(_)
                        | Want::NoScreen(_)
                        | Want::File(_)
                        | Want::NoFile(_)
                        | Want::Size(..)
                        | Want::Content(..)
                )
            };
            assert!(
                scenario.end == End::Settled || !scenario.after.iter().any(stands),
                "{} wants what nobody sees",
                scenario.name
            );
        }
        assert!(!names.is_empty());
    }

    #[test]
    fn what_is_not_so_is_named() {
        let scenario = Scenario::new("x", "1").after(&[Want::NoLog("bad"), Want::File("x")]);
        let seen = Seen {
            end: End::PowerOff,
            log: vec!["a bad line".to_owned()],
            ..Seen::default()
        };
        assert_eq!(
            scenario.judge(&seen).expect_err("nothing is right"),
            "PowerOff instead of Settled\nthe log has `a bad line`\nthe volume has no x"
        );
    }
}
