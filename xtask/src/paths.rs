// SPDX-License-Identifier: GPL-2.0-or-later
//! Where things are: the checkout, and what xtask makes below `target/`.
//!
//! The checkout is looked for at run time: one that was moved or copied together with its built
//! xtask works where it is now, not where xtask was compiled.

use crate::arch::Arch;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What only the top of a checkout has, beside its `Cargo.toml`.
const LANDMARK: &str = "x86_64-nt-native.json";

/// The top of the checkout. Asked once: the process does not change its folder.
///
/// # Panics
/// Outside of any checkout, where no verb could do anything.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let program = std::env::current_exe().ok();
        let here = std::env::current_dir().ok();
        [manifest, program, here]
            .into_iter()
            .flatten()
            .find_map(|start| above(&start))
            .expect("xtask runs inside a checkout of this project")
    })
}

/// The checkout that `start` lies in: cargo says where the manifest is; a program started without
/// cargo lies below `target/`, or is started from within the checkout.
fn above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .find(|folder| folder.join(LANDMARK).is_file() && folder.join("xtask").is_dir())
        .map(Path::to_owned)
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
pub fn images(arch: Arch, dev: bool) -> Result<PathBuf> {
    let arch = match arch {
        Arch::Amd64 => "",
        Arch::I386 => "-i386",
    };
    let dev = if dev { "-dev" } else { "" };
    folder(target().join(format!("images{arch}{dev}")))
}

/// Makes a folder if it is not there.
pub fn folder(path: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&path)
        .with_context(|| format!("cannot make the folder {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_where_it_is_now() {
        let moved = tempfile::tempdir().unwrap();
        let top = moved.path();
        assert_eq!(above(top), None);
        std::fs::write(top.join(LANDMARK), "{}").unwrap();
        let inside = top.join("xtask/src");
        std::fs::create_dir_all(&inside).unwrap();
        assert_eq!(above(&inside).as_deref(), Some(top));
        assert_eq!(above(&top.join("target/debug/xtask")).as_deref(), Some(top));
    }
}
