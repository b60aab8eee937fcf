// SPDX-License-Identifier: GPL-2.0-or-later
//! The bill of materials of smss.exe: every crate that is in it, as CycloneDX 1.5 in JSON.
//!
//! What cargo resolves for the image's package, target and features, dependencies of builds and
//! tests left out; the sums are those of the lock file. Nothing in it depends on the machine.

use crate::arch::Arch;
use crate::{cargo, paths};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

/// The package of the image.
const IMAGE: &str = "smss";

/// The bill of the image for this machine, as text.
pub fn of_materials(arch: Arch) -> Result<String> {
    let target = paths::root().join(format!("{}.json", arch.target()));
    let output = cargo::command()
        .args(["metadata", "--format-version=1", "--locked"])
        .args(["--features", "smss/native", "--filter-platform"])
        .arg(target)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: see its messages above");
    }
    let lock = std::fs::read_to_string(paths::root().join("Cargo.lock"))?;
    let toolchain = std::fs::read_to_string(paths::root().join("rust-toolchain.toml"))?;
    let bill = bill(
        &serde_json::from_slice(&output.stdout)?,
        &sums(&lock),
        toolchain
            .lines()
            .find_map(|line| line.strip_prefix("channel = ")),
    )?;
    Ok(format!("{bill:#}\n"))
}

/// Sums of the lock file by name and version.
fn sums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |package: &str, name: &str| {
        package
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
            .map(|text| text.trim_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .filter_map(|package| {
            let key = (value(package, "name")?, value(package, "version")?);
            Some((key, value(package, "checksum")?))
        })
        .collect()
}

fn bill(
    metadata: &Value,
    sums: &BTreeMap<(String, String), String>,
    toolchain: Option<&str>,
) -> Result<Value> {
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let image = packages
        .iter()
        .find(|(_, package)| package["name"] == IMAGE)
        .map(|(id, _)| *id)
        .context("cargo knows no package of the image")?;
    let mut reached = BTreeSet::new();
    let mut next = vec![image];
    while let Some(id) = next.pop() {
        if !reached.insert(id) {
            continue;
        }
        for dependency in list(&nodes.get(id).context("a package is not resolved")?["deps"]) {
            let is_normal = list(&dependency["dep_kinds"])
                .iter()
                .any(|kind| kind["kind"].is_null());
            if is_normal {
                next.extend(dependency["pkg"].as_str());
            }
        }
    }
    let mut components: Vec<Value> = reached
        .iter()
        .filter(|id| **id != image)
        .map(|id| component(packages[id], sums))
        .collect();
    components.sort_by_key(|component| component["purl"].to_string());
    let toolchain = toolchain.unwrap_or_default().trim_matches('"');
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": component(packages[image], sums),
            "properties": [{ "name": "rust-toolchain", "value": toolchain }],
        },
        "components": components,
    }))
}

fn component(package: &Value, sums: &BTreeMap<(String, String), String>) -> Value {
    let text = |name: &str| package[name].as_str().unwrap_or_default().to_owned();
    let (name, version) = (text("name"), text("version"));
    let mut component = json!({
        "type": if name == IMAGE { "application" } else { "library" },
        "name": name,
        "version": version,
        "purl": format!("pkg:cargo/{name}@{version}"),
        "licenses": [{ "expression": text("license").replace('/', " OR ") }],
    });
    if let Some(sum) = sums.get(&(name, version)) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    component
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_image_is_on_the_bill() {
        let text = of_materials(Arch::Amd64).unwrap();
        let bill: Value = serde_json::from_str(&text).unwrap();
        let names: Vec<&str> = list(&bill["components"])
            .iter()
            .filter_map(|component| component["name"].as_str())
            .collect();
        for name in ["nt", "ntdll", "subsystems", "zerocopy", "spin", "winapi"] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        for name in ["executive", "clap", "proptest", "xtask"] {
            assert!(!names.contains(&name), "{name} is in {names:?}");
        }
        let zerocopy = list(&bill["components"])
            .iter()
            .find(|component| component["name"] == "zerocopy")
            .unwrap();
        let sum = zerocopy["hashes"][0]["content"].as_str().unwrap();
        assert_eq!(sum.len(), 64);
        let top = paths::root().display().to_string();
        assert!(!text.contains(&top), "the bill names the checkout's folder");
    }
}
