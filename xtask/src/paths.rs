// SPDX-License-Identifier: GPL-2.0-or-later
//! Where things are: the checkout, and what xtask makes below `target/`.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The top of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies inside the workspace")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// What the last `run` left: log, dump, trace.
pub fn output() -> Result<PathBuf> {
    folder(target().join("run"))
}

/// Built images as they go on the medium, and their debug files.
pub fn images(dev: bool) -> Result<PathBuf> {
    folder(target().join(if dev { "images-dev" } else { "images" }))
}

/// Makes a folder if it is not there.
pub fn folder(path: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&path)
        .with_context(|| format!("cannot make the folder {}", path.display()))?;
    Ok(path)
}
