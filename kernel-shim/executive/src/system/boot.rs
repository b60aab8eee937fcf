// SPDX-License-Identifier: GPL-2.0-or-later
//! From an executive with nothing but its System process to a Session Manager that may run (spec
//! 1.1): disks, registry, names, smss.
//!
//! The same on the bare machine and on the host's.

use crate::ex::hard_errors::BugCheck;
use crate::system::Executive;
use formats::utf16;
use nt::Result;

/// `INACCESSIBLE_BOOT_DEVICE`.
const INACCESSIBLE_BOOT_DEVICE: u32 = 0x7B;
/// `CONFIG_INITIALIZATION_FAILED`.
const CONFIG_INITIALIZATION_FAILED: u32 = 0x67;
/// `OBJECT1_INITIALIZATION_FAILED`.
const OBJECT1_INITIALIZATION_FAILED: u32 = 0x5D;
/// The key with `ProtectionMode` and `GlobalFlag`.
const SESSION_MANAGER: &str = r"\Registry\Machine\System\CurrentControlSet\Control\Session Manager";

impl Executive {
    /// Builds the system and starts the Session Manager. `system_root` is a DOS path such as
    /// `C:\ReactOS`, `options` the loader's command line, `image` the Session Manager's (its
    /// path, and what follows a blank). What fails is the bugcheck of its phase.
    pub fn start_system(&mut self, system_root: &str, options: &str, image: &str) {
        if self.build_system(system_root, options).is_ok() {
            self.start_session_manager(system_root, image);
        }
    }

    /// The same without the Session Manager.
    ///
    /// # Errors
    /// What the phase said that failed; the bugcheck has been made.
    pub fn build_system(&mut self, system_root: &str, options: &str) -> Result<()> {
        let path = system_root.get(2..).unwrap_or_default();
        self.phase(INACCESSIBLE_BOOT_DEVICE, |this| this.mount_disks(path))?;
        self.phase(CONFIG_INITIALIZATION_FAILED, |this| {
            this.boot_registry(options)
        })?;
        self.phase(OBJECT1_INITIALIZATION_FAILED, |this| {
            // What the kernel takes from the registry for itself (spec 2.4).
            this.global_flag = this.setting("GlobalFlag").unwrap_or(0);
            this.object_security_mode = this.setting("ObjectSecurityMode").unwrap_or(0);
            let protected = this.setting("ProtectionMode").unwrap_or(0) & 1 != 0;
            this.make_namespace(protected)?;
            this.name_devices()?;
            this.name_registry()
        })
    }

    fn phase(&mut self, bugcheck: u32, act: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let result = act(self);
        if let Err(status) = result {
            log::error!("start: {status}: the system stops");
            self.stop_system(BugCheck::new(bugcheck, [status.code().into(), 0, 0, 0]));
        }
        result
    }

    /// A REG_DWORD of the Session Manager key.
    fn setting(&self, name: &str) -> Option<u32> {
        let key = self.registry.find(SESSION_MANAGER)?;
        let value = self.registry.value(key, &utf16(name)).ok()?;
        match value.data.as_slice() {
            &[a, b, c, d] if value.kind == nt::system::ValueType::DWORD.0 => {
                Some(u32::from_le_bytes([a, b, c, d]))
            }
            _ => None,
        }
    }
}
