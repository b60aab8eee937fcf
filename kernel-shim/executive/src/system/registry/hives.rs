// SPDX-License-Identifier: GPL-2.0-or-later
//! Hives and their files: loading at boot and at NtInitializeRegistry, lazy and final writing (spec
//! 1.1 row 10, 6.4, 14 rows 23-24).
//!
//! A hive is written whole, to a new file beside the old one, which then takes the old one's
//! directory entry: whenever the power goes, the name leads to the old hive or to the new one, and
//! both are complete.

use crate::cm::KeyBody;
use crate::cm::boot::{Boot, CONFIG};
use crate::cm::registry::HiveId;
use crate::ex::hard_errors::{BugCheck, Parameter};
use crate::se::SecurityDescriptor;
use crate::system::{Body, Executive};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use formats::hive::Hive;
use formats::utf16;
use nt::{Result, Status, UnicodeStr};

/// How long a change may wait before its hive is written: 5 seconds, in 100 ns.
pub const LAZY_FLUSH: u64 = 50_000_000;
/// The hives that NtInitializeRegistry loads, by the names of their files.
const REMAINING: [&str; 4] = ["SOFTWARE", "SAM", "SECURITY", "DEFAULT"];
/// What the names of a hive's logs end in.
const LOGS: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];
/// `CM_BOOT_FLAG_SETUP`.
const BOOT_SETUP: u16 = 1;
/// `CM_BOOT_FLAG_ACCEPTED`: this and a control set's number.
const BOOT_ACCEPTED: u16 = 2;
/// `CM_BOOT_FLAG_MAX`.
const BOOT_MAX: u16 = BOOT_ACCEPTED + 999;

impl Executive {
    /// Makes the registry of a boot: reads SYSTEM, mounts it and HARDWARE. The disks must be
    /// mounted; no namespace is needed.
    ///
    /// # Errors
    /// `REGISTRY_CORRUPT` if neither SYSTEM nor SYSTEM.ALT is a good hive (spec 1.1 row 11), or it
    /// lacks its control set.
    pub fn boot_registry(&mut self, options: &str) -> Result<()> {
        let system = self
            .load_hive("SYSTEM")
            .or_else(|_| self.load_hive("SYSTEM.ALT"))
            .map_err(|_| Status::REGISTRY_CORRUPT)?;
        let processor = self.machine.processor();
        let now = self.now();
        self.registry.boot(Boot {
            system,
            options,
            processor: &processor,
            now,
        })?;
        self.set_oem_code_page();
        Ok(())
    }

    /// Names the registry's root, `\REGISTRY`.
    ///
    /// # Errors
    /// What making an object says.
    pub fn name_registry(&mut self) -> Result<()> {
        let key = self.registry.root();
        let security = SecurityDescriptor::parse(self.registry.security(key)?)?;
        self.make_permanent_object(
            nt::wide!("\\REGISTRY").units(),
            Body::Key(KeyBody { key }),
            Some(&security),
        )
        .map(|_| ())
    }

    fn load_hive(&mut self, name: &str) -> Result<Hive> {
        let path = utf16(&format!("{CONFIG}{name}"));
        let bytes = self.read_whole_file(&path)?;
        let mut logs = Vec::new();
        if Hive::is_dirty(&bytes) {
            for ending in LOGS {
                let path: Vec<u16> = path.iter().copied().chain(ending.encode_utf16()).collect();
                logs.extend(self.read_whole_file(&path).ok());
            }
        }
        let logs: Vec<&[u8]> = logs.iter().map(Vec::as_slice).collect();
        match Hive::parse_with_logs(&bytes, &logs) {
            Ok((hive, recovered)) => {
                if recovered {
                    log::info!("{CONFIG}{name}: brought up to date from its log");
                }
                Ok(hive)
            }
            Err(error) => {
                log::error!("{CONFIG}{name}: {error}");
                Err(Status::REGISTRY_CORRUPT)
            }
        }
    }

