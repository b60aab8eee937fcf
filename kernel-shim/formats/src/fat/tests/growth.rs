// SPDX-License-Identifier: GPL-2.0-or-later
//! What a big directory costs, in slots and names looked at: as much as there are files in it, not
//! as much as there are pairs of them.

use super::*;
use nt::steps;

/// Steps of making so many files in one directory, moving them to another, listing that, and
/// deleting them there, the oldest first.
fn cost(files: usize) -> usize {
    let (mut device, mut volume) = fresh(Kind::Fat32);
    let root = volume.root();
    let [from, to] =
        ["from", "to"].map(|name| make_directory(&mut volume, &mut device, root, name));
    let before = steps::taken();
    let made: Vec<NodeId> = (0..files)
        .map(|number| {
            let name = std::format!("pending file {number:05}.dll");
            let name = utf16(&name);
            volume
                .create(&mut device, from, UnicodeStr(&name), 0)
                .unwrap()
        })
        .collect();
    for (number, &id) in made.iter().enumerate() {
        let name = utf16(&std::format!("system file {number:05}.dll"));
        volume
            .rename(&mut device, id, to, UnicodeStr(&name), false)
            .unwrap();
    }
    let (mut listed, mut place) = (Vec::new(), 0);
    while let Some((id, next)) = volume.next_child(&mut device, to, place).unwrap() {
        steps::took(1);
        listed.push(id);
        place = next;
    }
    assert_eq!(listed, made);
    for id in made {
        volume.delete(&mut device, id).unwrap();
    }
    steps::taken() - before
}

#[test]
fn files_of_a_directory_cost_as_much_as_there_are() {
    let costs = [500, 1000, 2000].map(cost);
    // Quadratic would be sixteen times as much.
    assert!(costs[2] <= costs[0] * 5, "{costs:?}");
    assert!(costs[2] / 2000 <= 40, "{costs:?}");
}

#[test]
fn room_that_came_free_is_taken_before_the_directory_grows() {
    let (mut device, mut volume) = fresh(Kind::Fat16);
    let root = volume.root();
    let slots = |volume: &FatVolume, id| volume.node(id).unwrap().slots;
    let made: Vec<NodeId> = (0..12)
        .map(|number| {
            let name = std::format!("a name of three slots {number:02}");
            make(&mut volume, &mut device, root, &name, &[])
        })
        .collect();
    let places: Vec<_> = made.iter().map(|&id| slots(&volume, id)).collect();
    volume.delete(&mut device, made[4]).unwrap();
    volume.delete(&mut device, made[9]).unwrap();
    let short = make(&mut volume, &mut device, root, "SHORT", &[]);
    assert_eq!(slots(&volume, short).0, places[4].0);
    // Two slots are left there: three are where the other file was.
    let long = make(&mut volume, &mut device, root, "another name of three", &[]);
    assert_eq!(slots(&volume, long), places[9]);
    volume.delete(&mut device, short).unwrap();
    let long = make(&mut volume, &mut device, root, "again a name of three", &[]);
    assert_eq!(slots(&volume, long), places[4]);
    // Free slots in front of those that come free are part of the room.
    volume.delete(&mut device, made[2]).unwrap();
    volume.delete(&mut device, made[3]).unwrap();
    let longest = make(&mut volume, &mut device, root, &"n".repeat(60), &[]);
    assert_eq!(slots(&volume, longest), (places[2].0, places[3].1));
}
