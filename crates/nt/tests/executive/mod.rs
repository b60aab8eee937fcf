// SPDX-License-Identifier: GPL-2.0-or-later
//! A Session Manager that does one thing and then waits for ever, over the executive: for tests of
//! one policy crate.

#![allow(dead_code, reason = "every test uses another part")]

pub use executive::Version;
use executive::dump::{ObjectEntry, Snapshot};
pub use executive::host::{RunEnd, Seam, World};
use nt::access::Access;
use nt::system::{Objects, Registry, Timeout};
use nt::{ObjectAttributes, Owned, Status, UnicodeStr};
use std::sync::{Arc, Mutex};

pub const SM: &str = "\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Session Manager";

/// An NT 5.2 world with the default registry and a small volume.
pub fn world() -> World {
    World::with_volume(Version::V5_2, 24)
}

/// The same with a volume of `mebibytes` MiB.
pub fn world_of(mebibytes: usize) -> World {
    World::with_volume(Version::V5_2, mebibytes)
}

/// Boots, lets the Session Manager do `act`, and gives what came of it and what stands then. The
/// system must have settled, with no handle left over but those that `act` has given away in its
/// result.
pub fn run<T: Send + 'static>(
    world: &mut World,
    act: impl Fn(&'static Seam) -> T + Send + Sync + 'static,
) -> (T, Snapshot) {
    let result = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&result);
    world.start(move |seam| {
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
    let key = seam
        .open_key(
            &ObjectAttributes::named(UnicodeStr(&wide(key))),
            Access::KEY_READ,
        )
        .ok()?;
    let key = Owned::new(seam, key);
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
    Some(
        String::from_utf16(&units)
            .unwrap()
            .strip_suffix('\0')
            .expect("a NUL at its end")
            .to_string(),
    )
}

pub fn bytes(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}
