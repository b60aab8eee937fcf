// SPDX-License-Identifier: GPL-2.0-or-later
//! What a big but legal key costs the pass: the number of elementary steps (units folded, compared
//! or copied, rows looked at) grows as the number of values does, not as its square.

use nt::system::Processes;
use registry::Configuration;
use test_support::host::{SM, Watched, bytes, watched, world_without_values};

const SZ: u32 = 1;
const MULTI: u32 = 7;

/// Puts so many entries into a key.
type Add = fn(&Watched, usize);

/// Steps of a pass over `count` entries that `add` puts into the key.
fn steps(count: usize, add: Add) -> usize {
    let counted = move |world: &'static Watched| {
        add(world, count);
        let before = world.steps();
        let mut configuration = Configuration::new(world);
        let own = world.own_environment();
        registry::read(world, own, false, &mut |_, _| {}, &mut configuration).unwrap();
        world.steps() - before
    };
    watched(&mut world_without_values(), counted).0
}

/// Holds the growth from `size` to twice and four times of it, and the cost of one entry.
fn grows_evenly(size: usize, most: usize, add: Add) {
    let costs = [size, size * 2, size * 4].map(|count| steps(count, add));
    // Quadratic would be sixteen times as much.
    assert!(costs[2] <= costs[0] * 7, "{costs:?}");
    let each = costs[2] / (size * 4);
    assert!(each <= most, "{each} steps an entry");
}

fn values(world: &Watched, key: &str, count: usize) {
    let values: Vec<(String, Vec<u8>)> = (0..count)
        // Neither ascending nor descending.
        .map(|number| format!("NAME{:05}", number * 7919 % 99991))
        .map(|name| (name, bytes("\\Device\\Something\0")))
        .collect();
    let values: Vec<_> = values
        .iter()
        .map(|(name, data)| (name.as_str(), SZ, data.clone()))
        .collect();
    world.sm(key, &values);
}

fn list(world: &Watched, name: &str, count: usize) {
    let text: String = (0..count)
        .map(|number| format!("\\Name{number:05}\0"))
        .collect();
    world.key(SM, &[(name, MULTI, bytes(&format!("{text}\0")))]);
}

#[test]
fn variables_of_the_environment_cost_as_much_as_there_are() {
    grows_evenly(250, 600, |world, count| values(world, "Environment", count));
}

#[test]
fn dos_devices_cost_as_much_as_there_are() {
    grows_evenly(500, 200, |world, count| values(world, "DOS Devices", count));
}

#[test]
fn known_dlls_cost_as_much_as_there_are() {
    grows_evenly(125, 250, |world, count| values(world, "KnownDlls", count));
}

#[test]
fn subsystems_cost_as_much_as_there_are() {
    grows_evenly(125, 250, |world, count| values(world, "SubSystems", count));
}

#[test]
fn object_directories_and_exclusions_cost_as_much_as_there_are() {
    grows_evenly(500, 200, |world, count| {
        list(world, "ObjectDirectories", count)
    });
    grows_evenly(125, 250, |world, count| {
        list(world, "ExcludeFromKnownDlls", count)
    });
}
