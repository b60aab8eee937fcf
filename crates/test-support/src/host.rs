// SPDX-License-Identifier: GPL-2.0-or-later
//! A Session Manager that does one thing and then waits for ever, over the executive: for tests of
//! one policy crate.
//!
//! A test builds a [`World`] (files, hives, programs), and lets the Session Manager do its act with
//! [`run`], on the bare seam, or with [`watched`], through an [`Interceptor`]. The act, and every
//! assertion about what its requests gave, runs on the Session Manager's thread; what the kernel has
//! afterwards is looked at in the world.

use crate::Interceptor;
pub use crate::{bytes, wide};
pub use executive::Version;
use executive::dump::{ObjectEntry, Snapshot};
pub use executive::host::{MemoryDisk, RunEnd, Seam, VolumeImage, World};
use nt::access::{Access, OpenOptions, Share};
use nt::object::Attributes;
use nt::system::{FileAttributes, Files, Objects, Registry, Timeout, ValueType};
use nt::{Handle, ObjectAttributes, Owned, Status, UnicodeStr};
use std::sync::{Arc, Mutex, OnceLock};

/// The Session Manager's key.
pub const SM: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";
/// The key above it.
pub const CONTROL: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control";
/// Keys that the registry pass reads, below the Session Manager's.
const SUBKEYS: [&str; 6] = [
    "",
    "Memory Management",
    "DOS Devices",
    "KnownDlls",
    "Environment",
    "SubSystems",
];

/// What a Session Manager sees of the system, and what is noted of its requests.
pub type Watched = Interceptor<&'static Seam>;

/// An NT 5.2 world with the default registry and a small volume.
pub fn world() -> World {
    world_of(24)
}

/// The same with a volume of `mebibytes` MiB.
pub fn world_of(mebibytes: usize) -> World {
    World::with_volume(Version::V5_2, mebibytes)
}

/// The same as [`world`] with no value in the keys that the registry pass reads.
pub fn world_without_values() -> World {
    let mut world = world();
    let hive = world.hive("SYSTEM");
    for subkey in SUBKEYS {
        let path = format!("ControlSet001\\Control\\Session Manager\\{subkey}");
        let path = wide(path.trim_end_matches('\\'));
        let key = hive.find(hive.root(), UnicodeStr(&path)).expect("the key");
        let values = hive.key(key).expect("the key").values().iter();
        let names: Vec<Vec<u16>> = values.map(|value| value.name.to_vec()).collect();
        for name in names {
            hive.delete_value(key, UnicodeStr(&name), 0)
                .expect("the value");
        }
    }
    world
}

/// Boots, lets the Session Manager do `act`, and gives the result and what stands then. The system
/// must have settled.
pub fn run<T: Send + 'static>(
    world: &mut World,
    act: impl FnOnce(&'static Seam) -> T + Send + 'static,
) -> (T, Snapshot) {
    let result = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&result);
    let act = Mutex::new(Some(act));
    world.start(move |seam| {
        let act = act.lock().unwrap().take().expect("one Session Manager");
        let done = act(seam);
        *slot.lock().unwrap() = Some(done);
        let never = seam
            .create_event(&ObjectAttributes::unnamed(), Access::EVENT_ALL)
            .unwrap();
        let _ = seam.wait_one(never, Timeout::Never);
        Status::SUCCESS
    });
    assert_eq!(world.run(), RunEnd::Settled);
    let done = result.lock().unwrap().take().expect("it was done");
    (done, world.look(|executive| executive.snapshot()))
}

/// The same through an [`Interceptor`], whose refusals do not reach the wait at the end. No handle
/// may be left over.
pub fn watched<T: Send + 'static>(
    world: &mut World,
    act: impl FnOnce(&'static Watched) -> T + Send + 'static,
) -> (T, Snapshot) {
    let done = run(world, move |seam| act(Interceptor::over(seam)));
    assert_eq!(leaked(world), 0, "every handle is closed");
    done
}

