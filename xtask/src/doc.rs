// SPDX-License-Identifier: GPL-2.0-or-later
//! `cargo xtask doc`: the reference of the whole workspace, both sides of the seam.
//!
//! Rustdoc sees one target at a time, so it runs once for each world and writes below that world's
//! folder; a front page names every crate with its first sentence and leads to it. Private items
//! are included: a reader of this project looks for what is inside an image as well. A broken link
//! is an error.

use crate::arch::Arch;
use crate::{cargo, paths, ui};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Every rustdoc warning is an error, broken links above all; but for the one on links to private
/// items, which are in this reference.
const FLAGS: &str = "-Dwarnings -Arustdoc::private_intra_doc_links";

/// Where rustdoc writes the host's crates, below the target folder, and the front page lies.
const PLACE: &str = "doc";

/// A crate of the workspace, as the front page shows it.
struct Package {
    /// Its name as cargo has it.
    name: String,
    /// Its name as rustdoc has it.
    folder: String,
    /// The first sentence of its documentation.
    summary: String,
    /// The target that it is for; `None` is the host.
    target: Option<&'static str>,
}

/// Runs the verb.
pub fn verb() -> Result<()> {
    let page = all()?;
    ui::verdict(&format!("the reference begins at {}", page.display()));
    Ok(())
}

/// Builds the reference; gives its front page.
pub fn all() -> Result<PathBuf> {
    let packages = packages()?;
    for (target, flags) in [
        (None, vec!["--features".into(), "executive/host".into()]),
        (
            Some("x86_64-nt-native"),
            cargo::nt_flags(Arch::Amd64, cargo::SMSS, false)?,
        ),
        (Some("x86_64-unknown-none"), cargo::bare_flags()),
    ] {
        ui::step(&format!("rustdoc, {}", target.unwrap_or("the host")));
        let mut command = cargo::command();
        command
            .args(["doc", "--quiet", "--no-deps", "--document-private-items"])
            .args(flags)
            .env("RUSTDOCFLAGS", FLAGS);
        for package in packages.iter().filter(|package| package.target == target) {
            command.args(["-p", &package.name]);
        }
        cargo::succeed(&mut command)?;
    }
    let page = paths::folder(paths::target().join(PLACE))?.join("index.html");
    std::fs::write(&page, front(&packages))
        .with_context(|| format!("cannot write {}", page.display()))?;
    Ok(page)
}

/// The crates of the workspace: what is no default member is for one of the other targets.
fn packages() -> Result<Vec<Package>> {
    let output = cargo::command()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot run cargo metadata")?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")?;
    let host = metadata["workspace_default_members"]
        .as_array()
        .context("cargo metadata names no default members")?;
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let targets = || package["targets"].as_array().into_iter().flatten();
        let library = targets()
            .find(|target| target["kind"][0] == "lib" || target["kind"][0] == "proc-macro");
        let documented = library
            .or_else(|| targets().find(|target| target["kind"][0] == "bin"))
            .with_context(|| format!("the crate {name} has nothing to document"))?;
        let source = Path::new(documented["src_path"].as_str().unwrap_or_default());
        let source = std::fs::read_to_string(source)
            .with_context(|| format!("cannot read {}", source.display()))?;
        packages.push(Package {
            name: name.to_owned(),
            folder: documented["name"]
                .as_str()
                .unwrap_or_default()
                .replace('-', "_"),
            summary: summary(&source),
            target: match name {
                _ if host.contains(&package["id"]) => None,
                "kernel" => Some("x86_64-unknown-none"),
                _ => Some("x86_64-nt-native"),
            },
        });
    }
    Ok(packages)
}

/// The first sentence of a crate's documentation, or its first paragraph, without Markdown.
fn summary(source: &str) -> String {
    let paragraph: Vec<&str> = source
        .lines()
        .skip_while(|line| !line.starts_with("//!"))
        .map_while(|line| line.strip_prefix("//! "))
        .collect();
    let text = paragraph.join(" ").replace(['`', '[', ']'], "");
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text,
    }
}

/// The front page.
fn front(packages: &[Package]) -> String {
    let mut page = String::from(
        "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>smss: the reference</title>\n\
         <style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }\n\
         :root { color-scheme: light dark } dt { margin-top: 1rem; font-weight: bold }</style>\n\
         <h1>The Session Manager and its kernel: the reference</h1>\n<dl>\n",
    );
    for package in packages {
        let place = package
            .target
            .map_or_else(|| ".".to_owned(), |target| format!("../{target}/doc"));
        let _ = writeln!(
            page,
            "<dt><a href=\"{place}/{}/index.html\">{}</a></dt><dd>{}</dd>",
            package.folder,
            package.name,
            escaped(&package.summary)
        );
    }
    page.push_str("</dl>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence_without_markdown() {
        let source =
            "// SPDX\n//! The `x` of [`y`]: a\n//! thing. More of it.\n//!\n//! And more.\n";
        assert_eq!(summary(source), "The x of y: a thing.");
        assert_eq!(summary("//! No full stop\n//!\n//! Other."), "No full stop");
        assert_eq!(summary("fn main() {}"), "");
    }

    #[test]
    fn the_front_page_leads_to_every_crate_of_the_workspace() {
        let packages = packages().unwrap();
        let page = front(&packages);
        for link in [
            "./smss/index.html",
            "../x86_64-nt-native/doc/ntdll/index.html",
            "../x86_64-unknown-none/doc/kernel/index.html",
        ] {
            assert!(page.contains(link), "no {link} in {page}");
        }
        for package in &packages {
            assert!(!package.summary.is_empty(), "{} says nothing", package.name);
        }
    }
}
