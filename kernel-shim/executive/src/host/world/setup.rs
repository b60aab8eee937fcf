// SPDX-License-Identifier: GPL-2.0-or-later
//! What a world is made of before it starts: files, hives, programs, disks, faults.

use super::super::disk::VolumeImage;
use super::super::faults::Fault;
use super::super::interference::Interference;
use super::super::machine::MemoryDisk;
use super::super::seam::{Seam, Shared};
use crate::Version;
use crate::machine::Architecture;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use formats::hive::{Hive, reg_text};
use formats::pe::build::ImageFile;
use formats::utf16;
use nt::system::ImageSubsystem;
use nt::{Result, Status, UnicodeStr};

use super::{SYSTEM_ROOT, World, must};

const HIVES: [(&str, &str); 5] = [
    (
        "SYSTEM",
        include_str!("../../../../../iso/hives/SYSTEM.reg"),
    ),
    (
        "SOFTWARE",
        include_str!("../../../../../iso/hives/SOFTWARE.reg"),
    ),
    ("SAM", include_str!("../../../../../iso/hives/SAM.reg")),
    (
        "SECURITY",
        include_str!("../../../../../iso/hives/SECURITY.reg"),
    ),
    (
        "DEFAULT",
        include_str!("../../../../../iso/hives/DEFAULT.reg"),
    ),
];

/// What the kernel enters the system DLL by, and how that one enters the kernel on i386.
const SYSTEM_DLL_EXPORTS: &[&str] = &[
    "KiUserApcDispatcher",
    "KiUserCallbackDispatcher",
    "KiUserExceptionDispatcher",
    "KiIntSystemCall",
    "LdrInitializeThunk",
];

impl World {
    /// A world with the default registry, 512 MiB of memory, a volume C: of 1 GiB with an empty
    /// system root, and the images of smss, win32k and ntdll.
    pub fn new(version: Version) -> Self {
        let volume = must("volume", VolumeImage::new(1024));
        Self::on(version, volume)
    }

    /// The same with a volume of `mebibytes` MiB.
    pub fn with_volume(version: Version, mebibytes: usize) -> Self {
        Self::on(version, must("volume", VolumeImage::new(mebibytes)))
    }

    /// The same on a volume that has files already; those of the same names are replaced.
    pub fn on(version: Version, volume: VolumeImage) -> Self {
        must(
            "system",
            Self::at(Architecture::Amd64, version, volume, SYSTEM_ROOT),
        )
    }

    /// The same for a machine whose images may be of another kind than those of most tests, with the
    /// system in the folder `root` of C:, such as `C:\WINDOWS`.
    ///
    /// # Errors
    /// `DISK_FULL`.
    pub fn at(
        architecture: Architecture,
        version: Version,
        volume: VolumeImage,
        root: &str,
    ) -> Result<Self> {
        let hives = HIVES.map(|(name, text)| {
            let mut hive = Hive::new(UnicodeStr(&utf16(name)));
            if let Err(error) = reg_text::apply(&mut hive, text, "", 0) {
                panic!("{name}.reg: {error}");
            }
            (name, hive)
        });
        let mut this = Self {
            architecture,
            version,
            system_root: root.to_string(),
            volume: Some(volume),
            disks: Vec::new(),
            spoilt: Vec::new(),
            hives: Vec::from(hives),
            programs: BTreeMap::new(),
            physical_pages: 512 << 8,
            options: String::new(),
            keep_trace: true,
            shared: None,
            faults: Vec::new(),
            recorded: None,
            interference: None,
        };
        let native = ImageFile {
            subsystem: ImageSubsystem::NATIVE,
            ..ImageFile::default()
        };
        this.put_system_image("smss.exe", native)?;
        this.put_system_image("win32k.sys", native)?;
        let ntdll = ImageFile {
            name: "ntdll.dll",
            dll: true,
            exports: SYSTEM_DLL_EXPORTS,
            ..native
        };
        this.put_system_image("ntdll.dll", ntdll)?;
        Ok(this)
    }

    pub(super) fn volume(&mut self) -> &mut VolumeImage {
        match &mut self.volume {
            Some(volume) => volume,
            None => panic!("the world has started: its volume is the executive's"),
        }
    }

