// SPDX-License-Identifier: GPL-2.0-or-later
//! What a plan takes for granted: a hive without its volume names programs and files that are
//! somewhere else, and a boot that only says what is missing here would say nothing about there.
//!
//! What a boot looked for and did not find is put on the volume, and it boots again, until nothing new is
//! missing. The sources of pending renames are put there beforehand, as each operation uses up what
//! the next may need. Nothing is assumed about the registry.

use super::moment::{self, Moment};
use executive::cm::boot::current_control_set;
use executive::host::World;
use executive::machine::Architecture;
use executive::trace::{Argument, CallEnd, Record};
use formats::hive::Hive;
use formats::pe::build::ImageFile;
use formats::utf16;
use nt::system::ImageSubsystem;
use nt::{Status, UnicodeStr};
use std::collections::{BTreeMap, BTreeSet};

/// The key with the pending renames, below a control set.
const SESSION_MANAGER: &str = "Control\\Session Manager";
/// From this phase on a program is not waited for, but is expected to stay.
const SERVERS: u32 = 28;
/// The phase in which names are looked for in the folder of the known DLLs.
const KNOWN_DLLS: u32 = 20;

/// What a file that is assumed to exist is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumed {
    /// A program that does its work and ends with success.
    Tool,
    /// A program that stays.
    Server,
    /// A DLL that imports nothing.
    Library,
    /// A file of a pending rename.
    File,
}

/// Files that are assumed to exist, by their path on C: from a backslash on.
#[derive(Clone, Debug, Default)]
pub struct Assumptions {
    /// What each is.
    pub files: BTreeMap<String, Assumed>,
    /// The folder of the system, from a backslash on.
    root: String,
}

impl Assumptions {
    /// None yet, for a system in this folder of C:, from a backslash on.
    pub fn of(root: &str) -> Self {
        Self {
            files: BTreeMap::new(),
            root: root.to_owned(),
        }
    }

    /// Adds the sources of the pending renames of these hives.
    pub(super) fn add_renames(&mut self, hives: &[(&str, Hive)]) {
        for (_, hive) in hives {
            self.files.extend(self.of_renames(&renames(hive)));
        }
    }

    /// The sources of these operations, as the registry has them: source and target
    /// alternating. A source that an earlier operation puts in place is not assumed.
    fn of_renames(&self, operations: &[String]) -> BTreeMap<String, Assumed> {
        let mut made = BTreeSet::new();
        let mut files = BTreeMap::new();
        for pair in operations.chunks(2) {
            let [source, target] = pair else { continue };
            if let Some(source) = on_c(source, &self.root)
                && !made.contains(&source.to_lowercase())
            {
                files.insert(source, Assumed::File);
            }
            let target = target.trim_start_matches(['!', '@']);
            made.extend(on_c(target, &self.root).map(|target| target.to_lowercase()));
        }
        files
    }

    /// Whether a DLL is among them. It imports nothing: what the real one imports, and what becomes
    /// a known DLL through that, is not told.
    pub fn has_libraries(&self) -> bool {
        self.files.values().any(|kind| *kind == Assumed::Library)
    }

    /// Puts them on a world's volume.
    ///
    /// # Errors
    /// `DISK_FULL`.
    pub(super) fn put_on(&self, world: &mut World) -> nt::Result<()> {
        let i386 = world.architecture() == Architecture::I386;
        let folders = self.folders();
        for (path, kind) in &self.files {
            let name = path.rsplit('\\').next().unwrap_or(path);
            let image = |subsystem, dll| {
                let image = ImageFile {
                    subsystem,
                    i386,
                    dll,
                    ..ImageFile::default()
                };
                image.bytes()
            };
            match kind {
                Assumed::Tool => {
                    world.put(path, &image(ImageSubsystem::NATIVE, false))?;
                    world.code(name, |_| Status::SUCCESS);
                }
                Assumed::Server => {
                    world.put(path, &image(ImageSubsystem::WINDOWS_GUI, false))?;
                    world.code(name, |seam| {
                        let statics = Box::leak(Box::new(programs::Statics::new(seam)));
                        programs::idle::main(seam, statics)
                    });
                }
                Assumed::Library => world.put(path, &image(ImageSubsystem::NATIVE, true))?,
                // One that other operations look for files in is a folder.
                Assumed::File if folders.contains(&path.to_lowercase()) => {
                    world.directory(path);
                }
                Assumed::File => world.put(path, b"")?,
            }
        }
        Ok(())
    }