    /// NtInitializeRegistry (spec 14 row 23).
    ///
    /// # Errors
    /// `ACCESS_DENIED` for the second call of a kind, `INVALID_PARAMETER` for a flag that there is
    /// not; `CANNOT_LOAD_REGISTRY_FILE` when a damaged hive has stopped the system.
    pub fn initialize_registry(&mut self, flag: u16) -> Result<()> {
        if flag > BOOT_MAX {
            return Err(Status::INVALID_PARAMETER);
        }
        if let Some(control_set) = flag.checked_sub(BOOT_ACCEPTED) {
            return self.accept_boot(control_set);
        }
        self.registry.begin_initialisation()?;
        let mini = self.registry.is_mini();
        if flag != BOOT_SETUP {
            let mut hives = Vec::with_capacity(REMAINING.len());
            for name in REMAINING {
                hives.push((name, self.load_remaining_hive(name)?));
            }
            let now = self.now();
            self.registry.mount_remaining(hives, now)?;
        }
        if !mini {
            self.registry.enable_writes();
        }
        Ok(())
    }

    /// Loads a hive other than SYSTEM; none if its file is not there. A hive that is there and
    /// cannot be read stops the system with the hard error that the thread which loads hives raises
    /// (CmpLoadHiveThread): no port is asked, since nothing could go on without the hive.
    ///
    /// # Errors
    /// `CANNOT_LOAD_REGISTRY_FILE` when the system has stopped.
    fn load_remaining_hive(&mut self, name: &str) -> Result<Option<Hive>> {
        match self.load_hive(name) {
            Ok(hive) => Ok(Some(hive)),
            Err(Status::OBJECT_NAME_NOT_FOUND) => {
                log::warn!("hive {name}: there is none; an empty one takes its place");
                Ok(None)
            }
            Err(status) => {
                log::error!("hive {name}: {status}");
                let file = Parameter::Text(format!("{CONFIG}{name}"), 0);
                let status = Status::CANNOT_LOAD_REGISTRY_FILE;
                self.stop_system(BugCheck::of_hard_error(status, vec![file]));
                Err(status)
            }
        }
    }

    fn accept_boot(&mut self, control_set: u16) -> Result<()> {
        self.registry.begin_acceptance()?;
        if control_set == 0 {
            return Err(Status::INVALID_PARAMETER);
        }
        let select = self
            .registry
            .find("\\Registry\\Machine\\System\\Select")
            .ok_or(Status::REGISTRY_CORRUPT)?;
        let (now, uptime) = (self.now(), self.machine.uptime());
        let name = utf16("LastKnownGood");
        self.registry.set_value(
            select,
            &name,
            4,
            u32::from(control_set).to_le_bytes().to_vec(),
            now,
            uptime,
        )?;
        if self.registry.writes_enabled() {
            self.flush_hives();
        }
        Ok(())
    }

    /// Uptime at which a changed hive is to be written; none if nothing waits.
    pub fn lazy_flush_deadline(&self) -> Option<u64> {
        if !self.registry.writes_enabled() {
            return None;
        }
        self.registry
            .waiting()
            .map(|(_, since)| since + LAZY_FLUSH)
            .min()
    }

    /// Writes the hives whose changes have waited long enough.
    pub fn lazy_flush(&mut self) {
        if self.registry.writes_enabled() {
            let due = self.registry.due(self.machine.uptime(), Some(LAZY_FLUSH));
            self.write_hives(due);
        }
    }

    /// Writes every changed hive, if hives may be written: at shutdown.
    pub fn flush_hives(&mut self) {
        if self.registry.writes_enabled() {
            let due = self.registry.due(0, None);
            self.write_hives(due);
        }
    }

    fn write_hives(&mut self, hives: Vec<HiveId>) {
        for id in hives {
            if let Err(status) = self.write_hive(id) {
                let file = self
                    .registry
                    .mounted(id)
                    .and_then(|mounted| mounted.file.as_deref())
                    .unwrap_or_default();
                log::error!("hive {}: not written: {status}", UnicodeStr(file));
            }
        }
    }

    /// Writes a hive to its file. If that fails it stays changed, and is tried again after the next
    /// change and at shutdown: a disk that is gone would otherwise be asked for ever.
    pub(super) fn write_hive(&mut self, id: HiveId) -> Result<()> {
        let now = self.now();
        let mounted = self
            .registry
            .mounted_mut(id)
            .ok_or(Status::INVALID_HANDLE)?;
        let Some(file) = mounted.file.clone() else {
            return Ok(());
        };
        mounted.hive.sequence = mounted.hive.sequence.wrapping_add(1);
        let bytes = mounted.hive.serialise(now);
        let written = self.replace_whole_file(&file, &bytes);
        if let Some(mounted) = self.registry.mounted_mut(id) {
            mounted.gave_up = written.is_err();
            if written.is_ok() {
                mounted.dirty_since = None;
            }
        }
        written
    }
}
