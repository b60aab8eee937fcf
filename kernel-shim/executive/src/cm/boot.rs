// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry as smss finds it: SYSTEM and HARDWARE, and what the kernel writes there itself
//! (spec 1.1 rows 10-13).

use super::registry::{HiveId, KeyRef, Registry};
use crate::machine::Processor;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use formats::hive::Hive;
use formats::{utf16, utf16_bytes};
use nt::{Result, Status};

/// NT path of the directory with the hive files.
pub const CONFIG: &str = "\\SystemRoot\\System32\\config\\";

/// What the loader handed over.
pub struct Boot<'a> {
    /// The SYSTEM hive.
    pub system: Hive,
    /// The boot options, such as `MININT SOS`; slashes in front of options are dropped, as the
    /// loader's are.
    pub options: &'a str,
    /// The processors.
    pub processor: &'a Processor,
    /// NT time.
    pub now: u64,
}

impl Registry {
    /// Mounts SYSTEM, makes HARDWARE, links CurrentControlSet, and records the boot options.
    ///
    /// # Errors
    /// `REGISTRY_CORRUPT` if the control set that `Select\Current` names is not there.
    pub fn boot(&mut self, boot: Boot<'_>) -> Result<()> {
        let now = boot.now;
        let machine = self
            .subkey(self.root(), &utf16("MACHINE"))
            .ok_or(Status::REGISTRY_CORRUPT)?;
        self.make_hardware(machine, boot.processor, now)?;
        let system = self.mount(
            machine,
            nt::wide!("SYSTEM"),
            boot.system,
            Some(utf16(&format!("{CONFIG}SYSTEM"))),
        )?;
        let root = KeyRef {
            hive: system,
            key: self
                .mounted(system)
                .ok_or(Status::REGISTRY_CORRUPT)?
                .hive
                .root(),
        };
        self.link_control_set(root, now)?;
        let control = self
            .find("\\Registry\\Machine\\System\\CurrentControlSet\\Control")
            .ok_or(Status::REGISTRY_CORRUPT)?;
        let options = clean_options(boot.options);
        // The kernel writes the text without a terminating NUL (row 12).
        let data = utf16_bytes(&options);
        self.set_value(
            control,
            &utf16("SystemStartOptions"),
            nt::system::ValueType::SZ.0,
            data,
            now,
            0,
        )?;
        self.volatile_boot_keys(control, &options, now)?;
        let list = self.create_path(control, "hivelist", true, now)?;
        self.set_string(list, "\\REGISTRY\\MACHINE\\HARDWARE", "", now)?;
        self.set_string(
            list,
            "\\REGISTRY\\MACHINE\\SYSTEM",
            &format!("{CONFIG}SYSTEM"),
            now,
        )?;
        // What the kernel itself wrote is not a reason to write the file.
        if let Some(mounted) = self.mounted_mut(system) {
            mounted.dirty_since = None;
        }
        Ok(())
    }

    fn make_hardware(&mut self, machine: KeyRef, processor: &Processor, now: u64) -> Result<()> {
        let id = self.mount(
            machine,
            nt::wide!("HARDWARE"),
            Hive::new(nt::wide!("HARDWARE")),
            None,
        )?;
        let root = KeyRef {
            hive: id,
            key: self
                .mounted(id)
                .ok_or(Status::REGISTRY_CORRUPT)?
                .hive
                .root(),
        };
        for path in ["DEVICEMAP", "RESOURCEMAP", "DESCRIPTION\\System"] {
            self.create_path(root, path, true, now)?;
        }
        for number in 0..processor.count {
            let key = self.create_path(
                root,
                &format!("DESCRIPTION\\System\\CentralProcessor\\{number}"),
                true,
                now,
            )?;
            self.set_string(key, "Identifier", &processor.identifier, now)?;
            self.set_string(key, "VendorIdentifier", &processor.vendor, now)?;
            self.set_dword(key, "~MHz", processor.megahertz, now)?;
        }
        Ok(())
    }

    fn link_control_set(&mut self, root: KeyRef, now: u64) -> Result<()> {
        let hive = &self
            .mounted(root.hive)
            .ok_or(Status::REGISTRY_CORRUPT)?
            .hive;
        let Some(name) = current_control_set(hive) else {
            log::error!("the SYSTEM hive does not have the control set that Select\\Current names");
            return Err(Status::REGISTRY_CORRUPT);
        };
        if let Some(stale) = self.subkey(root, &utf16("CurrentControlSet")) {
            log::warn!(
                "the SYSTEM hive has a key CurrentControlSet of its own; it is replaced by the link"
            );
            self.mounted_mut(root.hive)
                .ok_or(Status::REGISTRY_CORRUPT)?
                .hive
                .delete_tree(stale.key, now)?;
        }
        let link = self.create(root, &utf16("CurrentControlSet"), true, now, 0)?;
        self.make_link(link, &format!("\\Registry\\Machine\\System\\{name}"), now)
    }