    /// The folders that files are in, in lower case.
    fn folders(&self) -> BTreeSet<String> {
        let mut folders = BTreeSet::new();
        for path in self.files.keys() {
            let mut path = path.to_lowercase();
            while let Some(end) = path.rfind('\\') {
                path.truncate(end);
                // Those above are there already.
                if !folders.insert(path.clone()) {
                    break;
                }
            }
        }
        folders
    }

    /// Adds what a boot looked for and did not find; whether there was anything new.
    pub(super) fn learn(&mut self, moments: &[Moment]) -> bool {
        let mut phase = 0;
        let system32 = format!("{}\\System32", self.root);
        let mut found = BTreeSet::new();
        let mut missing = BTreeMap::new();
        for moment in moments {
            match moment {
                Moment::Said(_, text) => phase = moment::phase(text).unwrap_or(phase),
                Moment::Called(record) => {
                    let Some((path, there)) = looked_for(record, phase, &self.root) else {
                        continue;
                    };
                    let leaf = path.rsplit('\\').next().unwrap_or(&path).to_lowercase();
                    if there {
                        found.insert(leaf);
                    } else if let Some(kind) = kind(&path, phase) {
                        // A path is searched folder by folder: System32 is where it ought to be,
                        // or else the first that was looked in.
                        let better = path
                            .rsplit_once('\\')
                            .is_some_and(|(folder, _)| folder.eq_ignore_ascii_case(&system32));
                        if better || !missing.contains_key(&leaf) {
                            missing.insert(leaf, (path, kind));
                        }
                    }
                }
            }
        }
        let before = self.files.len();
        let missing = missing
            .into_iter()
            .filter(|(leaf, _)| !found.contains(leaf));
        self.files.extend(missing.map(|(_, file)| file));
        self.files.len() > before
    }
}

