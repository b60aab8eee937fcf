// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames over files in memory: rows of spec 6 and 17.

#[path = "../../nt/tests/support/mod.rs"]
mod support;

use boot::{RenameList, Summary, process_renames};
use nt::system::FileAttributes;
use nt::{Status, UnicodeStr};
use support::World;

/// Processes values, each a list of strings divided by `|`.
fn process(world: &World, values: &[&str]) -> (usize, usize) {
    let texts: Vec<Vec<u16>> = values
        .iter()
        .map(|value| value.replace('|', "\0").encode_utf16().collect())
        .collect();
    let mut lists = texts.iter().map(|text| RenameList {
        text: UnicodeStr(text),
        strings: text.split(|&unit| unit == 0).count(),
    });
    let Summary { done, failed, .. } = process_renames(
        world,
        [
            lists.next().unwrap_or_default(),
            lists.next().unwrap_or_default(),
        ],
    );
    assert_eq!(world.open_handles(), 0, "every handle is closed");
    (done, failed)
}

fn content(world: &World, path: &str) -> Option<String> {
    world
        .content(path)
        .map(|data| String::from_utf8(data).unwrap())
}

fn two_files() -> &'static World {
    let world = World::new();
    world.file("C:\\a", b"new").file("C:\\b", b"old");
    world
}

#[test]
fn spec_17_an_empty_destination_deletes() {
    let world = two_files();
    assert_eq!(process(world, &["\\??\\C:\\a|"]), (1, 0));
    assert_eq!(content(world, "C:\\a"), None);
    assert_eq!(process(world, &["@\\??\\C:\\b|"]), (1, 0));
    assert_eq!(content(world, "C:\\b"), None);
}

#[test]
fn spec_17_an_exclamation_mark_replaces_a_read_only_target() {
    for mark in ["!", "@"] {
        let world = two_files();
        world.state().files.get_mut("c:\\b").unwrap().attributes = FileAttributes::READONLY;
        assert_eq!(
            process(world, &[&format!("\\??\\C:\\a|{mark}\\??\\C:\\b")]),
            (1, 0)
        );
        assert_eq!(content(world, "C:\\a"), None);
        assert_eq!(content(world, "C:\\b").as_deref(), Some("new"));
    }
}

#[test]
fn spec_17_without_a_mark_an_existing_target_is_a_collision_and_both_stay() {
    let world = two_files();
    assert_eq!(process(world, &["\\??\\C:\\a|\\??\\C:\\b"]), (0, 1));
    assert_eq!(content(world, "C:\\a").as_deref(), Some("new"));
    assert_eq!(content(world, "C:\\b").as_deref(), Some("old"));
}

#[test]
fn spec_17_an_odd_number_of_strings_ignores_the_last_source() {
    let world = two_files();
    assert_eq!(process(world, &["\\??\\C:\\a||\\??\\C:\\b"]), (1, 1));
    assert_eq!(content(world, "C:\\b").as_deref(), Some("old"));
}

#[test]
fn d13_an_odd_first_value_does_not_shift_the_pairs_of_the_second() {
    let world = two_files();
    assert_eq!(
        process(world, &["\\??\\C:\\a", "\\??\\C:\\b|\\??\\C:\\c"]),
        (1, 1)
    );
    assert_eq!(content(world, "C:\\a").as_deref(), Some("new"));
    assert_eq!(content(world, "C:\\c").as_deref(), Some("old"));
    // Nor does it shift what is held against a repetition.
    let (world, value) = (upgradable(), ["\\??\\C:\\e", UPGRADES[1]]);
    assert_eq!(process(world, &value), (2, 1));
    let finished = files(world);
    assert_eq!(process(world, &value), (0, 0));
    assert_eq!(files(world), finished);
}

#[test]
fn spec_6_1_values_and_operations_are_in_order() {
    let world = two_files();
    assert_eq!(
        process(
            world,
            &[
                "\\??\\C:\\b|\\??\\C:\\c|\\??\\C:\\a|\\??\\C:\\b",
                "\\??\\C:\\c|"
            ]
        ),
        (3, 0)
    );
    assert_eq!(
        (
            content(world, "C:\\a"),
            content(world, "C:\\b").as_deref(),
            content(world, "C:\\c")
        ),
        (None, Some("new"), None)
    );
}

