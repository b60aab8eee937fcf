// SPDX-License-Identifier: GPL-2.0-or-later
//! Pending file renames over files of a test: rows of spec 6 and 17.

use boot::{RenameList, Summary, process_renames};
use nt::system::FileAttributes;
use nt::{Status, UnicodeStr};
use proptest::prelude::{ProptestConfig, TestCaseError};
use proptest::{prop_assert, prop_assert_eq, proptest};
use std::collections::BTreeMap;
use test_support::host::{Watched, watched, world};

/// Processes values, each a list of strings divided by `|`.
fn process(world: &Watched, values: &[&str]) -> (usize, usize) {
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
    (done, failed)
}

fn content(world: &Watched, path: &str) -> Option<String> {
    world
        .content(path)
        .map(|data| String::from_utf8(data).unwrap())
}

/// Lets the Session Manager do its act on a volume that has a system root only.
fn on(act: impl FnOnce(&'static Watched) + Send + 'static) {
    let mut world = world();
    world.directory("\\ReactOS\\System32\\config");
    watched(&mut world, act);
}

fn two_files(world: &Watched) {
    world.file("C:\\a", b"new").file("C:\\b", b"old");
}

#[test]
fn spec_17_an_empty_destination_deletes() {
    on(move |world| {
        two_files(world);
        assert_eq!(process(world, &["\\??\\C:\\a|"]), (1, 0));
        assert_eq!(content(world, "C:\\a"), None);
        assert_eq!(process(world, &["@\\??\\C:\\b|"]), (1, 0));
        assert_eq!(content(world, "C:\\b"), None);
    });
}

#[test]
fn spec_17_an_exclamation_mark_replaces_a_read_only_target() {
    for mark in ["!", "@"] {
        on(move |world| {
            two_files(world);
            world.set_file_attributes("C:\\b", FileAttributes::READONLY);
            assert_eq!(
                process(world, &[&format!("\\??\\C:\\a|{mark}\\??\\C:\\b")]),
                (1, 0)
            );
            assert_eq!(content(world, "C:\\a"), None);
            assert_eq!(content(world, "C:\\b").as_deref(), Some("new"));
        });
    }
}

#[test]
fn spec_17_without_a_mark_an_existing_target_is_a_collision_and_both_stay() {
    on(move |world| {
        two_files(world);
        assert_eq!(process(world, &["\\??\\C:\\a|\\??\\C:\\b"]), (0, 1));
        assert_eq!(content(world, "C:\\a").as_deref(), Some("new"));
        assert_eq!(content(world, "C:\\b").as_deref(), Some("old"));
    });
}

#[test]
fn spec_17_an_odd_number_of_strings_ignores_the_last_source() {
    on(move |world| {
        two_files(world);
        assert_eq!(process(world, &["\\??\\C:\\a||\\??\\C:\\b"]), (1, 1));
        assert_eq!(content(world, "C:\\b").as_deref(), Some("old"));
    });
}

#[test]
fn d13_an_odd_first_value_does_not_shift_the_pairs_of_the_second() {
    on(move |world| {
        two_files(world);
        assert_eq!(
            process(world, &["\\??\\C:\\a", "\\??\\C:\\b|\\??\\C:\\c"]),
            (1, 1)
        );
        assert_eq!(content(world, "C:\\a").as_deref(), Some("new"));
        assert_eq!(content(world, "C:\\c").as_deref(), Some("old"));
    });
    // Nor does it shift what is held against a repetition.
    on(|world| {
        upgradable(world);
        let value = ["\\??\\C:\\e", UPGRADES[1]];
        assert_eq!(process(world, &value), (2, 1));
        let finished = files(world);
        assert_eq!(process(world, &value), (0, 0));
        assert_eq!(files(world), finished);
    });
}

#[test]
fn spec_6_1_values_and_operations_are_in_order() {
    on(move |world| {
        two_files(world);
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
    });
}

#[test]
fn spec_6_3_each_failure_is_its_pairs_only() {
    on(move |world| {
        two_files(world);
        world
            .directory("C:\\full")
            .file("C:\\full\\x", b"x")
            .directory("C:\\empty");
        world.file("C:\\locked", b"l").file("C:\\ro", b"r");
        world.set_file_attributes("C:\\ro", FileAttributes::READONLY);
        let _locked = world.locked("C:\\locked");
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
    });
}

#[test]
fn spec_6_2_directories_are_renamed_with_what_is_in_them() {
    on(move |world| {
        world.directory("C:\\d").file("C:\\d\\x", b"x");
        assert_eq!(process(world, &["\\??\\C:\\d|\\??\\C:\\e"]), (1, 0));
        assert_eq!(content(world, "C:\\e\\x").as_deref(), Some("x"));
    });
}

#[test]
fn nothing_to_do_asks_the_kernel_nothing() {
    on(move |world| {
        process_renames(world, [RenameList::default(); 2]);
        assert!(world.calls().is_empty());
    });
}

#[test]
fn spec_6_2_the_restore_privilege_is_on_while_files_are_renamed_and_off_after() {
    on(move |world| {
        two_files(world);
        process(world, &["\\??\\C:\\a|"]);
        let calls = world.calls();
        for call in [calls.first(), calls.last()] {
            assert_eq!(call.unwrap().name, "adjust_privilege");
        }
        assert_eq!(world.count("adjust_privilege"), 2);
    });
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

fn upgradable(world: &Watched) {
    two_files(world);
    world
        .file("C:\\c", b"c")
        .file("C:\\e", b"e")
        .directory("C:\\dir")
        .file("C:\\dir\\x", b"x")
        .directory("C:\\new")
        .file("C:\\new\\x", b"new x");
    world.set_file_attributes("C:\\b", FileAttributes::READONLY);
}

/// What says how far a boot has got.
const MARK: &str = "C:\\ReactOS\\System32\\config\\smss.mark";

/// Every name that these tests make on the volume, what lies in a directory before it.
const NAMES: [&str; 13] = [
    "a", "b", "c", "d", "e", "t", "old", "dir\\x", "new\\x", "App\\x", "App\\y", "dir", "new",
];

fn dos_path(name: &str) -> String {
    format!("C:\\{name}")
}

/// What there is of `NAMES`, with its content.
fn files(world: &Watched) -> Vec<(&'static str, Vec<u8>)> {
    let content = |name: &'static str| Some((name, world.content(&dos_path(name))?));
    NAMES.into_iter().filter_map(content).collect()
}

/// Takes everything off the volume that a test has put there, and what says how far a boot got.
fn clear(world: &Watched) {
    for name in NAMES {
        world.remove(&dos_path(name));
    }
    world.remove(MARK);
}

#[test]
fn spec_6_4_a_power_cut_at_any_call_and_the_repetition_come_to_the_same_files() {
    for upgrade in UPGRADES {
        on(move |world| {
            upgradable(world);
            let done = process(world, &[upgrade]);
            assert_eq!(done, (upgrade.split('|').count() / 2, 0), "{upgrade}");
            let finished = files(world);
            let calls = world.calls().len();
            for number in 0..=calls {
                clear(world);
                upgradable(world);
                // From here on nothing reaches the disk; the next boot begins again with what is
                // there.
                let first = world.calls().len();
                world.refuse(first + number, Status::IO_DEVICE_ERROR, true);
                process(world, &[upgrade]);
                world.refuse_nothing();
                process(world, &[upgrade]);
                assert_eq!(files(world), finished, "{upgrade}: call {number}");
            }
        });
    }
}

#[test]
fn spec_6_4_a_call_that_fails_before_the_power_goes_costs_no_content() {
    // What is deleted twice is the content that has taken its name.
    let list = ["\\??\\C:\\a||\\??\\C:\\c|\\??\\C:\\a"];
    on(move |world| {
        let prepare = || {
            clear(world);
            upgradable(world);
            world.calls().len()
        };
        let first = prepare();
        process(world, &list);
        let calls = world.calls().len() - first;
        for failing in 0..calls {
            for last in failing + 1..=calls {
                let first = prepare();
                world.refuse_also(first + failing, Status::INSUFFICIENT_RESOURCES);
                world.refuse(first + last, Status::IO_DEVICE_ERROR, true);
                process(world, &list);
                world.refuse_nothing();
                process(world, &list);
                let names = ["C:\\a", "C:\\c"];
                assert!(
                    names
                        .map(|name| content(world, name))
                        .contains(&Some("c".to_owned())),
                    "call {failing} of {calls} fails, the power goes at {last}"
                );
            }
        }
    });
}

#[test]
fn spec_6_1_a_first_run_does_what_the_list_says_however_stale_it_is() {
    // Neither of the sources that are to take the names is there.
    on(move |world| {
        two_files(world);
        let value = "\\??\\C:\\a||\\??\\C:\\gone|\\??\\C:\\a";
        assert_eq!(process(world, &[value]), (1, 1));
        assert_eq!(content(world, "C:\\a"), None);
    });
    on(move |world| {
        world
            .directory("C:\\App")
            .file("C:\\App\\x", b"x")
            .file("C:\\App\\y", b"y");
        let value =
            "\\??\\C:\\App\\x||\\??\\C:\\App\\y||\\??\\C:\\App||\\??\\C:\\Gone|!\\??\\C:\\App";
        assert_eq!(process(world, &[value]), (3, 1));
        assert_eq!(content(world, "C:\\App"), None);
    });
    on(move |world| {
        two_files(world);
        let value = "\\??\\C:\\a|!\\??\\C:\\a.bak|\\??\\C:\\a.new|\\??\\C:\\a";
        assert_eq!(process(world, &[value]), (1, 1));
        assert_eq!(content(world, "C:\\a.bak").as_deref(), Some("new"));
    });
}

#[test]
fn spec_6_4_a_list_is_safe_on_the_disk_before_it_is_done_and_before_it_takes_a_name_again() {
    const VOLUME: &str = "\\??\\C:";
    on(|world| {
        two_files(world);
        process(world, &["\\??\\C:\\a|!\\??\\C:\\b"]);
        assert_eq!(
            world.about("flush_file"),
            ["\\??\\C:\\a", VOLUME],
            "no barrier, no mark"
        );
        assert!(!world.exists(MARK));
    });
    on(|world| {
        two_files(world);
        process(world, &["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"]);
        // What was done, the mark and its new place in the directory; the file renamed since and its
        // volume, the mark.
        let mark = format!("\\??\\{MARK}");
        let flushed = [VOLUME, &mark, VOLUME, "\\??\\C:\\b", VOLUME, &mark];
        assert_eq!(world.about("flush_file"), flushed);
        boot::forget_mark(world);
        assert!(!world.exists(MARK));
    });
}

/// A FAT driver that writes the directory that a name has left before the one it has come to loses
/// the file in a power cut between the two: seen on ReactOS.
#[test]
fn spec_6_4_a_rename_is_on_the_disk_before_the_next_operation_its_new_directory_first() {
    on(|world| {
        two_files(world);
        world.directory("C:\\d");
        process(
            world,
            &["\\??\\C:\\a|\\??\\C:\\d\\a|\\??\\C:\\b|\\??\\C:\\d\\b"],
        );
        let calls = world.calls().into_iter();
        let order: Vec<_> = calls
            .map(|call| call.name)
            .filter(|name| ["rename", "flush_file"].contains(name))
            .collect();
        let each = ["rename", "flush_file", "flush_file"];
        assert_eq!(order, [each, each].concat());
        let flushed = ["\\??\\C:\\a", "\\??\\C:", "\\??\\C:\\b", "\\??\\C:"];
        assert_eq!(world.about("flush_file"), flushed);
    });
}

#[test]
fn spec_6_4_a_read_only_file_is_renamed_though_it_cannot_be_flushed() {
    on(|world| {
        two_files(world);
        world.set_file_attributes("C:\\a", FileAttributes::READONLY);
        assert_eq!(process(world, &["\\??\\C:\\a|\\??\\C:\\c"]), (1, 0));
        assert_eq!(content(world, "C:\\c").as_deref(), Some("new"));
        assert_eq!(
            world.about("flush_file").last().map(String::as_str),
            Some("\\??\\C:")
        );
    });
}

#[test]
fn spec_6_4_a_mark_of_another_list_counts_for_nothing() {
    on(move |world| {
        two_files(world);
        process(world, &["\\??\\C:\\a||\\??\\C:\\b|\\??\\C:\\a"]);
        world.file("C:\\c", b"c").file("C:\\d", b"d");
        let value = "\\??\\C:\\c||\\??\\C:\\d|\\??\\C:\\c";
        assert_eq!(process(world, &[value]), (2, 0));
        assert_eq!(content(world, "C:\\c").as_deref(), Some("d"));
    });
}

#[test]
fn spec_6_4_two_names_of_one_file_both_stay_and_the_volume_is_marked_for_its_check() {
    for (mark, value) in [("", "C:\\b"), ("!", "C:\\b")] {
        on(move |world| {
            two_files(world);
            for name in ["\\??\\C:\\a", "\\??\\C:\\b"] {
                world.pretend_file_id(name, 0x5000);
            }
            let value = format!("\\??\\C:\\a|{mark}\\??\\{value}");
            assert_eq!(process(world, &[&value]), (0, 1), "{value}");
            assert!(content(world, "C:\\a").is_some() && content(world, "C:\\b").is_some());
            assert_eq!(world.about("mark_volume_dirty"), ["\\??\\C:"]);
        });
    }
    // Only the case of the name changes.
    on(move |world| {
        two_files(world);
        world.pretend_file_id("\\??\\C:\\a", 0x5000);
        process(world, &["\\??\\C:\\a|!\\??\\C:\\A"]);
        assert!(world.about("mark_volume_dirty").is_empty());
    });
}

#[test]
fn a_list_of_1000_operations_is_done_whole() {
    on(|world| {
        world.directory("C:\\many");
        let list: Vec<String> = (0..500)
            .map(|number| format!("\\??\\C:\\many\\{number}"))
            .map(|name| format!("{name}||{name}.new|{name}"))
            .collect();
        for number in 0..500 {
            let name = format!("C:\\many\\{number}");
            world
                .file(&name, b"old")
                .file(&format!("{name}.new"), b"new");
        }
        assert_eq!(process(world, &[&list.join("|")]), (1000, 0));
        assert_eq!(content(world, "C:\\many\\499").as_deref(), Some("new"));
    });
}

#[test]
fn every_single_failing_call_costs_at_most_its_own_operation() {
    let value = ["\\??\\C:\\a|!\\??\\C:\\b|\\??\\C:\\c|"];
    on(move |world| {
        let prepare = || {
            clear(world);
            two_files(world);
            world.file("C:\\c", b"c");
            world.calls().len()
        };
        prepare();
        process(world, &value);
        for number in 0..world.calls().len() {
            world.refuse(prepare() + number, Status::NO_MEMORY, false);
            let (done, failed) = process(world, &value);
            assert_eq!(done + failed, 2);
            assert!(failed <= 1, "call {number}");
            let replaced = content(world, "C:\\b").as_deref() == Some("new");
            assert!(
                replaced || content(world, "C:\\a").is_some(),
                "no file is lost"
            );
        }
    });
}

/// A source among `NAMES`, and what becomes of it: deletion, or a target and whether it replaces.
type Action = (usize, Option<(usize, bool)>);

/// What a list does to files `a` to `e`, if nothing fails: name and content at the end.
fn model(operations: &[Action], initial: u8) -> Option<Vec<(&'static str, String)>> {
    let mut files: BTreeMap<&'static str, String> = (0..5)
        .filter(|index| initial & (1 << index) != 0)
        .map(|index| (NAMES[index], format!("{index}")))
        .collect();
    for &(source, action) in operations {
        let content = files.remove(NAMES[source])?;
        if let Some((target, replace)) = action {
            if source == target || (!replace && files.contains_key(NAMES[target])) {
                return None;
            }
            files.insert(NAMES[target], content);
        }
    }
    Some(files.into_iter().collect())
}

/// The list as it stands in the registry.
fn list_of(operations: &[Action]) -> String {
    let pair = |&(source, action): &Action| {
        let nt_path = |index: usize| format!("\\??\\{}", dos_path(NAMES[index]));
        let source = nt_path(source);
        match action {
            None => format!("{source}|"),
            Some((target, replace)) => {
                let mark = if replace { "!" } else { "" };
                format!("{source}|{mark}{}", nt_path(target))
            }
        }
    };
    operations.iter().map(pair).collect::<Vec<_>>().join("|")
}

fn texts(world: &Watched) -> Vec<(&'static str, String)> {
    let files = files(world).into_iter();
    files
        .map(|(name, data)| (name, String::from_utf8(data).unwrap()))
        .collect()
}

#[test]
fn a_sound_list_is_done_whole_and_its_repetition_after_a_power_cut_loses_no_content() {
    let config = ProptestConfig {
        cases: 300,
        max_global_rejects: 1_000_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let action = proptest::option::of((0usize..5, proptest::bool::ANY));
    let operations = proptest::collection::vec((0usize..5, action), 1..6);
    on(move |world| {
        proptest!(config, |(operations in operations, initial in 0u8..32, cut in 0usize..60)| {
            let Some(expected) = model(&operations, initial) else {
                return Err(TestCaseError::reject("fails by itself"));
            };
            let text = list_of(&operations);
            let prepare = || {
                clear(world);
                for index in (0..5).filter(|index| initial & (1 << index) != 0) {
                    world.file(&dos_path(NAMES[index]), format!("{index}").as_bytes());
                }
                world.calls().len()
            };
            prepare();
            prop_assert_eq!(process(world, &[&text]), (operations.len(), 0), "{}", text);
            prop_assert_eq!(texts(world), &expected[..]);
            world.refuse(prepare() + cut, Status::IO_DEVICE_ERROR, true);
            process(world, &[&text]);
            world.refuse_nothing();
            process(world, &[&text]);
            let left = texts(world);
            for (_, content) in &expected {
                prop_assert!(
                    left.iter().any(|(_, there)| there == content),
                    "{}: cut at {}: {:?} of {:?}", text, cut, left, expected
                );
            }
        });
    });
}
