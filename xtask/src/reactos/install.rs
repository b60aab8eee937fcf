// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask install --tree DIR`: our image in a ReactOS build tree, in the place of the
//! original.
//!
//! The original is kept beside it as `smss.exe.original`; `--undo` brings it back. The tree's next
//! image build (`ninja livecd`) picks up whatever stands there, as long as its own smss target is
//! not rebuilt.

use super::image::{kind, short_hash};
use crate::cli::InstallOptions;
use crate::{build, ui};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Where a ReactOS build tree keeps its Session Manager.
const PLACE: &str = "base/system/smss";

/// Runs the verb.
pub fn verb(options: &InstallOptions) -> Result<()> {
    let folder = options.tree.join(PLACE);
    if !folder.is_dir() {
        bail!(
            "{} is no ReactOS build tree: it has no folder {PLACE}",
            options.tree.display()
        );
    }
    let image = folder.join("smss.exe");
    let backup = folder.join("smss.exe.original");
    if options.undo {
        std::fs::rename(&backup, &image)
            .with_context(|| format!("there is no backup {} to bring back", backup.display()))?;
        let debug = folder.join("smss.exe.dbg");
        if debug.exists() {
            std::fs::remove_file(debug)?;
        }
        ui::verdict(&format!("{} is the original again", image.display()));
        return Ok(());
    }
    let old = std::fs::read(&image).with_context(|| {
        format!(
            "{} is not built yet; run `ninja smss` in the tree first",
            image.display()
        )
    })?;
    let built: PathBuf = build::all(false)?.folder;
    let new = std::fs::read(built.join("smss.exe"))?;
    if !backup.exists() {
        if kind(&old) != super::image::Kind::SessionManager {
            bail!("{} is {}", image.display(), kind(&old));
        }
        std::fs::copy(&image, &backup)?;
    }
    std::fs::write(&image, &new)?;
    std::fs::copy(built.join("smss.exe.dbg"), folder.join("smss.exe.dbg"))?;
    ui::note(&format!(
        "{}: {} bytes {} -> {} bytes {}",
        image.display(),
        old.len(),
        short_hash(&old),
        new.len(),
        short_hash(&new)
    ));
    ui::note(&format!("backup: {}", backup.display()));
    ui::verdict(
        "installed; the tree's next image build picks it up (`--undo` brings the original back)",
    );
    Ok(())
}