#[test]
fn spec_6_3_each_failure_is_its_pairs_only() {
    let world = two_files();
    world
        .directory("C:\\full")
        .file("C:\\full\\x", b"x")
        .directory("C:\\empty");
    world
        .file("C:\\locked", b"l")
        .state()
        .files
        .get_mut("c:\\locked")
        .unwrap()
        .refuses = Some(Status::SHARING_VIOLATION);
    world
        .file("C:\\ro", b"r")
        .state()
        .files
        .get_mut("c:\\ro")
        .unwrap()
        .attributes = FileAttributes::READONLY;
    let failing = [
        "\\??\\C:\\missing|\\??\\C:\\x",
        "\\??\\C:\\a|\\??\\D:\\a",
        "\\??\\C:\\a|\\??\\C:\\no\\directory",
        "\\??\\C:\\full|",
        "\\??\\C:\\locked|",
        "\\??\\C:\\ro|",
        "|\\??\\C:\\x",
        "|",
        "no path|",
    ];
    for pair in failing {
        assert_eq!(process(world, &[pair]), (0, 1), "{pair}");
    }
    assert_eq!(
        process(
            world,
            &[&format!(
                "{}|\\??\\C:\\empty||\\??\\C:\\a|\\??\\C:\\z",
                failing.join("|")
            )]
        ),
        (2, failing.len())
    );
    assert_eq!(content(world, "C:\\z").as_deref(), Some("new"));
    assert_eq!(content(world, "C:\\full\\x").as_deref(), Some("x"));
    assert_eq!(content(world, "C:\\ro").as_deref(), Some("r"));
}

#[test]
fn spec_6_2_directories_are_renamed_with_what_is_in_them() {
    let world = World::new();
    world.directory("C:\\d").file("C:\\d\\x", b"x");
    assert_eq!(process(world, &["\\??\\C:\\d|\\??\\C:\\e"]), (1, 0));
    assert_eq!(content(world, "C:\\e\\x").as_deref(), Some("x"));
}

#[test]
fn nothing_to_do_asks_the_kernel_nothing() {
    let world = World::new();
    process_renames(world, [RenameList::default(); 2]);
    assert!(world.state().calls.is_empty());
}

#[test]
fn spec_6_2_the_restore_privilege_is_on_while_files_are_renamed_and_off_after() {
    let world = two_files();
    process(world, &["\\??\\C:\\a|"]);
    let state = world.state();
    assert_eq!(state.calls.first(), Some(&"adjust_privilege"));
    assert_eq!(state.calls.last(), Some(&"adjust_privilege"));
    assert_eq!(
        state
            .calls
            .iter()
            .filter(|call| **call == "adjust_privilege")
            .count(),
        2
    );
}

/// What an upgrade leaves to be done, and the files of one finished boot.
const UPGRADES: [&str; 6] = [
    "\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\c|\\??\\C:\\d|\\??\\C:\\e|",
    // The old one goes, the new one takes its name.
    "\\??\\C:\\a||\\??\\C:\\c|\\??\\C:\\A",
    // The old one is kept under another name.
    "\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\c|!\\??\\C:\\a",
    // Two change places.
    "\\??\\C:\\a|!\\??\\C:\\t|\\??\\C:\\c|\\??\\C:\\a|\\??\\C:\\t|\\??\\C:\\c",
    // A directory takes the place of another, whose files go first.
    "\\??\\C:\\dir\\x||\\??\\C:\\dir||\\??\\C:\\new|\\??\\C:\\dir",
    // What takes the name is itself made on the way.
    "\\??\\C:\\a|\\??\\C:\\old|\\??\\C:\\c|\\??\\C:\\t|\\??\\C:\\t|\\??\\C:\\a",
];

fn upgradable() -> &'static World {
    let world = two_files();
    world
        .file("C:\\c", b"c")
        .file("C:\\e", b"e")
        .directory("C:\\dir")
        .file("C:\\dir\\x", b"x")
        .directory("C:\\new")
        .file("C:\\new\\x", b"new x");
    world.state().files.get_mut("c:\\b").unwrap().attributes = FileAttributes::READONLY;
    world
}

