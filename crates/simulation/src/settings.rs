// SPDX-License-Identifier: GPL-2.0-or-later
//! What the registry says beside what every history needs: values of the whole Session Manager key,
//! of the right type and grammar or not.

use crate::machine::multi;
use crate::random::Random;
use executive::host::World;
use formats::hive::reg_text::string_data;
use nt::system::ValueType;
use std::fmt;

/// A value below the Session Manager key.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// The subkey.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: u32,
    /// Its data.
    pub data: Vec<u8>,
}

/// In one line, for whoever reads a history: the data as units of UTF-16, of what comes often in a row
/// how often.
impl fmt::Debug for Setting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            name,
            kind,
            data,
        } = self;
        write!(out, "{key}\\{name}, type {kind}, {} bytes: ", data.len())?;
        let (units, rest) = data.as_chunks::<2>();
        for run in units.chunk_by(|one, next| one == next) {
            let unit = u16::from_le_bytes(run[0]);
            let shown = char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER);
            match run.len() {
                count @ ..OFTEN => {
                    (0..count).try_for_each(|_| write!(out, "{}", shown.escape_default()))?;
                }
                count => write!(out, "({} {count} times)", shown.escape_default())?,
            }
        }
        rest.iter()
            .try_for_each(|byte| write!(out, " and {byte:#04x}"))
    }
}

/// So many of the same in a row are counted.
const OFTEN: usize = 9;

/// What a value is made of when it is sound.
#[derive(Clone, Copy)]
enum Form {
    Number,
    Text(&'static [&'static str]),
    Expand(&'static [&'static str]),
    List(&'static [&'static str]),
}

/// Values, and what they may say. What no history can do without (where csrss is, what the system
/// root is called) is not among them.
const VALUES: &[(&str, &str, Form)] = &[
    ("", "ProtectionMode", Form::Number),
    ("", "AllowProtectedRenames", Form::Number),
    ("", "NumberOfInitialSessions", Form::Number),
    ("", "ObjectDirectories", Form::List(PATHS)),
    ("", "SetupExecute", Form::List(BOOT)),
    ("", "Execute", Form::List(BOOT)),
    ("", "S0InitialCommand", Form::Expand(COMMANDS)),
    ("", "ExcludeFromKnownDlls", Form::List(DLLS)),
    ("", "PendingFileRenameOperations2", Form::List(PAIRS)),
    ("SubSystems", "Required", Form::List(SUBSYSTEMS)),
    ("SubSystems", "Optional", Form::List(SUBSYSTEMS)),
    ("SubSystems", "Kmode", Form::Expand(PATHS)),
    ("SubSystems", "Debug", Form::Expand(COMMANDS)),
    ("SubSystems", "Posix", Form::Expand(COMMANDS)),
    ("SubSystems", "Os2", Form::Expand(COMMANDS)),
    ("Environment", "ComSpec", Form::Expand(TEXTS)),
    ("Environment", "TEMP", Form::Expand(TEXTS)),
    ("Environment", "First", Form::Expand(TEXTS)),
    ("Environment", "Second", Form::Text(TEXTS)),
    ("Environment", "", Form::Text(TEXTS)),
    ("DOS Devices", "AUX", Form::Text(PATHS)),
    ("DOS Devices", "PIPE", Form::Text(PATHS)),
    ("DOS Devices", "X:", Form::Text(PATHS)),
    ("DOS Devices", "", Form::Text(PATHS)),
    ("DOS Devices", "A\\B", Form::Text(PATHS)),
    ("KnownDLLs", "ntdll", Form::Text(DLLS)),
    ("KnownDLLs", "other", Form::Expand(DLLS)),
    ("KnownDLLs", "DllDirectory", Form::Expand(PATHS)),
    ("Memory Management", "PagingFiles", Form::List(PAGING)),
    ("Memory Management", "ClearPageFileAtShutdown", Form::Number),
    ("Debug Print Filter", "SMSS", Form::Number),
];

