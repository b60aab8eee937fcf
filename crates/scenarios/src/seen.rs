// SPDX-License-Identifier: GPL-2.0-or-later
//! What a runner saw of a boot, and whether something wanted is among it.

use crate::{End, Want};

/// A named object.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// Full path.
    pub path: String,
    /// Its type's name.
    pub kind: String,
    /// A symbolic link's target.
    pub target: Option<String>,
    /// Whether the name outlives the last handle.
    pub permanent: bool,
    /// Other state that can be seen, such as `signalled`.
    pub detail: Option<String>,
}

/// A process that runs.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// Its image, with `#2` and so on from the second of that image.
    pub name: String,
    /// Its parent, likewise; `-` if that has ended.
    pub parent: String,
    /// Its session.
    pub session: u32,
}

/// Reads a file of a volume by its path.
pub type Read = Box<dyn Fn(&str) -> Option<Vec<u8>>>;

/// What was seen.
pub struct Seen {
    /// How the boot ended.
    pub end: End<String>,
    /// The lines of the log.
    pub log: Vec<String>,
    /// The lines of the boot screen.
    pub screen: Vec<String>,
    /// The namespace.
    pub objects: Vec<Object>,
    /// What runs.
    pub processes: Vec<Process>,
    /// Names of the values of the Session Manager key and its subkeys.
    pub values: Vec<String>,
    /// Content of a file of the volume; `None` if there is none. A path has `/` between its names.
    pub read: Read,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            end: End::Settled,
            log: Vec::new(),
            screen: Vec::new(),
            objects: Vec::new(),
            processes: Vec::new(),
            values: Vec::new(),
            read: Box::new(|_| None),
        }
    }
}

impl Seen {
    /// What is not as wanted; `None` if it is.
    pub(crate) fn lacks(&self, want: Want) -> Option<String> {
        let has = |lines: &[String], text: &str| lines.iter().any(|line| line.contains(text));
        // What should not be there is shown as it is there.
        let with = |lines: &[String], text: &str| {
            let found = lines.iter().find(|line| line.contains(text));
            found.cloned().unwrap_or_default()
        };
        let (so, otherwise) = match want {
            Want::Log(text) => (
                has(&self.log, text),
                format!("no line of the log has `{text}`"),
            ),
            Want::NoLog(text) => (
                !has(&self.log, text),
                format!("the log has `{}`", with(&self.log, text)),
            ),
            Want::Screen(text) => (
                has(&self.screen, text),
                format!("no line of the screen has `{text}`"),
            ),
            Want::NoScreen(text) => (
                !has(&self.screen, text),
                format!("the screen has `{}`", with(&self.screen, text)),
            ),
            Want::Object(path, kind) => self.object(path, |it| it.kind == kind && it.permanent),
            Want::Temporary(path, kind) => self.object(path, |it| it.kind == kind && !it.permanent),
            Want::NoObject(path) => (
                !self.objects.iter().any(|it| same(&it.path, path)),
                format!("there is a {path}"),
            ),
            Want::Link(path, target) => self.object(path, |it| {
                it.kind == "SymbolicLink" && it.permanent && it.target.as_deref() == Some(target)
            }),
            Want::Signalled(path) => {
                self.object(path, |it| it.detail.as_deref() == Some("signalled"))
            }
            Want::Process(name, parent, session) => (
                self.processes
                    .iter()
                    .any(|it| it.name == name && it.parent == parent && it.session == session),
                format!(
                    "no {name} of {parent} runs in session {session}, but: {:?}",
                    self.processes
                ),
            ),
            Want::NoProcess(image) => (
                !self.processes.iter().any(|it| same(&it.name, image)),
                format!("{image} runs"),
            ),
            Want::NoSession(session) => (
                !self.processes.iter().any(|it| it.session == session),
                format!("session {session} is there: {:?}", self.processes),
            ),
            Want::NoValue(name) => (
                !self.values.iter().any(|it| same(it, name)),
                format!("there is a value {name}"),
            ),
            Want::File(path) => (
                (self.read)(path).is_some(),
                format!("the volume has no {path}"),
            ),
            Want::NoFile(path) => (
                (self.read)(path).is_none(),
                format!("the volume has {path}"),
            ),
            Want::Size(path, bytes) => {
                let size = (self.read)(path).map(|content| content.len());
                (
                    size == Some(bytes),
                    format!("{path} has {size:?} bytes instead of {bytes}"),
                )
            }
            Want::Content(path, content) => (
                (self.read)(path).as_deref() == Some(content.as_bytes()),
                format!("{path} has another content than `{content}`"),
            ),
        };
        (!so).then_some(otherwise)
    }

    fn object(&self, path: &str, good: impl Fn(&Object) -> bool) -> (bool, String) {
        match self.objects.iter().find(|it| same(&it.path, path)) {
            Some(found) => (good(found), format!("{path} is {found:?}")),
            None => (false, format!("there is no {path}")),
        }
    }
}

fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}