fn files(world: &World) -> Vec<(String, Vec<u8>)> {
    world
        .state()
        .files
        .iter()
        .filter(|(name, _)| !name.ends_with("smss.mark"))
        .map(|(name, file)| (name.clone(), file.data.clone()))
        .collect()
}

#[test]
fn d6_4_a_power_cut_at_any_point_and_the_repetition_come_to_the_same_files() {
    for upgrade in UPGRADES {
        let world = upgradable();
        let (done, failed) = process(world, &[upgrade]);
        assert_eq!(
            (done, failed),
            (upgrade.split('|').count() / 2, 0),
            "{upgrade}"
        );
        let finished = files(world);
        let calls = world.state().calls.len();
        for number in 0..=calls {
            let world = upgradable();
            // From here on nothing reaches the disk; the next boot begins again with what is there.
            world.state().fault = Some((number, Status::IO_DEVICE_ERROR, true));
            process(world, &[upgrade]);
            world.state().fault = None;
            process(world, &[upgrade]);
            assert_eq!(files(world), finished, "{upgrade}: call {number}");
        }
    }
}

#[test]
fn spec_6_1_a_first_run_does_what_the_list_says_however_stale_it_is() {
    // Neither of the sources that are to take the names is there.
    let world = two_files();
    let value = "\\??\\C:\\a||\\??\\C:\\gone|\\??\\C:\\a";
    assert_eq!(process(world, &[value]), (1, 1));
    assert_eq!(content(world, "C:\\a"), None);
    let world = World::new();
    world
        .directory("C:\\App")
        .file("C:\\App\\x", b"x")
        .file("C:\\App\\y", b"y");
    let value = "\\??\\C:\\App\\x||\\??\\C:\\App\\y||\\??\\C:\\App||\\??\\C:\\Gone|!\\??\\C:\\App";
    assert_eq!(process(world, &[value]), (3, 1));
    assert_eq!(content(world, "C:\\App"), None);
    let world = two_files();
    let value = "\\??\\C:\\a|!\\??\\C:\\a.bak|\\??\\C:\\a.new|\\??\\C:\\a";
    assert_eq!(process(world, &[value]), (1, 1));
    assert_eq!(content(world, "C:\\a.bak").as_deref(), Some("new"));
}

#[test]
fn spec_6_4_a_list_is_safe_on_the_disk_before_it_is_done_and_before_it_takes_a_name_again() {
    let world = two_files();
    process(world, &["\\??\\C:\\a|!\\??\\C:\\b"]);
    assert_eq!(world.state().flushed, ["c:"], "no barrier, no mark");
    let mark = "c:\\reactos\\system32\\config\\smss.mark";
    assert_eq!(content(world, mark), None);
    let world = two_files();
    process(world, &["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"]);
    // What was done, the mark and its new place in the directory; what was done since, the mark.
    assert_eq!(world.state().flushed, ["c:", mark, "c:", "c:", mark]);
    boot::forget_mark(world);
    assert!(world.content(mark).is_none());
    assert_eq!(world.open_handles(), 0);
}

#[test]
fn spec_6_4_a_mark_of_another_list_counts_for_nothing() {
    let world = two_files();
    process(world, &["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"]);
    world.file("C:\\c", b"c").file("C:\\d", b"d");
    let value = "\\??\\C:\\c||\\??\\C:\\d|\\??\\C:\\c";
    assert_eq!(process(world, &[value]), (2, 0));
    assert_eq!(content(world, "C:\\c").as_deref(), Some("d"));
}

#[test]
fn spec_6_4_two_names_of_one_file_both_stay_and_the_volume_is_marked_for_its_check() {
    for (mark, value) in [("", "C:\\b"), ("!", "C:\\b")] {
        let world = two_files();
        for name in ["c:\\a", "c:\\b"] {
            world.state().files.get_mut(name).unwrap().id = 0x5000;
        }
        let value = format!("\\??\\C:\\a|{mark}\\??\\{value}");
        assert_eq!(process(world, &[&value]), (0, 1), "{value}");
        assert!(content(world, "C:\\a").is_some() && content(world, "C:\\b").is_some());
        assert_eq!(world.state().dirty, ["c:"]);
    }
    // Only the case of the name changes.
    let world = two_files();
    world.state().files.get_mut("c:\\a").unwrap().id = 0x5000;
    process(world, &["\\??\\C:\\a|!\\??\\C:\\A"]);
    assert!(world.state().dirty.is_empty());
}

