// SPDX-License-Identifier: GPL-2.0-or-later
//! The registry pass over keys that a test has filled: one test for each row of spec 2.1, 2.3, 5.1
//! and of the vectors in 17.

mod environment;
mod session_manager;
mod subkeys;
mod whole;

use nt::UnicodeStr;
use nt::failure::Stop;
use nt::system::Processes;
use registry::Configuration;
use test_support::host::{Watched, watched, wide, world_without_values};

const SZ: u32 = 1;
const EXPAND: u32 = 2;
const BINARY: u32 = 3;
const DWORD: u32 = 4;
const MULTI: u32 = 7;

/// Object directories made during the pass, with the protection mode.
type Directories = Vec<(u32, String)>;

fn read(world: &'static Watched) -> Result<(Configuration<&'static Watched>, Directories), Stop> {
    let mut directories = Vec::new();
    let mut configuration = Configuration::new(world);
    let mut make_directory =
        |mode, name: UnicodeStr<'_>| directories.push((mode, name.to_string()));
    let own = world.own_environment();
    registry::read(world, own, false, &mut make_directory, &mut configuration)?;
    Ok((configuration, directories))
}

/// Lets the Session Manager do its act with no value in any key of the pass.
fn on<T: Send + 'static>(act: impl FnOnce(&'static Watched) -> T + Send + 'static) -> T {
    watched(&mut world_without_values(), act).0
}

/// The same without a key, by its path below the Session Manager's.
fn without(subkey: &str, act: impl FnOnce(&'static Watched) + Send + 'static) {
    let mut world = world_without_values();
    let hive = world.hive("SYSTEM");
    let path = format!("ControlSet001\\Control\\Session Manager\\{subkey}");
    let path = wide(path.trim_end_matches('\\'));
    let key = hive.find(hive.root(), UnicodeStr(&path)).unwrap();
    hive.delete_tree(key, 0).unwrap();
    watched(&mut world, act);
}

fn passed(world: &'static Watched) -> Configuration<&'static Watched> {
    let (configuration, _) = read(world).unwrap();
    configuration
}

fn texts<'a>(list: impl Iterator<Item = UnicodeStr<'a>>) -> Vec<String> {
    list.map(|text| text.to_string()).collect()
}

fn pairs<'a>(
    list: impl Iterator<Item = (UnicodeStr<'a>, UnicodeStr<'a>)>,
) -> Vec<(String, String)> {
    list.map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_string(), value.to_string())
}

fn variable(configuration: &Configuration<&'static Watched>, name: &str) -> Option<String> {
    configuration
        .environment
        .get(UnicodeStr(&wide(name)))
        .map(|value| value.to_string())
}