/// How many handles the Session Manager has that one which did nothing has not.
pub fn leaked(world: &World) -> usize {
    static IDLE: OnceLock<usize> = OnceLock::new();
    let handles = |world: &World| world.process("smss.exe").unwrap().handles;
    let idle = IDLE.get_or_init(|| {
        let mut idle = self::world();
        run(&mut idle, |_| ());
        handles(&idle)
    });
    handles(world) - idle
}

/// The object of this name.
pub fn object<'s>(snapshot: &'s Snapshot, path: &str) -> Option<&'s ObjectEntry> {
    snapshot
        .objects
        .iter()
        .find(|object| object.path.eq_ignore_ascii_case(path))
}

/// Names right below an object directory.
pub fn below(snapshot: &Snapshot, directory: &str) -> Vec<String> {
    let head = format!("{directory}\\").to_lowercase();
    let names = snapshot
        .objects
        .iter()
        .filter(|object| object.path.to_lowercase().starts_with(&head));
    names
        .map(|object| object.path[head.len()..].to_string())
        .filter(|name| !name.contains('\\'))
        .collect()
}

/// A value's type and data, as the kernel has them now.
pub fn value(seam: &'static Seam, key: &str, name: &str) -> Option<(u32, Vec<u8>)> {
    let key = wide(key);
    let key = ObjectAttributes::named(UnicodeStr(&key));
    let key = Owned::new(seam, seam.open_key(&key, Access::KEY_READ).ok()?);
    let mut data = vec![0; 1 << 16];
    let information = seam
        .query_value(key.get(), UnicodeStr(&wide(name)), &mut data)
        .ok()?;
    data.truncate(information.data_bytes);
    Some((information.kind.0, data))
}

/// The text of a REG_SZ, which has a NUL at its end.
pub fn text(seam: &'static Seam, key: &str, name: &str) -> Option<String> {
    let (kind, data) = value(seam, key, name)?;
    assert_eq!(kind, 1, "{name} is REG_SZ");
    let units: Vec<u16> = data
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let text = String::from_utf16(&units).unwrap();
    Some(
        text.strip_suffix('\0')
            .expect("a NUL at its end")
            .to_string(),
    )
}

/// What a test puts into the system, and asks it, past the layer.
impl Watched {
    fn attributes_of<T>(path: &str, act: impl FnOnce(&ObjectAttributes<'_>) -> T) -> T {
        act(&ObjectAttributes::named(UnicodeStr(&wide(path))).with(Attributes::CASE_INSENSITIVE))
    }

    /// Gives a key values, and makes it first if need be: the keys above it must be there.
    pub fn key(&self, path: &str, values: &[(&str, u32, Vec<u8>)]) -> &Self {
        let seam = self.below();
        let key = Self::attributes_of(path, |attributes| {
            seam.create_volatile_key(attributes, Access::KEY_ALL)
        });
        let key = Owned::new(seam, key.expect(path));
        for (name, kind, data) in values {
            seam.set_value(key.get(), UnicodeStr(&wide(name)), ValueType(*kind), data)
                .expect(name);
        }
        self
    }

    /// Values below the Session Manager key.
    pub fn sm(&self, subkey: &str, values: &[(&str, u32, Vec<u8>)]) -> &Self {
        self.key(format!("{SM}\\{subkey}").trim_end_matches('\\'), values)
    }

    /// Deletes a value.
    pub fn forget_value(&self, path: &str, name: &str) {
        let seam = self.below();
        let key = Self::attributes_of(path, |attributes| {
            seam.open_key(attributes, Access::KEY_ALL)
        });
        let key = Owned::new(seam, key.expect(path));
        seam.delete_value(key.get(), UnicodeStr(&wide(name)))
            .expect(name);
    }

    /// A value's type and data.
    pub fn value(&self, key: &str, name: &str) -> Option<(u32, Vec<u8>)> {
        value(self.below(), key, name)
    }

    /// The text of a REG_SZ.
    pub fn text_value(&self, key: &str, name: &str) -> Option<String> {
        text(self.below(), key, name)
    }

    fn make(&self, path: &str, options: OpenOptions) -> Owned<&'static Seam> {
        let seam = self.below();
        let access = Access::FILE_WRITE_DATA | Access::SYNCHRONIZE;
        let options = options | OpenOptions::SYNCHRONOUS_IO_NONALERT;
        let file = Self::attributes_of(&format!("\\??\\{path}"), |attributes| {
            seam.create_file(attributes, access, Share::empty(), options)
        });
        Owned::new(seam, file.expect(path))
    }

