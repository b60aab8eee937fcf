// SPDX-License-Identifier: GPL-2.0-or-later
//! From an executive with nothing but its System process to a Session Manager that may run (spec 1.1): names, devices, registry, smss.
//!
//! The same on the bare machine and on the host's.

use crate::cm::boot::Boot;
use crate::harderror::BugCheck;
use crate::hive::Hive;
use crate::object::namespace::units;
use crate::Executive;
use nt::{Result, Status, UnicodeStr};

/// `INACCESSIBLE_BOOT_DEVICE`.
const INACCESSIBLE_BOOT_DEVICE: u32 = 0x7B;
/// `CONFIG_INITIALIZATION_FAILED`.
const CONFIG_INITIALIZATION_FAILED: u32 = 0x67;
/// `OBJECT1_INITIALIZATION_FAILED`.
const OBJECT1_INITIALIZATION_FAILED: u32 = 0x5D;
/// The hive that the loader loads.
const SYSTEM_HIVE: &str = r"\SystemRoot\System32\config\SYSTEM";
/// Its copy, for when it is damaged (spec 1.1 row 11).
const SYSTEM_ALTERNATE: &str = r"\SystemRoot\System32\config\SYSTEM.ALT";
/// The key with `ProtectionMode` and `GlobalFlag`.
const SESSION_MANAGER: &str = r"\Registry\Machine\System\CurrentControlSet\Control\Session Manager";

impl Executive {
    /// Builds the system and starts the Session Manager. `options` is the loader's command line, `image` the Session Manager's (its path,
    /// and what follows a blank). Whatever fails is the bugcheck of its phase.
    pub fn start_system(&mut self, system_root: &str, options: &str, image: &str) {
        let built = self
            .build(OBJECT1_INITIALIZATION_FAILED, Self::make_namespace)
            .and_then(|()| self.build(INACCESSIBLE_BOOT_DEVICE, |this| this.start_devices(system_root)))
            .and_then(|()| self.build(CONFIG_INITIALIZATION_FAILED, |this| this.load_registry(options)))
            .and_then(|()| self.build(OBJECT1_INITIALIZATION_FAILED, Self::apply_settings));
        if built.is_ok() {
            self.start_session_manager(system_root, image);
        }
    }

    fn build(&mut self, bugcheck: u32, phase: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let result = phase(self);
        if let Err(status) = result {
            log::error!("start: {status}: the system stops");
            self.bug_check(BugCheck::new(bugcheck, [status.0.into(), 0, 0, 0]));
        }
        result
    }

    fn load_registry(&mut self, options: &str) -> Result<()> {
        let system = self.parse_hive(SYSTEM_HIVE).or_else(|_| self.parse_hive(SYSTEM_ALTERNATE))?;
        let processor = self.machine.processor();
        let now = self.now();
        self.registry.boot(Boot { system, options, processor: &processor, now })?;
        self.start_registry()
    }

    fn parse_hive(&mut self, path: &str) -> Result<Hive> {
        let bytes = self.load_file(&units(path))?;
        Hive::parse(&bytes).map_err(|error| {
            log::error!("{path}: {error}");
            Status::REGISTRY_CORRUPT
        })
    }

    /// What the kernel takes from the registry for itself (spec 2.4).
    fn apply_settings(&mut self) -> Result<()> {
        self.global_flag = self.setting("GlobalFlag").unwrap_or(0);
        let protected = self.setting("ProtectionMode").unwrap_or(0) & 1 != 0;
        self.protect_global_devices(protected)
    }

    /// A REG_DWORD of the Session Manager key.
    fn setting(&self, name: &str) -> Option<u32> {
        let key = self.registry.find(SESSION_MANAGER)?;
        let value = self.registry.value(key, UnicodeStr(&units(name)).units()).ok()?;
        match value.data.as_slice() {
            &[a, b, c, d] if value.kind == nt::system::ValueType::DWORD.0 => Some(u32::from_le_bytes([a, b, c, d])),
            _ => None,
        }
    }
}