/// The pending renames of a SYSTEM hive, source and target alternating; none for any other hive.
fn renames(hive: &Hive) -> Vec<String> {
    let Some(set) = current_control_set(hive) else {
        return Vec::new();
    };
    let path = utf16(&format!("{set}\\{SESSION_MANAGER}"));
    let Some(key) = hive.find(hive.root(), UnicodeStr(&path)) else {
        return Vec::new();
    };
    let values = [
        "PendingFileRenameOperations",
        "PendingFileRenameOperations2",
    ];
    values
        .iter()
        .filter_map(|name| hive.value(key, UnicodeStr(&utf16(name))))
        .flat_map(|value| {
            let units: Vec<u16> = value
                .data
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            units
                .split(|&unit| unit == 0)
                .map(String::from_utf16_lossy)
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The file of C: that a call looked for, and whether it was there.
fn looked_for(record: &Record, phase: u32, root: &str) -> Option<(String, bool)> {
    let opens = ["NtOpenFile", "NtCreateFile", "NtQueryAttributesFile"];
    let CallEnd::Returned(status) = record.outcome else {
        return None;
    };
    let absent = [Status::OBJECT_NAME_NOT_FOUND, Status::OBJECT_PATH_NOT_FOUND];
    if !opens.contains(&record.call) || !(status.is_success() || absent.contains(&status)) {
        return None;
    }
    let name = record
        .arguments
        .iter()
        .find_map(|(_, argument)| match argument {
            Argument::Text(name) => Some(name),
            Argument::Number(_) | Argument::Words(_) => None,
        })?;
    let path = match phase {
        KNOWN_DLLS if !name.contains('\\') => Some(format!("{root}\\System32\\{name}")),
        _ => on_c(name, root),
    };
    Some((path?, status.is_success()))
}

/// The path on C: that a name leads to, from a backslash on; `root` is that of the system.
fn on_c(name: &str, root: &str) -> Option<String> {
    let prefixes = [
        ("\\??\\C:\\", ""),
        ("\\DosDevices\\C:\\", ""),
        ("\\SystemRoot\\", root),
    ];
    prefixes.into_iter().find_map(|(prefix, place)| {
        let head = name.get(..prefix.len())?;
        let rest = &name[prefix.len()..];
        (head.eq_ignore_ascii_case(prefix) && !rest.is_empty()).then(|| format!("{place}\\{rest}"))
    })
}

/// What a file that was not found is assumed to be; nothing about one that a boot does well
/// without, such as an old paging file.
fn kind(path: &str, phase: u32) -> Option<Assumed> {
    if phase == KNOWN_DLLS {
        return Some(Assumed::Library);
    }
    let (_, ending) = path.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "exe" | "com" if phase >= SERVERS => Some(Assumed::Server),
        "exe" | "com" => Some(Assumed::Tool),
        "sys" if phase >= SERVERS => Some(Assumed::Library),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use executive::layout::ClientId;

    fn opened(call: &'static str, name: &str, status: Status) -> Moment {
        Moment::Called(Record {
            time: 0,
            began: 0,
            client: ClientId {
                process: 12,
                thread: 16,
            },
            call,
            arguments: vec![("name", Argument::Text(name.to_owned()))],
            outcome: CallEnd::Returned(status),
        })
    }

    fn phase(number: u32) -> Moment {
        Moment::Said(log::Level::Info, format!("phase: {number} something"))
    }

    #[test]
    fn what_was_found_in_another_folder_is_not_missing() {
        let mut assumptions = Assumptions::of(crate::SYSTEM_PATH);
        let query = "NtQueryAttributesFile";
        let moments = [
            phase(18),
            opened(
                query,
                r"\??\C:\ReactOS\bin\a.exe",
                Status::OBJECT_PATH_NOT_FOUND,
            ),
            opened(query, r"\??\C:\ReactOS\System32\a.exe", Status::SUCCESS),
            opened(
                query,
                r"\??\C:\ReactOS\bin\b.exe",
                Status::OBJECT_PATH_NOT_FOUND,
            ),
            opened(
                query,
                r"\??\C:\ReactOS\System32\b.exe",
                Status::OBJECT_NAME_NOT_FOUND,
            ),
            opened(
                query,
                r"\??\C:\ReactOS\System32\Wbem\b.exe",
                Status::OBJECT_PATH_NOT_FOUND,
            ),
            opened(
                "NtOpenFile",
                r"\SystemRoot\bootstat.dat",
                Status::OBJECT_NAME_NOT_FOUND,
            ),
            phase(20),
            opened("NtOpenFile", "c.dll", Status::OBJECT_NAME_NOT_FOUND),
            phase(21),
            opened(
                "NtOpenFile",
                r"\??\C:\pagefile.sys",
                Status::OBJECT_NAME_NOT_FOUND,
            ),
            phase(28),
            opened(query, r"\??\C:\x\d.exe", Status::OBJECT_PATH_NOT_FOUND),
        ];
        assert!(assumptions.learn(&moments));
        let files: Vec<_> = assumptions.files.clone().into_iter().collect();
        assert_eq!(
            files,
            [
                (r"\ReactOS\System32\b.exe".to_owned(), Assumed::Tool),
                (r"\ReactOS\System32\c.dll".to_owned(), Assumed::Library),
                (r"\x\d.exe".to_owned(), Assumed::Server),
            ]
        );
        assert!(!assumptions.learn(&moments), "nothing new");
    }

    #[test]
    fn what_is_missing_is_assumed_in_the_folder_of_this_system() {
        let mut assumptions = Assumptions::of("\\WINNT");
        let missing = Status::OBJECT_NAME_NOT_FOUND;
        let moments = [
            phase(18),
            opened("NtOpenFile", r"\SystemRoot\System32\check.exe", missing),
            opened(
                "NtQueryAttributesFile",
                r"\??\C:\WINNT\Wbem\check.exe",
                missing,
            ),
            phase(20),
            opened("NtOpenFile", "c.dll", missing),
        ];
        assert!(assumptions.learn(&moments));
        let files: Vec<&str> = assumptions.files.keys().map(String::as_str).collect();
        assert_eq!(
            files,
            [r"\WINNT\System32\c.dll", r"\WINNT\System32\check.exe"]
        );
    }

    #[test]
    fn sources_of_renames_are_there_unless_an_earlier_one_makes_them() {
        let operations = [
            r"\??\C:\a",
            r"!\??\C:\b",
            r"\??\C:\B",
            r"\??\C:\c",
            r"\??\C:\d",
            "",
            r"\??\D:\e",
            "",
        ]
        .map(str::to_owned);
        let files = Assumptions::default().of_renames(&operations);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, [r"\a", r"\d"]);
    }

    #[test]
    fn a_folder_that_operations_look_into_is_one() {
        let operations = [r"\??\C:\App\x", "", r"\??\C:\App", ""].map(str::to_owned);
        let mut assumptions = Assumptions::default();
        assumptions.files = assumptions.of_renames(&operations);
        let folders: Vec<String> = assumptions.folders().into_iter().collect();
        assert_eq!(folders, ["", r"\app"]);
    }
}