const PATHS: &[&str] = &[
    "",
    "\\",
    "\\Windows",
    "\\A\\B\\C",
    "\\??\\C:\\",
    "\\DosDevices\\COM1",
    "\\Device\\Serial0",
    "%SystemRoot%\\system32",
    "%SystemRoot%\\system32\\win32k.sys",
    "%Nothing%",
    "relative",
];
/// Commands whose end is waited for: each ends, or cannot be started.
const BOOT: &[&str] = &[
    "",
    "autocheck autochk *",
    "debug exit.exe",
    "async sleep.exe",
    "exit.exe 0",
    "exit.exe C0000001",
    "\"%SystemRoot%\\system32\\exit.exe\" 1",
    "nosuch.exe",
    "*",
    "\"unbalanced",
];
const COMMANDS: &[&str] = &[
    "",
    "autocheck autochk *",
    "debug exit.exe",
    "async sleep.exe",
    "exit.exe 0",
    "exit.exe C0000001",
    "\"%SystemRoot%\\system32\\exit.exe\" 1",
    "winlogon.exe",
    "nosuch.exe",
    "%SystemRoot%\\system32\\psxss.exe",
    "*",
    "\"unbalanced",
];
const DLLS: &[&str] = &["", "ntdll.dll", "nosuch.dll", "..\\x.dll", "smss.exe", "a"];
const PAIRS: &[&str] = &[
    "",
    "\\??\\C:\\nosuch.txt",
    "!\\??\\C:\\nowhere\\x",
    "@\\??\\C:\\filler.bin",
    "\\??\\Q:\\x",
    "*1\\??\\C:\\y",
    "x",
];
const SUBSYSTEMS: &[&str] = &["Windows", "Posix", "Os2", "Debug", "Kmode", "", "Nothing"];
const TEXTS: &[&str] = &[
    "",
    "text",
    "%First%;%Second%",
    "%SystemRoot%\\x",
    "%unbalanced",
    "%%",
    "C:\\Temp",
];
const PAGING: &[&str] = &[
    "",
    "C:\\pagefile.sys",
    "C:\\pagefile.sys 4 8",
    "?:\\pagefile.sys",
    "D:\\pagefile.sys 0 0",
    "E:\\pagefile.sys 2 1",
    "\\??\\C:\\p.sys 1 1",
    "C:\\nowhere\\p.sys 1",
    "C:\\pagefile.sys 99999999999999999999 1",
    "Q:\\p 1 x",
];

impl Setting {
    /// One of the values: three of four are sound.
    pub fn draw(random: &mut Random) -> Self {
        let (key, name, form) = *random.pick(VALUES);
        let (kind, data) = form.sound(random);
        let mut setting = Self {
            key,
            name,
            kind,
            data,
        };
        if random.one_in(4) {
            setting.spoil(random);
        }
        setting
    }

    /// Makes it unsound: another type, a part of its data, or none of its own.
    fn spoil(&mut self, random: &mut Random) {
        match random.below(5) {
            0 => self.kind = random.below(12) as u32,
            1 => {
                let length = random.below(self.data.len() as u64 + 1);
                self.data.truncate(length as usize);
            }
            2 => self.data.clear(),
            3 => {
                let length = random.below(64);
                self.data = (0..length).map(|_| random.bits() as u8).collect();
            }
            _ => self.data = string_data(&"x".repeat(3000 + random.below(3000) as usize)),
        }
    }

    /// Whether it may say that no session can be made: without a `Kmode` entry there is no session
    /// space, and so only ever session 0 (spec 9.3); and each server that is `Required` must come up
    /// in a session, whatever its command is (spec 9.2).
    pub fn may_refuse_sessions(&self) -> bool {
        matches!((self.key, self.name), ("SubSystems", "Kmode" | "Required"))
    }

    /// Puts it into the registry.
    pub fn furnish(&self, world: &mut World) {
        world.set_value(self.key, self.name, self.kind, &self.data);
    }
}

impl Form {
    fn sound(self, random: &mut Random) -> (u32, Vec<u8>) {
        match self {
            Self::Number => {
                let number = if random.one_in(3) {
                    random.bits() as u32
                } else {
                    random.below(4) as u32
                };
                (ValueType::DWORD.0, number.to_le_bytes().to_vec())
            }
            Self::Text(of) => (ValueType::SZ.0, string_data(random.pick(of))),
            Self::Expand(of) => (ValueType::EXPAND_SZ.0, string_data(random.pick(of))),
            Self::List(of) => {
                // An empty string would end the list: it is one of the unsound forms as well.
                let texts: Vec<String> = (0..random.below(5))
                    .map(|_| (*random.pick(of)).to_owned())
                    .collect();
                (ValueType::MULTI_SZ.0, multi(&texts))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_told_in_one_line() {
        let mut data = string_data(&"x".repeat(3000));
        data.push(7);
        let setting = Setting {
            key: "Environment",
            name: "First",
            kind: 2,
            data,
        };
        let told = "Environment\\First, type 2, 6003 bytes: (x 3000 times)\\u{0} and 0x07";
        assert_eq!(format!("{setting:#?}"), told);
    }
}
