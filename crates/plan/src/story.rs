// SPDX-License-Identifier: GPL-2.0-or-later
//! From what a boot said and called to what a reader wants to know: what is run, renamed, deleted,
//! created, loaded and started, and which registry value asks for it.
//!
//! The phase that a call was made in says where it comes from: in each phase the Session Manager
//! carries out one list. A call that failed is told by the line that the Session Manager logs about
//! it, with the consequence; the call itself is not told again.

use super::moment::{Moment, phase};
use executive::trace::{Argument, CallEnd, Record};
use serde_json::{Value, json};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A directory object, a symbolic link, a section, an event or a port is made.
    Create,
    /// A process is created.
    Run,
    /// A file gets another name.
    Rename,
    /// A file goes.
    Delete,
    /// A driver is loaded.
    Load,
    /// A paging file is made.
    Page,
    /// A value of the registry is set.
    Set,
    /// Something is passed over, and the boot goes on.
    Skip,
    /// The system stops.
    Stop,
}

impl Verb {
    /// As the plan has it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Run => "run",
            Self::Rename => "rename",
            Self::Delete => "delete",
            Self::Load => "load",
            Self::Page => "page file",
            Self::Set => "set",
            Self::Skip => "skip",
            Self::Stop => "stop",
        }
    }
}

/// One thing that is done, or not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What.
    pub verb: Verb,
    /// To what; why, if nothing is done.
    pub object: String,
    /// The value below the Session Manager key that asks for it; none for what the Session Manager
    /// does on its own.
    pub source: Option<&'static str>,
}

impl Act {
    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "verb": self.verb.text(), "object": self.object, "source": self.source })
    }
}

/// Tells what happened.
pub fn tell(moments: &[Moment]) -> Vec<Act> {
    let mut teller = Teller::default();
    for moment in moments {
        match moment {
            Moment::Said(level, line) => teller.line(*level, line),
            Moment::Called(record) => teller.call(record),
        }
    }
    teller.acts
}

#[derive(Default)]
struct Teller {
    acts: Vec<Act>,
    phase: u32,
    /// The file that was opened last: the calls that change it name it by its handle.
    opened: String,
    /// The boot command under way, as it is written.
    command: Option<String>,
}

impl Teller {
    fn line(&mut self, level: log::Level, line: &str) {
        if let Some(phase) = phase(line) {
            self.phase = phase;
            return;
        }
        // What is said of a value as it is read names it itself.
        let source = self
            .source()
            .filter(|_| !line.starts_with("registry value: "));
        match level {
            log::Level::Error => self.act(Verb::Stop, line.to_owned(), source),
            log::Level::Warn => self.act(Verb::Skip, line.to_owned(), source),
            _ => {
                let command = line.split_once(": ").filter(|(step, _)| {
                    matches!(*step, "boot command" | "set-up command" | "setup command")
                });
                if let Some((_, command)) = command {
                    self.command = Some(command.to_owned());
                }
            }
        }
    }

    fn act(&mut self, verb: Verb, object: String, source: Option<&'static str>) {
        self.acts.push(Act {
            verb,
            object,
            source,
        });
    }

    /// The list that the phase carries out.
    const fn source(&self) -> Option<&'static str> {
        match self.phase {
            9 => Some("ObjectDirectories"),
            16 => Some("DOS Devices"),
            18 => Some("BootExecute"),
            19 => Some("PendingFileRenameOperations"),
            20 => Some("KnownDLLs"),
            21 => Some("Memory Management\\PagingFiles"),
            27 => Some("SetupExecute"),
            28 => Some("SubSystems"),
            35 => Some("Execute"),
            _ => None,
        }
    }

    fn call(&mut self, record: &Record) {
        if !matches!(record.outcome, CallEnd::Returned(status) if status.is_success()) {
            return;
        }
        let text = |wanted: &str| {
            record
                .arguments
                .iter()
                .find_map(|(name, argument)| match argument {
                    Argument::Text(text) if *name == wanted && !text.is_empty() => {
                        Some(text.clone())
                    }
                    _ => None,
                })
        };
        let has = |wanted: &str| record.arguments.iter().any(|(name, _)| *name == wanted);
        let source = self.source();
        match record.call {
            "NtOpenFile" | "NtCreateFile" => self.opened = text("name").unwrap_or_default(),
            "NtCreateDirectoryObject" => {
                if let Some(name) = text("name") {
                    let source = source.filter(|_| self.phase == 9);
                    self.act(Verb::Create, format!("directory {name}"), source);
                }
            }
            "NtCreateSymbolicLinkObject" => {
                let (name, target) = (text("name"), text("target"));
                let object = format!(
                    "link {} to {}",
                    name.unwrap_or_default(),
                    target.unwrap_or_default()
                );
                self.act(Verb::Create, object, source);
            }
            "NtCreateSection" if self.phase == 20 => {
                if let Some(name) = text("name") {
                    self.act(Verb::Create, format!("section {name}"), source);
                }
            }
            "NtCreateEvent" | "NtCreatePort" => {
                if let Some(name) = text("name") {
                    let kind = if record.call == "NtCreatePort" {
                        "port"
                    } else {
                        "event"
                    };
                    self.act(Verb::Create, format!("{kind} {name}"), None);
                }
            }
            "NtCreateProcess" | "NtCreateProcessEx" => {
                let image = text("image").unwrap_or_default();
                let object = match self.command.take() {
                    Some(command) => format!("{image} ({command})"),
                    None => image,
                };
                self.act(Verb::Run, object, source);
            }
            "NtSetInformationFile" if self.phase == 19 => {
                if let Some(target) = text("target") {
                    self.act(Verb::Rename, format!("{} to {target}", self.opened), source);
                } else if has("file") {
                    self.act(Verb::Delete, self.opened.clone(), source);
                }
            }
            "NtCreatePagingFile" => {
                self.act(Verb::Page, text("name").unwrap_or_default(), source);
            }
            "NtSetSystemInformation" => {
                if let Some(driver) = text("driver") {
                    self.act(Verb::Load, driver, Some("SubSystems\\Kmode"));
                }
            }
            "NtSetValueKey" => {
                if let Some(name) = text("name") {
                    self.act(Verb::Set, format!("Environment\\{name}"), None);
                }
            }
            "NtDeleteValueKey" => {
                if let Some(name) = text("name") {
                    self.act(Verb::Delete, format!("registry value {name}"), None);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_a_number_behind_its_word() {
        assert_eq!(phase("phase: 19 pending file renames"), Some(19));
        assert_eq!(phase("phase: nineteen"), None);
        assert_eq!(phase("19 pending file renames"), None);
    }

    #[test]
    fn what_was_refused_is_told_with_the_list_it_stands_in() {
        let said = |level, text: &str| Moment::Said(level, text.to_owned());
        let acts = tell(&[
            said(log::Level::Info, "phase: 9 registry"),
            said(
                log::Level::Warn,
                "registry value: DOS Devices: STATUS_1: skipped",
            ),
            said(log::Level::Info, "phase: 21 paging files"),
            said(log::Level::Warn, "paging file: X: STATUS_1: skipped"),
            said(log::Level::Info, "paging file: C: 32 MB"),
        ]);
        assert_eq!(acts.len(), 2);
        assert!(acts.iter().all(|act| act.verb == Verb::Skip));
        let sources: Vec<_> = acts.iter().map(|act| act.source).collect();
        assert_eq!(sources, [None, Some("Memory Management\\PagingFiles")]);
    }
}