    /// A new file, by its DOS path.
    pub fn file(&self, path: &str, data: &[u8]) -> &Self {
        let file = self.make(path, OpenOptions::NON_DIRECTORY_FILE);
        if !data.is_empty() {
            self.below().write_file(file.get(), 0, data).expect(path);
        }
        self
    }

    /// A new directory, by its DOS path.
    pub fn directory(&self, path: &str) -> &Self {
        drop(self.make(path, OpenOptions::DIRECTORY_FILE));
        self
    }

    fn open(&self, path: &str, access: Access, share: Share) -> nt::Result<Handle> {
        let options = OpenOptions::SYNCHRONOUS_IO_NONALERT;
        Self::attributes_of(&format!("\\??\\{path}"), |attributes| {
            self.below().open_file(
                attributes,
                access | Access::SYNCHRONIZE | Access::FILE_READ_ATTRIBUTES,
                share,
                options,
            )
        })
    }

    /// Gives a file its attributes.
    pub fn set_file_attributes(&self, path: &str, attributes: u32) {
        let file = self.open(path, Access::FILE_WRITE_ATTRIBUTES, Share::empty());
        let file = Owned::new(self.below(), file.expect(path));
        self.below()
            .set_attributes(file.get(), FileAttributes(attributes))
            .expect(path);
    }

    /// Deletes a file or an empty directory, if there is one of this name.
    pub fn remove(&self, path: &str) {
        let seam = self.below();
        if self.exists(path) {
            self.set_file_attributes(path, FileAttributes::NORMAL);
            let file = self.open(path, Access::DELETE, Share::empty());
            let file = Owned::new(seam, file.expect(path));
            seam.set_delete(file.get()).expect(path);
        }
    }

    /// Keeps a file open for as long as the result lives, so that nobody else can open it.
    pub fn locked(&self, path: &str) -> Owned<&'static Seam> {
        let file = self.open(path, Access::FILE_READ_DATA, Share::empty());
        Owned::new(self.below(), file.expect(path))
    }

    /// Keeps a file open for as long as the result lives, to read and write it, and lets others do
    /// what they like.
    pub fn shared(&self, path: &str) -> Owned<&'static Seam> {
        let access = Access::FILE_READ_DATA | Access::FILE_WRITE_DATA;
        let share = Share::READ | Share::WRITE | Share::DELETE;
        Owned::new(self.below(), self.open(path, access, share).expect(path))
    }

    /// A file's bytes; `None` if it is not there, or cannot be read.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        let seam = self.below();
        let share = Share::READ | Share::WRITE | Share::DELETE;
        let file = self.open(path, Access::FILE_READ_DATA, share).ok()?;
        let file = Owned::new(seam, file);
        let size = seam.query_standard(file.get()).ok()?.end_of_file;
        let mut data = vec![0; usize::try_from(size).ok()?];
        if !data.is_empty() {
            let read = seam.read_file(file.get(), 0, &mut data).ok()?;
            assert_eq!(read, data.len(), "{path}");
        }
        Some(data)
    }

    /// Whether there is a file or directory of this name.
    pub fn exists(&self, path: &str) -> bool {
        Self::attributes_of(&format!("\\??\\{path}"), |attributes| {
            self.below().query_attributes(attributes)
        })
        .is_ok()
    }
}
