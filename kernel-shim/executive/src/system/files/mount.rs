// SPDX-License-Identifier: GPL-2.0-or-later
//! Disks and volumes at boot: mounted, then named (spec 1.1 row 14, 3.1).
//!
//! Two steps, because the registry is read from the system volume before there is a namespace:
//! [`Executive::mount_disks`], then [`Executive::name_devices`].

use crate::io::file::{Device, DeviceKind};
use crate::machine::DiskKind;
use crate::system::Body;
use crate::system::Executive;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use formats::code_page::CodePage;
use formats::utf16;
use nt::Result;

/// The key with the numbers of the system's code pages.
const CODE_PAGES: &str = r"\Registry\Machine\System\CurrentControlSet\Control\Nls\CodePage";

impl Executive {
    /// Mounts every volume of every disk, and finds the system root: `path` (such as `\ReactOS`) on
    /// the first volume that has it.
    ///
    /// # Errors
    /// `OBJECT_PATH_NOT_FOUND` if no volume has it.
    pub fn mount_disks(&mut self, path: &str) -> Result<()> {
        let Self { io, machine, .. } = self;
        io.mount_disks(&mut **machine, &utf16(path))
    }

    /// Short names of FAT are in the OEM code page that the registry names. The volumes were mounted
    /// before there was a registry.
    pub(crate) fn set_oem_code_page(&mut self) {
        let key = self.registry.find(CODE_PAGES);
        let value = key.and_then(|key| self.registry.value(key, &utf16("OEMCP")).ok());
        let Some(value) = value else { return };
        let digits: String = value
            .data
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .map_while(|unit| char::from_u32(unit.into()).filter(char::is_ascii_digit))
            .collect();
        let Some(page) = digits.parse().ok().and_then(CodePage::find) else {
            log::warn!(
                "OEM code page {digits:?} is not supported: short FAT names are read in 437"
            );
            return;
        };
        self.io.set_code_page(page);
    }

    /// The letter of the system volume and the system root on it, as a DOS path: `C:\ReactOS`.
    pub fn system_root_dos_path(&self) -> Vec<u16> {
        let root = self.io.system_root();
        let letter = 0x43 + root.map_or(0, |root| root.volume as u16);
        let mut path = Vec::from([letter, 0x3A]);
        path.extend_from_slice(self.io.system_path());
        path
    }

    /// Names what was mounted: devices, `\Device\HarddiskN\PartitionM`, drive letters from C on,
    /// ARC names, `\SystemRoot`. The namespace must stand.
    ///
    /// # Errors
    /// What making an object says: nothing here can be there already.
    pub fn name_devices(&mut self) -> Result<()> {
        for (name, kind) in [
            ("Null", DeviceKind::Null),
            ("NamedPipe", DeviceKind::NamedPipe),
            ("MailSlot", DeviceKind::MailSlot),
        ] {
            self.make_device(&format!("\\Device\\{name}"), kind)?;
        }
        let disks: Vec<_> = (0..64)
            .map_while(|number| self.machine.disk(number).map(|disk| (number, disk.kind)))
            .collect();
        let (mut hard_disks, mut cds, mut hard_volumes) = (0, 0, 0);
        for (number, kind) in disks {
            if kind == DiskKind::CdRom {
                let volume = self.io.volumes_of_disk(number).next();
                let device = format!("\\Device\\CdRom{cds}");
                self.make_device(
                    &device,
                    volume.map_or(DeviceKind::Disk(number), DeviceKind::Volume),
                )?;
                self.name_volume(
                    volume,
                    &device,
                    &format!("\\ArcName\\multi(0)disk(0)cdrom({cds})"),
                )?;
                cds += 1;
                continue;
            }
            let directory = format!("\\Device\\Harddisk{hard_disks}");
            self.make_plain_directory(&directory)?;
            self.make_device(
                &format!("{directory}\\Partition0"),
                DeviceKind::Disk(number),
            )?;
            self.make_link(
                &format!("\\ArcName\\multi(0)disk(0)rdisk({hard_disks})"),
                &format!("{directory}\\Partition0"),
            )?;
            let volumes: Vec<usize> = self.io.volumes_of_disk(number).collect();
            for (partition, volume) in (1..).zip(volumes) {
                hard_volumes += 1;
                let device = format!("\\Device\\HarddiskVolume{hard_volumes}");
                self.make_device(&device, DeviceKind::Volume(volume))?;
                self.make_link(&format!("{directory}\\Partition{partition}"), &device)?;
                let arc =
                    format!("\\ArcName\\multi(0)disk(0)rdisk({hard_disks})partition({partition})");
                self.name_volume(Some(volume), &device, &arc)?;
            }
            hard_disks += 1;
        }
        let system = self.io.system_root()?.volume;
        let device = String::from_utf16_lossy(&self.io.volume(system)?.name);
        let path = String::from_utf16_lossy(self.io.system_path());
        self.make_link("\\SystemRoot", &format!("{device}{path}"))
    }

    fn make_device(&mut self, name: &str, kind: DeviceKind) -> Result<()> {
        self.make_permanent_object(&utf16(name), Body::Device(Device { kind }), None)
            .map(|_| ())
    }

    fn make_plain_directory(&mut self, name: &str) -> Result<()> {
        self.make_permanent_object(
            &utf16(name),
            Body::Directory(crate::ob::Directory::default()),
            None,
        )
        .map(|_| ())
    }

    /// A volume's ARC name and drive letter: C is the first volume's.
    fn name_volume(&mut self, volume: Option<usize>, device: &str, arc: &str) -> Result<()> {
        self.make_link(arc, device)?;
        let Some(number) = volume else { return Ok(()) };
        self.io.volume(number)?.name = utf16(device);
        match u8::try_from(number)
            .ok()
            .and_then(|number| b'C'.checked_add(number))
            .filter(u8::is_ascii_uppercase)
        {
            Some(letter) => self.make_link(&format!("\\GLOBAL??\\{}:", char::from(letter)), device),
            None => Ok(()),
        }
    }
}
