// SPDX-License-Identifier: GPL-2.0-or-later
//! The boot ISO: GRUB, the kernel, and the system files as `reactos/system32` for people and for
//! the shim's D: drive.

use super::tree::Tree;
use crate::arch::Arch;
use crate::build::{self, Images};
use crate::cli::IsoOptions;
use crate::doctor::{self, Need};
use crate::reactos::pack::{self, Replacement};
use crate::{paths, ui};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs the verb.
pub fn verb(options: &IsoOptions) -> Result<()> {
    type PutInto = fn(&Path, &Path, &Replacement) -> Result<()>;
    let packed = match (&options.base, &options.disk) {
        (Some(base), _) => Some((base, pack::iso as PutInto)),
        (_, Some(disk)) => Some((disk, pack::disk as PutInto)),
        _ => None,
    };
    if let Some((base, put_into)) = packed {
        let out = options
            .out
            .clone()
            .unwrap_or_else(|| pack::default_output(base));
        put_into(base, &out, &Replacement::read(options.smss.as_deref())?)?;
        ui::verdict(&format!("{} carries the smss.exe", out.display()));
        return Ok(());
    }
    doctor::preflight(false, &[Need::Disc])?;
    let images = build::all(Arch::Amd64, false)?;
    let tree = Tree::system(&images)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| paths::target().join("smss.iso"));
    make(&out, &images, &tree, "")?;
    ui::verdict(&format!(
        "{} ({} bytes)",
        out.display(),
        std::fs::metadata(&out)?.len()
    ));
    Ok(())
}

/// Words as GRUB's scripts take them, each as it stands.
fn quoted(words: &str) -> String {
    let words: Vec<String> = words
        .split_whitespace()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    words.join(" ")
}

/// Makes the ISO `file`; the kernel gets `arguments` as its command line.
pub fn make(file: &Path, images: &Images, tree: &Tree, arguments: &str) -> Result<()> {
    let staging = file.with_extension("tree");
    let _ = std::fs::remove_dir_all(&staging);
    let boot = paths::folder(staging.join("boot/grub"))?;
    std::fs::copy(&images.kernel, staging.join("boot/kernel"))
        .with_context(|| format!("cannot copy {}", images.kernel.display()))?;
    let menu = paths::root().join("iso/grub.cfg");
    let menu = std::fs::read_to_string(&menu)
        .with_context(|| format!("cannot read {}", menu.display()))?;
    std::fs::write(
        boot.join("grub.cfg"),
        menu.replace("@ARGUMENTS@", &quoted(arguments)),
    )?;
    for (path, content) in &tree.files {
        let path: PathBuf = staging.join(path.to_lowercase());
        if let Some(bytes) = content {
            std::fs::create_dir_all(path.parent().context("a file needs a folder")?)?;
            std::fs::write(path, bytes)?;
        }
    }
    let grub = doctor::grub_mkrescue().context("there is no grub-mkrescue")?;
    let output = Command::new(grub)
        .arg("-o")
        .arg(file)
        .args(["--compress=xz", "--locales=", "--fonts=", "--themes="])
        .arg("--install-modules=multiboot multiboot2 iso9660 normal serial terminal echo boot search part_gpt part_msdos fat configfile")
        .arg(&staging)
        .args(["--", "-volid", "SMSS", "-joliet", "on"])
        .output()
        .context("cannot run grub-mkrescue")?;
    std::fs::remove_dir_all(&staging)?;
    if !output.status.success() {
        bail!(
            "grub-mkrescue failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