    fn volatile_boot_keys(&mut self, control: KeyRef, options: &str, now: u64) -> Result<()> {
        self.mini = options
            .split_ascii_whitespace()
            .any(|option| option.eq_ignore_ascii_case("MININT"));
        if self.mini {
            self.create_path(control, "MiniNT", true, now)?;
        }
        let safe = options.split_ascii_whitespace().find_map(|option| {
            let (name, value) = option.split_once(':')?;
            name.eq_ignore_ascii_case("SAFEBOOT").then_some(value)
        });
        let Some(value) = safe else { return Ok(()) };
        // The alternate shell is asked for in brackets: SAFEBOOT:MINIMAL(ALTERNATESHELL).
        let (mode, shell) = value.split_once('(').map_or((value, ""), |(mode, rest)| {
            (mode, rest.trim_end_matches(')'))
        });
        let number = match () {
            () if mode.eq_ignore_ascii_case("MINIMAL") => 1,
            () if mode.eq_ignore_ascii_case("NETWORK") => 2,
            () if mode.eq_ignore_ascii_case("DSREPAIR") => 3,
            () => {
                log::warn!(
                    "boot option SAFEBOOT:{value}: no such mode; the system starts normally"
                );
                return Ok(());
            }
        };
        let key = self.create_path(control, "SafeBoot\\Option", true, now)?;
        self.set_dword(key, "OptionValue", number, now)?;
        if shell.eq_ignore_ascii_case("ALTERNATESHELL") {
            self.set_dword(key, "UseAlternateShell", 1, now)?;
        }
        Ok(())
    }

    /// Mounts what NtInitializeRegistry(0) brings: `hives` are name and content of SOFTWARE, SAM,
    /// SECURITY and DEFAULT; no content for a file that is not there, which becomes an empty hive,
    /// as the kernel makes it (spec 14, row 23). In a MiniNT boot they are kept in memory only.
    pub fn mount_remaining(&mut self, hives: Vec<(&str, Option<Hive>)>, now: u64) -> Result<()> {
        let machine = self
            .find("\\Registry\\Machine")
            .ok_or(Status::REGISTRY_CORRUPT)?;
        let user = self
            .find("\\Registry\\User")
            .ok_or(Status::REGISTRY_CORRUPT)?;
        let list = self.find("\\Registry\\Machine\\System\\CurrentControlSet\\Control\\hivelist");
        for (name, hive) in hives {
            let units = utf16(if name == "DEFAULT" { ".DEFAULT" } else { name });
            let parent = if name == "DEFAULT" { user } else { machine };
            let hive = hive.unwrap_or_else(|| Hive::new(nt::UnicodeStr(&utf16(name))));
            let file: String = format!("{CONFIG}{name}");
            self.mount(
                parent,
                nt::UnicodeStr(&units),
                hive,
                (!self.mini).then(|| utf16(&file)),
            )?;
            if let Some(list) = list {
                let place = if name == "DEFAULT" {
                    "\\REGISTRY\\USER\\.DEFAULT"
                } else {
                    &format!("\\REGISTRY\\MACHINE\\{name}")
                };
                self.set_string(list, place, &file, now)?;
            }
        }
        let alias = self.create(user, &utf16("S-1-5-18"), true, now, 0)?;
        self.make_link(alias, "\\Registry\\User\\.Default", now)
    }

    /// Whether this is a MiniNT boot: nothing is written to any hive file (spec 14, row 24). The
    /// boot option alone says so: a hive can carry a key `Control\MiniNT` of its own.
    pub const fn is_mini(&self) -> bool {
        self.mini
    }

    /// The hives whose changes have waited for `age`, or all changed ones.
    pub fn due(&self, uptime: u64, age: Option<u64>) -> Vec<HiveId> {
        match age {
            Some(age) => self
                .waiting()
                .filter(|(_, since)| uptime.saturating_sub(*since) >= age)
                .map(|(id, _)| id)
                .collect(),
            None => self.dirty().map(|(id, _)| id).collect(),
        }
    }
}

/// The control set that a SYSTEM hive boots from: the one that `Select\Current` names, or the first.
/// None if it is not there.
pub fn current_control_set(system: &Hive) -> Option<String> {
    let current = system
        .find(system.root(), nt::wide!("Select"))
        .and_then(|select| system.value(select, nt::wide!("Current")))
        .and_then(|value| <[u8; 4]>::try_from(value.data.as_slice()).ok())
        .map_or(1, u32::from_le_bytes);
    let name = format!("ControlSet{current:03}");
    let found = system.find(system.root(), nt::UnicodeStr(&utf16(&name)));
    found.map(|_| name)
}

/// The loader's options without slashes, separated by single blanks.
fn clean_options(options: &str) -> String {
    let words: Vec<&str> = options
        .split_ascii_whitespace()
        .map(|word| word.trim_start_matches('/'))
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}