#[test]
fn a_list_of_20000_operations_is_walked_once() {
    let world = World::new();
    let list: Vec<String> = (0..10_000)
        .map(|number| format!("\\??\\C:\\{number}||\\??\\C:\\{number}.new|\\??\\C:\\{number}"))
        .collect();
    for number in 0..10_000 {
        world
            .file(&format!("C:\\{number}"), b"old")
            .file(&format!("C:\\{number}.new"), b"new");
    }
    assert_eq!(process(world, &[&list.join("|")]), (20_000, 0));
    assert_eq!(content(world, "C:\\9999").as_deref(), Some("new"));
}

#[test]
fn every_single_failing_call_costs_at_most_its_own_operation() {
    let value = ["\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\c|"];
    let world = two_files();
    world.file("C:\\c", b"c");
    process(world, &value);
    let calls = world.state().calls.len();
    for number in 0..calls {
        let world = two_files();
        world.file("C:\\c", b"c");
        world.state().fault = Some((number, Status::NO_MEMORY, false));
        let (done, failed) = process(world, &value);
        assert_eq!(done + failed, 2);
        assert!(failed <= 1, "call {number}");
        assert!(
            content(world, "C:\\a").is_some() || content(world, "C:\\b").as_deref() == Some("new"),
            "no file is lost"
        );
    }
}

/// What a list does to files `a` to `e` that all exist, if nothing fails: name and content at the
/// end.
fn model(
    operations: &[(usize, Option<(usize, bool)>)],
    initial: u8,
) -> Option<Vec<(String, String)>> {
    let name = |index: usize| format!("c:\\{}", ["a", "b", "c", "d", "e"][index]);
    let mut files: std::collections::BTreeMap<String, String> = (0..5)
        .filter(|index| initial & (1 << index) != 0)
        .map(|index| (name(index), format!("{index}")))
        .collect();
    for &(source, action) in operations {
        let content = files.remove(&name(source))?;
        if let Some((target, replace)) = action {
            if source == target || (!replace && files.contains_key(&name(target))) {
                return None;
            }
            files.insert(name(target), content);
        }
    }
    Some(files.into_iter().collect())
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 1000, max_global_rejects: 1_000_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_sound_list_is_done_whole_and_its_repetition_after_a_power_cut_loses_no_content(
        operations in proptest::collection::vec((0usize..5, proptest::option::of((0usize..5, proptest::bool::ANY))), 1..6),
        initial in 0u8..32,
        cut in 0usize..60,
    ) {
        let Some(expected) = model(&operations, initial) else { return Err(proptest::prelude::TestCaseError::reject("fails by itself")) };
        let text: Vec<String> = operations.iter().map(|(source, action)| {
            let name = |index: &usize| format!("\\??\\C:\\{}", ["a", "b", "c", "d", "e"][*index]);
            match action {
                None => format!("{}|", name(source)),
                Some((target, replace)) => format!("{}|{}{}", name(source), if *replace { "!" } else { "" }, name(target)),
            }
        }).collect();
        let text = text.join("|");
        let prepare = || {
            let world = World::new();
            for index in (0..5).filter(|index| initial & (1 << index) != 0) {
                world.file(&format!("C:\\{}", ["a", "b", "c", "d", "e"][index]), format!("{index}").as_bytes());
            }
            world
        };
        let found = |world: &World| -> Vec<(String, String)> {
            let is_ours = |(name, _): &(String, Vec<u8>)| name.len() == 4;
            files(world).into_iter().filter(is_ours).map(|(name, data)| (name, String::from_utf8(data).unwrap())).collect()
        };
        let world = prepare();
        proptest::prop_assert_eq!(process(world, &[&text]), (operations.len(), 0), "{}", text);
        proptest::prop_assert_eq!(&found(world), &expected);
        let world = prepare();
        world.state().fault = Some((cut, Status::IO_DEVICE_ERROR, true));
        process(world, &[&text]);
        world.state().fault = None;
        process(world, &[&text]);
        let left = found(world);
        for (_, content) in &expected {
            proptest::prop_assert!(left.iter().any(|(_, there)| there == content), "{}: cut at {}: {:?} of {:?}", text, cut, left, expected);
        }
    }
}
