// SPDX-License-Identifier: GPL-2.0-or-later
//! What ReactOS' own Session Manager finds on its volume, for a boot on the shim: the SYSTEM hive
//! and the known DLLs of a live CD.
//!
//! With these both session managers have the work of a real boot before them: the same values, the
//! same closure of imports, the same manifests for the loader. Because the real kernel32.dll would
//! not live with the stand-in for csrss, the DLLs lose their entry points: they are there to become
//! sections. With ReactOS' own csrss.exe ([`super::programs`]) the real kernel32.dll takes its
//! place again.

use super::live_cd::LiveCd;
use crate::medium::tree::{self, Tree};
use crate::medium::{hive_file, supplies};
use crate::ui;
use anyhow::{Context, Result};
use formats::hive::Hive;
use formats::{pe, utf16};
use std::collections::BTreeSet;
use std::path::Path;

const MANIFESTS: &str = "reactos/winsxs/manifests/";
const KNOWN_DLLS: &str = "ControlSet001\\Control\\Session Manager\\KnownDlls";

/// Looks whether a live CD has a SYSTEM hive that can be used.
///
/// # Errors
/// It has none; it is damaged.
pub fn look(iso: &Path) -> Result<()> {
    hive(&LiveCd::open(iso)?, iso).map(drop)
}

fn hive(cd: &LiveCd, iso: &Path) -> Result<Hive> {
    let bytes = cd.required("config/SYSTEM")?;
    let shown = format!("the SYSTEM hive of {}", iso.display());
    let content = |name: &str| cd.system_file(name);
    Ok(hive_file::parse_at(&shown, "config/SYSTEM", &bytes, content)?.hive)
}

/// Puts the SYSTEM hive of a live CD and its known DLLs on the volume; `changes` is `.reg` text for
/// that hive.
pub fn put_on(tree: &mut Tree, iso: &Path, changes: Option<&Path>) -> Result<()> {
    let cd = LiveCd::open(iso)?;
    let content = |name: &str| cd.system_file(name);
    let mut hive = hive(&cd, iso)?;
    if let Some(path) = changes {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        supplies::merge(&mut hive, "SYSTEM", &hive_file::text(path, &bytes)?)
            .with_context(|| format!("in {}", path.display()))?;
    }
    tree.files
        .insert(tree.hive_path("SYSTEM"), Some(hive.serialise(tree::NOW)));

    let mut wanted = known_dlls(&hive);
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if name == "ntdll.dll" || !seen.insert(name.clone()) {
            continue;
        }
        let Some(mut bytes) = content(&name)? else {
            continue;
        };
        wanted.extend(imports(&bytes).unwrap_or_default());
        without_entry_point(&mut bytes);
        tree.put_in_system32(&name, bytes);
    }
    for entry in &cd.disc.entries {
        if let Some(name) = entry.path.to_ascii_lowercase().strip_prefix(MANIFESTS) {
            tree.files.insert(
                format!("ReactOS/winsxs/manifests/{name}"),
                Some(cd.disc.content(entry)?),
            );
        }
    }
    ui::note(&format!(
        "the SYSTEM hive and {} known DLLs of {}",
        seen.len(),
        iso.display()
    ));
    Ok(())
}

/// What the values of the KnownDlls key name.
fn known_dlls(hive: &Hive) -> Vec<String> {
    let path = utf16(KNOWN_DLLS);
    let key = hive
        .find(hive.root(), nt::UnicodeStr(&path))
        .and_then(|key| hive.key(key));
    let text = |data: &[u8]| {
        let units: Vec<u16> = data
            .chunks_exact(2)
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .take_while(|unit| *unit != 0)
            .collect();
        String::from_utf16_lossy(&units).to_ascii_lowercase()
    };
    key.map(|key| {
        key.values()
            .iter()
            .map(|value| text(&value.data))
            .filter(|name| name.ends_with(".dll"))
            .collect()
    })
    .unwrap_or_default()
}

/// The DLLs that an image imports, lower-case.
fn imports(image: &[u8]) -> Option<Vec<String>> {
    let machine = pe::Headers::read(image).ok()?.machine;
    let file = pe::Image::parse(image, machine).ok()?;
    let view = file.layout(image);
    pe::imports(view.as_slice(), &file.headers)
        .map(|import| {
            let module = import.ok()?.module;
            Some(String::from_utf8_lossy(module).to_ascii_lowercase())
        })
        .collect()
}

/// Sets AddressOfEntryPoint to zero; leaves alone what is no PE image.
fn without_entry_point(image: &mut [u8]) {
    let header = image.get(0x3C..0x40).map_or(0, |four| {
        u32::from_le_bytes([four[0], four[1], four[2], four[3]]) as usize
    });
    if image
        .get(header..)
        .is_some_and(|rest| rest.starts_with(b"PE\0\0"))
        && let Some(entry) = image.get_mut(header + 24 + 16..header + 24 + 20)
    {
        entry.fill(0);
    }
}