    /// Puts a file on C:, replacing one that is there. The path has no drive letter.
    pub fn file(&mut self, path: &str, bytes: &[u8]) -> &mut Self {
        must(path, self.volume().write(path, bytes));
        self
    }

    /// The same on a volume of which it is not known whether there is room.
    ///
    /// # Errors
    /// `DISK_FULL`, `OBJECT_NAME_INVALID`.
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.volume().write(path, bytes)
    }

    /// Puts a file below System32, wherever that is.
    ///
    /// # Errors
    /// As [`World::put`].
    pub fn put_system_file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let root = self.system_root.get(2..).unwrap_or_default();
        let path = alloc::format!("{root}\\System32\\{name}");
        self.put(&path, bytes)
    }

    /// Leaves the file of a hive as it is on the volume.
    pub fn leave_hive(&mut self, name: &str) {
        self.hives.retain(|(known, _)| *known != name);
    }

    /// Writes the hives as they are to the volume, which the start does otherwise.
    ///
    /// # Errors
    /// As [`World::put`].
    pub fn write_hives(&mut self) -> Result<()> {
        for (name, hive) in core::mem::take(&mut self.hives) {
            let bytes = hive.serialise(0);
            self.put_system_file(&alloc::format!("config\\{name}"), &bytes)?;
        }
        Ok(())
    }

    /// What its images are for.
    pub const fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// Puts an image for this machine below System32.
    fn put_system_image(&mut self, name: &str, image: ImageFile<'_>) -> Result<()> {
        let i386 = self.architecture == Architecture::I386;
        self.put_system_file(name, &ImageFile { i386, ..image }.bytes())
    }

    fn system_image(&mut self, name: &str, image: ImageFile<'_>) -> &mut Self {
        must(name, self.put_system_image(name, image));
        self
    }

    /// Makes a directory on C:.
    pub fn directory(&mut self, path: &str) -> &mut Self {
        must(path, self.volume().make_directory(path));
        self
    }

    /// Takes a file off C:.
    pub fn remove_file(&mut self, path: &str) -> &mut Self {
        must(path, self.volume().remove(path));
        self
    }

    /// Gives a file on C: its attributes.
    pub fn file_attributes(&mut self, path: &str, attributes: u32) -> &mut Self {
        must(path, self.volume().set_attributes(path, attributes));
        self
    }

    /// Adds another disk behind C:; hard disks come before CDs in drive letters.
    pub fn disk(&mut self, disk: MemoryDisk) -> &mut Self {
        self.disks.push(disk);
        self
    }

    /// How many MiB of memory there are.
    pub const fn memory(&mut self, mebibytes: u64) -> &mut Self {
        self.physical_pages = mebibytes << 8;
        self
    }

    /// The loader's options, such as `MININT SOS`.
    pub fn boot_options(&mut self, options: &str) -> &mut Self {
        self.options = options.to_string();
        self
    }

    /// A hive before the boot: `SYSTEM`, `SOFTWARE`, `SAM`, `SECURITY`, `DEFAULT`.
    pub fn hive(&mut self, name: &str) -> &mut Hive {
        match self.hives.iter_mut().find(|(known, _)| *known == name) {
            Some((_, hive)) => hive,
            None => panic!("there is no hive {name}"),
        }
    }

    /// Applies `.reg` text to the SYSTEM hive (keys begin with a backslash:
    /// `[\ControlSet001\...]`).
    pub fn registry(&mut self, text: &str) -> &mut Self {
        let text = alloc::format!("Windows Registry Editor Version 5.00\n\n{text}");
        if let Err(error) = reg_text::apply(self.hive("SYSTEM"), &text, "", 0) {
            panic!("registry text: {error}");
        }
        self
    }

    /// Sets a value below the Session Manager key, such as `("Environment", "Path", 2, ..)`; an
    /// empty key is that key itself.
    pub fn set_value(&mut self, key: &str, name: &str, kind: u32, data: &[u8]) -> &mut Self {
        let hive = self.hive("SYSTEM");
        let path = utf16(&alloc::format!(
            "ControlSet001\\Control\\Session Manager\\{key}"
        ));
        let made = hive.create_path(hive.root(), UnicodeStr(&path), false, 0);
        let name = utf16(name);
        if made
            .and_then(|at| hive.set_value(at, UnicodeStr(&name), kind, data.to_vec(), 0))
            .is_err()
        {
            panic!("the value cannot be set");
        }
        self
    }

    /// Deletes a value below the Session Manager key; nothing happens if there is none.
    pub fn delete_value(&mut self, key: &str, name: &str) -> &mut Self {
        let hive = self.hive("SYSTEM");
        let path = utf16(&alloc::format!(
            "ControlSet001\\Control\\Session Manager\\{key}"
        ));
        if let Some(at) = hive.find(hive.root(), UnicodeStr(&path)) {
            let name = utf16(name);
            // A value that does not exist counts as deleted.
            let _ = hive.delete_value(at, UnicodeStr(&name), 0);
        }
        self
    }

    /// A program: its image in System32, and what its process runs.
    pub fn program(
        &mut self,
        name: &str,
        subsystem: ImageSubsystem,
        main: impl Fn(&'static Seam) -> Status + Send + Sync + 'static,
    ) -> &mut Self {
        let image = ImageFile {
            subsystem,
            ..ImageFile::default()
        };
        self.system_image(name, image);
        self.code(name, main)
    }

    /// What the processes of images of this name run, without an image.
    pub fn code(
        &mut self,
        name: &str,
        main: impl Fn(&'static Seam) -> Status + Send + Sync + 'static,
    ) -> &mut Self {
        self.programs.insert(name.to_uppercase(), Arc::new(main));
        self
    }

    /// A DLL in System32 that imports from others.
    pub fn library(&mut self, name: &str, imports: &[&str]) -> &mut Self {
        let imports: Vec<_> = imports.iter().map(|&dll| (dll, "Function")).collect();
        let image = ImageFile {
            name,
            subsystem: ImageSubsystem::NATIVE,
            dll: true,
            imports: &imports,
            exports: &["Function"],
            ..ImageFile::default()
        };
        self.system_image(name, image)
    }

    /// The sector of C: with this content, of which there must be one, cannot be read.
    pub fn spoil(&mut self, content: &[u8]) -> &mut Self {
        self.spoilt.push(content.to_vec());
        self
    }

    /// Arms a fault, before the start or between runs.
    pub fn fault(&mut self, fault: Fault) -> &mut Self {
        match &self.shared {
            Some(shared) => Shared::lock(&shared.faults).arm(fault),
            None => self.faults.push(fault),
        }
        self
    }

    /// Lets somebody decide at every call what becomes of it, and who runs next: before the start or
    /// between runs.
    pub fn interfere(&mut self, interference: Box<dyn Interference>) -> &mut Self {
        match &self.shared {
            Some(shared) => shared.scheduler.set_interference(interference),
            None => self.interference = Some(interference),
        }
        self
    }

    /// Keeps everything that the disk of C: is asked to do ([`World::disk_history`]).
    pub fn record_disk(&mut self) -> &mut Self {
        self.recorded = Some(Vec::new());
        self
    }

    /// Another world that is as this one is, which has not started, for a kernel of `version`.
    ///
    /// # Panics
    /// After the start.
    pub fn copy(&self, version: Version) -> Self {
        assert!(self.shared.is_none(), "the world has started");
        Self {
            architecture: self.architecture,
            version,
            system_root: self.system_root.clone(),
            volume: self.volume.clone(),
            disks: self.disks.clone(),
            spoilt: self.spoilt.clone(),
            hives: self.hives.clone(),
            programs: self.programs.clone(),
            physical_pages: self.physical_pages,
            options: self.options.clone(),
            keep_trace: self.keep_trace,
            shared: None,
            faults: self.faults.clone(),
            recorded: self.recorded.clone(),
            interference: None,
        }
    }

    /// Leaves the hive files on the volume as the test has put them there.
    pub fn hives_are_not_written(&mut self) -> &mut Self {
        self.hives.clear();
        self
    }

    /// Every file of C: with its bytes, before the start: by its path from a backslash on.
    ///
    /// # Panics
    /// After the start.
    pub fn files(&mut self) -> BTreeMap<String, Vec<u8>> {
        let volume = self.volume();
        let paths = must("volume", volume.files());
        paths
            .into_iter()
            .map(|path| (path.clone(), must(&path, volume.read(&path))))
            .collect()
    }
}
